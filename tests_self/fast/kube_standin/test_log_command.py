"""`noxgate logs`: the rules of docs/LOGS.md, tried on a log that somebody has."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from noxgate.cli.main import main

ROOT = Path(__file__).parents[3]
INFO = "INFO:     Started server process [1]\n"
ERROR = "2026-12-01 10:00:01,123 ERROR nox.api cannot read postgresql://nox:hunter2hunter2@db/nox\n"
CRASH = (
    "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nKeyError: 'boiling_point'\n"
)
SERVED = '10.0.0.1 - - [01/Dec/2026:10:00:00 +0000] "GET /x HTTP/1.1" 500 12\n'
LIST = "[[allowed]]\npattern = 'cannot read'\nreason = 'NOX-42: harmless'\n"
TWO = '{"level":"info","msg":"in"}{"level":"info","msg":"one line"}\n'
Said = pytest.CaptureFixture[str]


def ask(monkeypatch: pytest.MonkeyPatch, text: str, *words: str) -> int:
    """The command's exit status, with a log on its standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    monkeypatch.chdir(ROOT)
    return main(["logs", *words])


@pytest.mark.parametrize(
    ("log", "status", "rows"),
    [
        (
            INFO,
            0,
            ["     1  less than a warning   1: INFO: Started", "would pass: none of 1 event"],
        ),
        (INFO + ERROR, 1, ["     1  error, by its level   2: 2026", "would fail: 1 of 2 events is an error"]),
        (TWO + ERROR + INFO, 1, ["     1  error, by its level   2: 2026", "1 of 4 events"]),
        (CRASH + INFO, 1, ["     1  error, by its text    1: Traceback", "(3 lines)", "1 of 2 events"]),
        (INFO + SERVED, 1, ["     1  error, by its text    2: 10.0.0.1", "1 of 2 events"]),
        ("hello\nthere\n", 0, ["     2  no level              1: hello", "none of 2 events"]),
        ("WARN  slow\nWARN  slow\n", 0, ["     2  warning               1: WARN slow", "none of 2"]),
        ("", 2, ["no line: the check would be red"]),
    ],
)
def test_what_is_read_as_what(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, log: str, status: int, rows: list[str]
) -> None:
    assert ask(monkeypatch, log) == status
    said = capsys.readouterr().out
    assert [row for row in rows if row not in said] == []
    assert "hunter2" not in said


def test_what_kubectl_writes_before_a_line_is_none_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    """Two pods in turns: a traceback is whole all the same, and counts once."""
    stamp = "2026-12-01T10:00:00.000000001Z "
    turns = [f"[pod/a/nox] {stamp}{line}\n[pod/b/nox] {stamp}INFO fine\n" for line in CRASH.splitlines()]

    assert ask(monkeypatch, "".join(turns)) == 1
    said = capsys.readouterr().out
    assert "     1  error, by its text    1: Traceback" in said
    assert "     3  less than a warning   2: INFO fine" in said
    assert "1 of 4 events is an error" in said


def test_a_known_event_is_counted_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, tmp_path: Path
) -> None:
    """By a list that is named, or by the profile's own."""
    (tmp_path / "known.toml").write_text(LIST)
    (tmp_path / "own.toml").write_text(
        'serves = ["live"]\nbase_url = "https://own.example"\nnamespace = "own"\n'
        'log_allow_list = "known.toml"\n[credentials]\n[oauth]\n'
    )

    assert ask(monkeypatch, ERROR, "--known", str(tmp_path / "known.toml")) == 0
    assert ask(monkeypatch, ERROR, "--target", str(tmp_path / "own.toml")) == 0
    assert capsys.readouterr().out.count("     1  known ") == 2
    assert ask(monkeypatch, ERROR + SERVED, "--target", str(tmp_path / "own.toml")) == 1


def test_every_event_is_shown_where_asked(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    many = "".join(f"ERROR of number {number}\n" for number in range(30))

    assert ask(monkeypatch, INFO + many) == 1
    assert "and 10 more: --all shows every event" in capsys.readouterr().out
    assert ask(monkeypatch, INFO + many, "--all") == 1
    said = capsys.readouterr().out
    assert "    31  error, by its level   ERROR of number 29" in said
    assert "     1  less than a warning   INFO: Started" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such.log"], "no-such.log: expected a log, saw: No such file"),
        (["--known", "pyproject.toml"], "expected [[allowed]] tables"),
        (["--target", "nobody"], "no target 'nobody'"),
    ],
)
def test_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: Said, words: list[str], said: str) -> None:
    assert ask(monkeypatch, ERROR, *words) == 4
    assert said in capsys.readouterr().err


def test_as_people_type_it() -> None:
    command = [sys.executable, "-m", "noxgate.cli", "logs"]
    done = subprocess.run(command, cwd=ROOT, input=ERROR, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "")
    assert "the check would fail" in done.stdout
