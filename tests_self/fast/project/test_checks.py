"""find_checks and its rules, and the real check folders held against the real runbook."""

from pathlib import Path

import pytest

from noxgate.project.checks import Check, CheckError, find_checks
from noxgate.project.runbook import Runbook, read_runbook

PROJECT = Path(__file__).parents[3]

RUNBOOK = """
[release]
version = "8.0.0"
date = 2025-08-15
schema = "schema.toml"
[phase.staging]
title = "Staging"
folder = "tests_staging"
[phase.live]
title = "Live"
folder = "tests_production"
[phase.signoff]
title = "Sign-off"
"""
LINE = """
[{line}]
ref = "RB-1"
kind = "auto"
section = "2"
seed = [1]
expected = "good"
next = "mend"
"""
GOOD = '''
import pytest

@pytest.mark.runbook("staging.version")
def test_version(api):
    """The version."""
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with three lines and one check."""
    lines = [
        LINE.format(line=line)
        for line in ("staging.version", "staging.health", "live.version", "signoff.page")
    ]
    (tmp_path / "runbook.toml").write_text(RUNBOOK + "".join(lines))
    for folder in ("tests_staging", "tests_production"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tests_staging" / "test_version.py").write_text(GOOD)
    return tmp_path


def found(root: Path) -> list[Check]:
    """The checks of a project."""
    return find_checks(root, read_runbook(root / "runbook.toml"))


def test_check_is_found_without_running_anything(root: Path) -> None:
    """The file may import what is not there."""
    file = root / "tests_staging" / "test_version.py"
    file.write_text("import no_such_module\n" + file.read_text())

    assert found(root) == [
        Check(
            line_id="staging.version",
            node="tests_staging/test_version.py::test_version",
            file="tests_staging/test_version.py",
            line_number=6,
            topic="version",
            doc="The version.",
        )
    ]


def test_files_in_folders_below_count(root: Path) -> None:
    """In the order of their paths."""
    below = root / "tests_staging" / "deep" / "er"
    below.mkdir(parents=True)
    (below / "test_health.py").write_text(GOOD.replace("version", "health"))

    assert [check.node for check in found(root)] == [
        "tests_staging/deep/er/test_health.py::test_health",
        "tests_staging/test_version.py::test_version",
    ]


def test_helpers_are_no_checks(root: Path) -> None:
    """Nor are other files, classes and fixtures."""
    (root / "tests_staging" / "helper.py").write_text("def test_not(): pass")
    file = root / "tests_staging" / "test_version.py"
    file.write_text(file.read_text() + "\ndef assert_it(): pass\nclass Helper: pass\n")

    assert len(found(root)) == 1


def test_missing_folder_has_no_checks(root: Path) -> None:
    """A phase whose folder is not there yet."""
    (root / "tests_production").rmdir()

    assert len(found(root)) == 1


MARK = '@pytest.mark.runbook("staging.version")\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "def test_x(): pass",
            ':1: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="no-id",
        ),
        pytest.param(
            "@pytest.mark.runbook\ndef test_x(): pass",
            ':2: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="no-call",
        ),
        pytest.param(
            "@pytest.mark.runbook(8)\ndef test_x(): pass",
            ':2: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="number",
        ),
        pytest.param(
            '@pytest.mark.runbook(id="staging.version")\ndef test_x(): pass',
            ':2: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="keyword",
        ),
        pytest.param(
            'X = "staging.version"\n@pytest.mark.runbook(X)\ndef test_x(): pass',
            ':3: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="name",
        ),
        pytest.param(
            MARK + MARK + "def test_x(): pass",
            ':3: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="twice",
        ),
        pytest.param(
            '@pytest.mark.runbook("staging.version", "staging.health")\ndef test_x(): pass',
            ':2: test_x: expected one @pytest.mark.runbook("<line id>")',
            id="two-ids",
        ),
        pytest.param(
            '@pytest.mark.runbook("staging.versoin")\ndef test_x(): pass',
            ":2: test_x: no runbook line 'staging.versoin' in runbook.toml; did you mean 'staging.version'?",
            id="unknown-line",
        ),
        pytest.param(
            '@pytest.mark.runbook("zzzz")\ndef test_x(): pass',
            ":2: test_x: no runbook line 'zzzz' in runbook.toml",
            id="no-guess",
        ),
        pytest.param(
            '@pytest.mark.runbook("live.version")\ndef test_x(): pass',
            ":2: test_x proves 'live.version', which belongs in tests_production/",
            id="wrong-folder",
        ),
        pytest.param(
            MARK + '@pytest.mark.parametrize("x", [1])\ndef test_x(x): pass',
            ":3: test_x: one function proves one line: write a check for each case",
            id="parametrized",
        ),
        pytest.param(
            "class TestX:\n    def test_x(self): pass",
            ":1: expected checks to be plain functions, saw class TestX",
            id="class",
        ),
        pytest.param(
            MARK + "def test_x(): pass\n" + MARK + "def test_x(): pass",
            ":4: test_x: a second check of this name",
            id="same-name",
        ),
        pytest.param("def broken(:", ": invalid syntax (<unknown>, line 1)", id="syntax"),
        pytest.param("\0", ": source code string cannot contain null bytes", id="nul"),
        pytest.param(
            MARK + "async def testx(): pass\ndef test(): pass",
            ':3: test: expected one @pytest.mark.runbook("<line id>")',
            id="test",
        ),
    ],
)
def test_broken_rule_is_one_line(root: Path, text: str, message: str) -> None:
    """With its place."""
    (root / "tests_staging" / "test_x.py").write_text(text)

    with pytest.raises(CheckError) as caught:
        found(root)

    assert str(caught.value) == f"tests_staging/test_x.py{message}"


def test_line_without_folder_has_no_home(root: Path) -> None:
    """Sign-off lines are derived or attested: no file can prove them."""
    (root / "tests_staging" / "test_x.py").write_text(GOOD.replace("staging.version", "signoff.page"))

    with pytest.raises(CheckError, match="belongs in None/"):
        found(root)


def test_link_to_nowhere_is_one_line(root: Path) -> None:
    """As any file that cannot be read."""
    (root / "tests_staging" / "test_x.py").symlink_to("nowhere")

    with pytest.raises(CheckError, match=r"^tests_staging/test_x\.py: .*No such file"):
        found(root)


# ---------------------------------------------------------------- the real project


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    """The real one."""
    return read_runbook(PROJECT / "runbook.toml")


@pytest.fixture(scope="module")
def files_of(runbook: Runbook) -> dict[str, list[str]]:
    """The files of the checks of each line."""
    files: dict[str, list[str]] = {}
    for check in find_checks(PROJECT, runbook):
        files.setdefault(check.line_id, []).append(check.file)
    return files


def test_every_line_that_is_not_to_come_has_a_check(runbook: Runbook, files_of: dict[str, list[str]]) -> None:
    """Lines that a machine can look at."""
    due = {line.id for line in runbook.lines.values() if line.kind in {"auto", "mutate"} and not line.coming}

    assert due != set()
    assert due - files_of.keys() == set()


def test_no_line_to_come_has_a_check(runbook: Runbook, files_of: dict[str, list[str]]) -> None:
    """Whoever writes the check removes `coming`."""
    assert [line for line in files_of if runbook.lines[line].coming] == []


def test_derivation_needs_no_check(runbook: Runbook, files_of: dict[str, list[str]]) -> None:
    """It would never be counted. A person's line may have one, for where it can look."""
    assert [line for line in files_of if runbook.lines[line].kind == "derived"] == []


def test_checks_of_a_line_live_in_one_file(files_of: dict[str, list[str]]) -> None:
    """A reader finds a line in one place."""
    assert {line: files for line, files in files_of.items() if len(set(files)) > 1} == {}


def test_every_check_says_what_it_proves(runbook: Runbook) -> None:
    """A docstring of one sentence at least."""
    assert [check.node for check in find_checks(PROJECT, runbook) if len(check.doc) < 10] == []


def test_line_without_check_says_why(runbook: Runbook, files_of: dict[str, list[str]]) -> None:
    """No check, then to come, a person's, or derived: no line is lost between them."""
    lost = [
        line.id
        for line in runbook.lines.values()
        if line.id not in files_of and not line.coming and line.kind not in {"human", "derived"}
    ]

    assert lost == []
