"""pytest as a program: what a run says reaches whoever called it, and nothing is made up where it died."""

from pathlib import Path

import pytest

from noxgate.run.pytest_program import SAID, run_pytest

ROOT = Path(__file__).parents[3]
SAYS = "from pathlib import Path\nfrom noxgate.run.pytest_program import say\n"


@pytest.mark.parametrize(
    ("code", "verdict", "folder"),
    [
        (f"{SAYS}say('NO-GO', Path('/a folder/run~2'))", "NO-GO", Path("/a folder/run~2")),
        (f"{SAYS}say('INCONCLUSIVE', None)", "INCONCLUSIVE", None),
        ("import os; os._exit(0)", "", None),
    ],
)
def test_what_it_said(code: str, verdict: str, folder: Path | None, tmp_path: Path) -> None:
    """And nothing, where it ended itself before."""
    (tmp_path / "conftest.py").write_text(code)

    ended = run_pytest(tmp_path, ["-p", "no:cacheprovider", "-q"], kept=True)

    assert (ended.verdict, ended.folder) == (verdict, folder)


def test_what_it_prints_is_kept_and_asserts_are_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    monkeypatch.setenv(SAID, "/nobody/listens")
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert False, 'as it must be'\n")

    ended = run_pytest(tmp_path, ["-p", "no:cacheprovider", "-q"], kept=True)

    assert ended.status == pytest.ExitCode.TESTS_FAILED
    assert "as it must be" in ended.output
    assert (ended.verdict, ended.folder) == ("", None)


def test_one_place_runs_pytest() -> None:
    """Who runs it otherwise forgets what this one knows of environment and verdict."""
    callers = [path for path in (ROOT / "src").rglob("*.py") if '"-m", "pytest"' in path.read_text()]

    assert [path.stem for path in callers] == ["pytest_program"]
