"""What decides a verdict is as committed, or there is no GO: files, settings, and git itself."""

import marshal
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_self.conftest import PROFILE
from tests_self.fast.run.commit.edited import CHECK, PYTHON, Checkout, edited

from noxgate.run.commit import head


def overlooked(flag: str) -> Callable[[Checkout], str]:
    def change(checkout: Checkout) -> str:
        checkout.git("update-index", flag, "tests_staging/test_version.py")
        return edited(checkout)

    change.__name__ = flag.strip("-")
    return change


def excluded(checkout: Checkout) -> str:
    """Git was told to ignore it, in this clone alone."""
    checkout.write(".git/info/exclude", "conftest.py\n")
    checkout.write("tests_staging/conftest.py", "")
    return "tests_staging/conftest.py (is not in the commit)"


def other_settings(checkout: Checkout) -> str:
    checkout.write(
        "pytest.ini", "[pytest]\naddopts = -p noxgate.plugin -p no:locust --import-mode=importlib\n"
    )
    return "pytest.ini (is not in the commit)"


def weaker_profile(checkout: Checkout) -> str:
    checkout.write("targets/staging.toml", PROFILE + '[security_headers]\n"content-security-policy" = "*"\n')
    return "targets/staging.toml (was changed)"


def waived(checkout: Checkout) -> str:
    checkout.write("waivers.toml", "# none\n")
    return "waivers.toml (was changed)"


def sourceless(checkout: Checkout) -> str:
    checkout.write("src/noxgate/extra.pyc", "")
    return "src/noxgate/extra.pyc (is not in the commit)"


def linked(checkout: Checkout) -> str:
    (checkout.root.parent / "elsewhere").mkdir()
    (checkout.root / "tests_staging" / "more").symlink_to(checkout.root.parent / "elsewhere")
    return "tests_staging/more (is not in the commit)"


def removed(checkout: Checkout) -> str:
    (checkout.root / "tests_staging" / "test_health.py").unlink()
    return "tests_staging/test_health.py (is missing)"


FILES = [
    edited,
    overlooked("--assume-unchanged"),
    overlooked("--skip-worktree"),
    excluded,
    other_settings,
    weaker_profile,
    waived,
    sourceless,
    linked,
    removed,
]


@pytest.mark.parametrize("change", FILES, ids=lambda change: change.__name__)
def test_what_is_not_as_committed(checkout: Checkout, change: Callable[[Checkout], str]) -> None:
    """Each is named, also if git thinks it unchanged."""
    assert list(head(checkout.root).different(checkout.root)) == []

    expected = change(checkout)

    assert list(head(checkout.root).different(checkout.root)) == [expected]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "changed"),
        ("tests_staging/.test_version.py.swp", "an editor's"),
        ("tests_staging/test_version.py~", "an editor's"),
        ("tests_staging/._test_version.py", "a system's"),
        ("tests_staging/__pycache__/test_version.cpython-311.pyc", "Python's own"),
        ("targets/rehearsal.toml", "rehearsal = true"),
        ("targets/keys/ada.pem", "a key that git ignores"),
        ("notes.txt", "mine"),
    ],
)
def test_what_decides_nothing(checkout: Checkout, name: str, text: str) -> None:
    """Healthy and odd."""
    checkout.write(name, text)

    assert list(head(checkout.root).different(checkout.root)) == []


def test_line_ends_of_another_system(checkout: Checkout) -> None:
    """As git may have checked them out."""
    path = checkout.root / "runbook.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert list(head(checkout.root).different(checkout.root)) == []


def test_a_clean_checkout_is_go(checkout: Checkout) -> None:
    """With what git hooks set, too, which is said; and the run names what decided."""
    status, said = checkout.gate(GIT_DIR="/nowhere", GIT_INDEX_FILE=".git/index.lock")

    assert status == 0, said
    assert "not passed on to git: GIT_DIR, GIT_INDEX_FILE" in said
    (run,) = checkout.root.glob("reports/8.0.0/2*")
    assert f'"commit": "{checkout.git("rev-parse", "HEAD").strip()}"' in (run / "decided.json").read_text()


def test_a_clean_checkout_by_another_way_is_go(checkout: Checkout) -> None:
    """A link leads to it, and its name has a space."""
    link = checkout.root.parent / "the gate"
    link.symlink_to(checkout.root)
    checkout.root = link

    status, said = checkout.gate(PYTHONPATH=str(link / "src"))

    assert status == 0, said


def test_a_clean_checkout_is_go_under_xdist(checkout: Checkout) -> None:
    """Whose workers load more."""
    status, said = checkout.gate("-n", "2")

    assert status == 0, said


def test_an_edited_check_is_not_go(checkout: Checkout) -> None:
    """The whole way."""
    overlooked("--assume-unchanged")(checkout)

    status, said = checkout.gate()

    assert status == 2, said
    assert "not as committed: tests_staging/test_version.py (was changed): commit or put back" in said


def test_a_check_that_was_put_back_meanwhile_is_not_go(checkout: Checkout) -> None:
    """What was loaded is what counts, not what lies there at the end."""
    path = checkout.root / "tests_staging" / "test_version.py"
    restores = f"\nimport pathlib\npathlib.Path({str(path)!r}).write_text({path.read_text()!r})\n"
    path.write_text(path.read_text() + restores)

    status, said = checkout.gate()

    assert status == 2, said
    assert path.read_text() == CHECK.format(name="version")
    assert "not as committed: tests_staging/test_version.py (was changed)" in said


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (lambda root: (root.parent / "evil.py").write_text(""), "of no locked package"),
        (lambda root: (root / "evil.py").write_text(""), "evil.py (is not in the commit)"),
    ],
    ids=["beside", "inside"],
)
def test_a_plugin_of_nobody_is_not_go(checkout: Checkout, way: Callable[[Path], object], reason: str) -> None:
    """A module that the environment brings in."""
    way(checkout.root)
    path = f"{checkout.root / 'src'}:{checkout.root.parent}"

    status, said = checkout.gate(PYTEST_PLUGINS="evil", PYTHONPATH=path)

    assert status == 2, said
    assert reason in said


@pytest.mark.parametrize("name", ["sitecustomize", "evil"])
def test_a_module_that_hides_is_not_go(checkout: Checkout, name: str) -> None:
    """It has changed something, and left sys.modules."""
    hides = f"import sys\nsys.modules.pop({name!r}, None)\n"
    later = f"def pytest_collection_finish():\n    import sys\n    sys.modules.pop({name!r})\n"
    (checkout.root.parent / f"{name}.py").write_text(later if name == "evil" else hides)
    path = f"{checkout.root.parent}:{checkout.root / 'src'}"

    status, said = checkout.gate(PYTEST_PLUGINS="evil" if name == "evil" else "", PYTHONPATH=path)

    assert status == 2, said
    assert f"loaded and of no known origin: {name} (" in said


@pytest.mark.parametrize("name", ["sitecustomize", "evil"])
def test_a_module_that_lies_of_its_file_is_not_go(checkout: Checkout, name: str) -> None:
    """It says that it is one of Python's own."""
    (checkout.root.parent / f"{name}.py").write_text("import os\n__file__ = __spec__.origin = os.__file__\n")
    path = f"{checkout.root.parent}:{checkout.root / 'src'}"

    status, said = checkout.gate(PYTEST_PLUGINS="evil" if name == "evil" else "", PYTHONPATH=path)

    assert status == 2, said
    assert f"loaded and of no known origin: {name} (" in said


def test_a_compiled_check_of_another_source_is_not_go(checkout: Checkout) -> None:
    """Pytest takes it for one of the committed text, whose hash it has."""
    assert checkout.gate(PYTHONDONTWRITEBYTECODE="")[0] == 0
    (compiled,) = checkout.root.glob("tests_staging/__pycache__/test_version*.pyc")
    head = compiled.read_bytes()[:16]
    text = CHECK.format(name="version").replace(
        "def test_version(observe):", "def test_version(observe):\n    1"
    )
    code = compile(text, str(compiled), "exec")
    compiled.write_bytes(head + marshal.dumps(code))

    status, said = checkout.gate()

    assert status == 2, said
    assert f"{compiled.resolve()}: says something else than the source" in said


@pytest.mark.parametrize(
    "words",
    [
        ["--noconftest"],
        ["--confcutdir=tests_staging"],
        ["-W", "ignore"],
        ["-o", "filterwarnings=ignore"],
        ["--pdb"],
        ["-d", "--tx=popen//env:PGHOSTADDR=127.0.0.1"],
        ["-d", "--tx=2*popen//nice=1"],
    ],
    ids=" ".join,
)
def test_other_settings_than_the_commits_are_not_go(checkout: Checkout, words: list[str]) -> None:
    """By options; PYTEST_ADDOPTS gives the same ones."""
    status, said = checkout.gate(PYTEST_ADDOPTS=" ".join(words))

    assert status == 2, said
    assert "pytest was told otherwise than pyproject.toml says: " in said


def test_a_conftest_that_puts_itself_back_is_not_go(checkout: Checkout) -> None:
    """Before anything was looked at."""
    path = checkout.root / "conftest.py"
    path.write_text("# committed\n")
    checkout.commit()
    path.write_text(f"import pathlib\npathlib.Path({str(path)!r}).write_text('# committed\\n')\n")

    status, said = checkout.gate()

    assert status == 2, said
    assert "written while the gate ran: conftest.py" in said


def test_a_worker_that_judges_elsewhere_is_not_go(checkout: Checkout) -> None:
    """It starts as a worker of this checkout, and goes to another."""
    other = checkout.root.parent / "other"
    shutil.copytree(checkout.root, other, symlinks=True)
    python = checkout.root.parent / "python"
    python.write_text(f'#!/bin/sh\ncd {other}\nexec {PYTHON} "$@"\n')
    python.chmod(0o755)

    status, said = checkout.gate("-d", "--tx", f"popen//python={python}")

    assert status == 2, said
    assert f"a worker of xdist has another root: {other.resolve()}, not " in said
