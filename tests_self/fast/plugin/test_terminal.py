"""What a run says at its end: each failure once, whole where they are few, pytest's own on request."""

import re
from typing import TYPE_CHECKING

import pytest

from noxgate.plugin.terminal.verdict_block import IN_FULL
from noxgate.run.causes import MANY

if TYPE_CHECKING:
    from tests_self.conftest import Project

DETAILS = [
    "            Runbook   2. Staging > staging.version",
    "            Expected  /staging.version is 8.0.0",
    "            Seen      saw staging.version",
    "            Repeat    curl staging.version",
    "            Check     tests_staging/test_version.py::test_version",
]
NEXT = "Next      staging.version: Redeploy 8.0.0, then: pytest -m staging --target staging"
PYTESTS = ("= FAILURES =", "= short test summary info =", "- release check staging.version -", "E   ")


def ended(result: pytest.RunResult) -> list[str]:
    """From the verdict on."""
    rows = list(result.outlines)
    return rows[next(number for number, row in enumerate(rows) if "= release verdict =" in row) + 1 :]


@pytest.mark.parametrize("options", [(), ("-q",), ("-n", "1")], ids=["plain", "quiet", "xdist"])
def test_one_failure_is_said_whole_and_once(project: "Project", options: tuple[str, ...]) -> None:
    """Its reason however long, what was seen, how to see it again, the check, what to do."""
    project.check("version", f"assert '7.9.3' == {'8' * 300!r}")

    result = project.gate(*options)

    rows = ended(result)
    assert rows[0] == f"failed      {'staging.version':<38} expected '{'8' * 300}', saw '7.9.3'"
    assert rows[1:6] == DETAILS
    assert [row for row in result.outlines if "Redeploy" in row] == [NEXT]
    assert [row for row in result.outlines for word in PYTESTS if word in row] == []
    (folder,) = project.folders()
    assert "test_version.py" in (folder / "report.html").read_text()
    assert "AssertionError: expected" in (folder / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("option", "where"),
    [
        *((option, "line") for option in ("-v", "--tb=short", "--tb=auto -v", "-l", "--full-trace")),
        ("--tb=long", "PYTEST_ADDOPTS"),
    ],
)
def test_whoever_asks_gets_pytests_own(
    project: "Project", option: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sections as ever; the block then has a row for each."""
    project.check("version", "assert '7.9.3' == '8.0.0'")
    if where == "PYTEST_ADDOPTS":
        monkeypatch.setenv(where, option)

    result = project.gate(*(option.split() if where == "line" else ()))

    said = result.stdout.str()
    assert [word for word in PYTESTS if word not in said] == []
    assert ended(result)[:2] == [
        f"failed      {'staging.version':<38} expected '8.0.0', saw '7.9.3'",
        "NO-GO  staging, release 8.0.0 on staging: 1 failed, 1 passed",
    ]


def test_no_tracebacks_where_none_are_wanted(project: "Project") -> None:
    project.check("version", "assert '7.9.3' == '8.0.0'")

    result = project.gate("--tb=no")

    assert "FAILURES" not in result.stdout.str()
    assert "= short test summary info =" in result.stdout.str()


def test_a_list_that_is_asked_for(project: "Project") -> None:
    """By -r; tracebacks are not."""
    project.check("version", "assert '7.9.3' == '8.0.0'")

    said = project.gate("-rA").stdout.str()

    assert "= FAILURES =" not in said
    assert "FAILED tests_staging/test_version.py::test_version" in said
    assert "PASSED tests_staging/test_health.py::test_health" in said


def test_many_failures_can_be_read(project: "Project") -> None:
    """The first in full, a row for each of the others, each once, and where the rest stands."""
    number = 26
    for each in range(number):
        project.check(f"other_{each:02}", f"assert {list(range(200))} == {each}")

    result = project.gate()

    rows = ended(result)
    assert [row.split()[1] for row in rows if row.startswith("failed ")] == [
        f"staging.other_{each:02}" for each in range(number)
    ]
    assert sum(row.startswith("            Repeat    curl ") for row in rows) == IN_FULL
    assert "            What these saw, and what to do: report.html; here with -v" in rows
    assert len(result.outlines) < 100
    cut = [row for row in rows if row.startswith("failed ") and "staging.other_20" in row]
    assert [(len(row), row[-1]) for row in cut] == [(200, "…")]


def test_up_to_three_are_said_whole(project: "Project") -> None:
    """What is to be done about each: about the first in the last words."""
    project.check("version", "assert 1 == 2")
    project.check("health", "assert 1 == 2")

    result = project.gate()

    rows = ended(result)
    assert rows.count("            Next      Redeploy 8.0.0, then: pytest -m staging --target staging") == 1
    assert rows.count(NEXT) == 1
    assert "here with -v" not in result.stdout.str()


def test_a_file_that_cannot_be_collected_is_pytests_to_tell(project: "Project") -> None:
    file = project.file("health")
    file.write_text(file.read_text().replace("import pytest", "import nosuch"))

    result = project.gate()

    assert result.ret == 2
    assert "= ERRORS =" in result.stdout.str()
    assert "No module named 'nosuch'" in result.stdout.str()


def test_a_set_up_that_breaks_is_a_line_that_failed(project: "Project") -> None:
    broken = "@pytest.fixture\ndef broken():\n    raise ValueError('7 of 9')"
    project.check("version", top=broken, arguments="observe, broken")

    result = project.gate()

    assert ended(result)[0].startswith(f"failed      {'staging.version':<38} expected another form")
    assert "7 of 9" in ended(result)[0]
    assert "= ERRORS =" not in result.stdout.str()


def test_go_says_what_it_said(project: "Project") -> None:
    rows = ended(project.gate())

    assert rows[0] == "GO  staging, release 8.0.0 on staging: 2 passed"
    assert [row for row in rows if row.startswith("Next")] == []


def test_a_host_that_is_away_says_how_to_see_it_again_and_what_next(project: "Project") -> None:
    """Although no line failed."""
    for number in range(MANY):
        away = f"raise UnreachableError('https://own.example/{number}: connection reset by peer')"
        project.check(f"other_{number}", away)

    result = project.gate()

    rows = ended(result)
    assert rows[0] == f"{MANY} lines have one cause: own.example: connection reset by peer"
    assert "            Repeat    curl staging.other_0" in rows
    assert "Next      own.example: connection reset by peer, then: noxgate doctor --target staging" in rows
    page = (project.folders()[0] / "report.html").read_text()
    (cause,) = re.findall("<p class='cause'>.*?</p>", page)
    assert [name for name in map("staging.other_{}".format, range(MANY)) if name not in cause] == []
    assert "reset by peer, then: noxgate doctor --target staging</span>" in cause
    assert "<table class='open-lines'>" not in page  # they are said
