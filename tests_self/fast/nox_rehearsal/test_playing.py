"""What is printed while a day is played: little where all is well, and all that helps where it is not."""

from pathlib import Path

import pytest

from nox_rehearsal.day.clock import Clock
from nox_rehearsal.day.playing import Played, block
from noxgate.errors import Exit

SAID = """\
F....
=================================== FAILURES ===================================
E   AssertionError: a long story
=============================== release verdict ================================
failed      staging.ready      HTTP 503
NO-GO (rehearsal)  staging, release 8.0.0 on rehearsal: 1 failed, 63 passed
=========================== short test summary info ============================
FAILED tests_staging/test_health.py::test_ready_answers_200
"""


def test_the_verdict_and_its_reasons_are_shown() -> None:
    """The traceback is in the report."""
    assert block(SAID).splitlines()[1:] == SAID.splitlines()[4:6]
    alone = SAID.partition("=========================== short")[0]
    end = "========================= 1 failed, 63 passed in 0.46s =========================\n"
    assert block(alone + end).splitlines()[1:] == SAID.splitlines()[4:6]
    assert block("a crash\nand nothing more") == "a crash\nand nothing more"


@pytest.mark.parametrize(
    ("status", "first", "then"),
    [
        (0, "GO (rehearsal)", "--sabotage"),
        (Exit.NO_GO, "NO-GO", "mend"),
        (Exit.INCONCLUSIVE, "INCONCLUSIVE", "mend"),
    ],
)
def test_the_end_says_what_to_open_and_what_is_next(
    status: int, first: str, then: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if the exit status is not that of a verdict."""
    Played(status, tmp_path / "reports" / "page.html").say(tmp_path)

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(first)
    assert lines[2] == "open  reports/page.html"
    assert then in lines[3]
    assert max(map(len, lines)) <= 100


def test_an_unknown_status_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Played(3, None).say(tmp_path)

    assert capsys.readouterr().out.splitlines()[1] == "INCONCLUSIVE (rehearsal)"


def test_a_bar_is_drawn_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next line takes its place."""
    clock = Clock()
    clock.wait("under load", 0.5)
    assert capsys.readouterr().out == ""

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for done in (-1, 0.5, 7):
        clock.wait("under load", done)
    clock.wait("checking")
    clock.say("done")
    drawn = capsys.readouterr().out
    assert [piece.count("=") for piece in drawn.split("\r")] == [0, 0, 15, 30, 0, 0]
    assert drawn.endswith("s] done\n")
