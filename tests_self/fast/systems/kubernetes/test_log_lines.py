"""Which lines of a log are errors, what may be allowed, and what no report may show of them."""

import json
from pathlib import Path

import pytest

from nox_service.access.tokens import MARK
from noxgate.systems.kubernetes import pod_logs
from noxgate.systems.kubernetes.log_lines import allow_list, is_grave, unexpected_events

GRAVE = [
    '{"level": "error", "message": "no connection"}',
    '{"severity": "CRITICAL", "msg": "x"}',
    '{"log": {"level": "fatal"}, "message": "x"}',
    '{"log.level": "ERROR"}',
    '{"level": 50, "msg": "pino"}',
    '{"msg": "an error without a level"}',
    "2026-01-01 12:00:00 CRITICAL nox: out of space",
    "[error] upstream timed out",
    "Fatal: cannot bind",
    "E0115 10:00:00.000000 1 reflector.go:138] failed to list",
    "Traceback (most recent call last):",
    "0 errors, then one error",
    '{"level": "error"',
]


def test_what_the_gate_itself_caused_is_left_out() -> None:
    """By its mark alone: the line of anybody else's bad token counts, and so does one cut before it."""
    lines = [
        '{"level": "error", "message": "token refused: expired, asked by noxgate-bad-token"}',
        '2026-01-01 12:00:00 ERROR 401 GET /api/user/profile "noxgate-bad-token"',
        '{"level": "error", "message": "token refused: expired, asked by curl/8.5.0"}',
        '{"level": "error", "message": "token refused: expired, asked by noxgate"}',
    ]

    assert unexpected_events(lines, [], MARK) == lines[2:]
    assert unexpected_events(lines, []) == lines


HARMLESS = [
    '{"level": "info", "message": "0 errors"}',
    '{"level": "info", "message": "error budget: CRITICAL below 5"}',
    '{"level": "warning", "message": "slow"}',
    '{"level": 30, "msg": "pino"}',
    "0 errors",
    "finished without error",
    "no error",
    "error: null, result: 3",
    "error=0 total=3",
    'GET /errors HTTP/1.1" 200',
    "terror and errorless",
    "I0115 10:00:00.000000 1 main.go:1] started",
    "",
]


@pytest.mark.parametrize("line", GRAVE)
def test_is_grave(line: str) -> None:
    """By level where there is one, by a whole word else."""
    assert is_grave(line)


@pytest.mark.parametrize("line", HARMLESS)
def test_is_harmless(line: str) -> None:
    """A word inside another, or one that says that there was no error."""
    assert not is_grave(line)


def test_error_count_of_more_than_none() -> None:
    """error=0 counts no error; error=03 and error=0.5 do."""
    assert is_grave("error=7")
    assert is_grave("error: 0.5 of them")


def allowed(tmp_path: Path, text: str) -> Path:
    """An allow list."""
    path = tmp_path / "allowed.toml"
    path.write_text(text)
    return path


def test_allow_list(tmp_path: Path) -> None:
    """What it names is allowed, and nothing else."""
    path = allowed(tmp_path, "[[allowed]]\npattern = 'known [0-9]+'\nreason = 'NOX-1'\n")

    found = unexpected_events(["ERROR known 42", "ERROR unknown", "fine"], allow_list(path))

    assert found == ["ERROR unknown"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[allowed]]\npattern = 'x'\n", "saw entry 1 with pattern"),
        ("[[allowed]]\npattern = 'x'\nreason = ' '\n", "saw entry 1"),
        ("[[allowed]]\npattern = '.*'\nreason = 'x'\n", "fits every line"),
        ("[[allowed]]\npattern = '('\nreason = 'x'\n", "entry 1"),
        ("[[allow]]\npattern = 'x'\nreason = 'x'\n", "saw allow"),
        ("no toml", "expected [[allowed]]"),
    ],
)
def test_allow_list_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    """No line is allowed by mistake, or without a reason."""
    with pytest.raises(AssertionError) as raised:
        allow_list(allowed(tmp_path, text))

    assert message in str(raised.value)


def test_nothing_is_shown_that_could_be_a_secret() -> None:
    """Tokens, passwords in URLs and fields, addresses of people."""
    signed = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    line = json.dumps(
        {
            "level": "error",
            "a": f"Authorization: Bearer {signed}",
            "b": "postgresql://nox:hunter2@db:5432/nox",
            "c": "password=hunter3&x=1",
            "api_key": "hunter4",
            "d": "someone@nox.example signed in",
        }
    )

    (shown,) = unexpected_events([line], [])

    for secret in (signed, "hunter2", "hunter3", "hunter4", "someone@nox.example"):
        assert secret not in shown
    assert "postgresql://nox:***@db:5432/nox" in shown


@pytest.mark.parametrize(
    ("last", "since", "found"),
    [
        ("a b c", "c d", "a b c d"),
        ("b c", "a b c d", "a b c d"),
        ("a b c", "", "a b c"),
        ("", "a b", "a b"),
        ("a b", "c d", "a b c d"),
        ("a b old c", "b c d", "a b old c d"),
        ("a b old", "b", "a b old"),
        ("a a b", "a b", "a a b"),
    ],
)
def test_each_line_once(last: str, since: str, found: str) -> None:
    """One whose clock had gone back is among the last, and not among those since a moment."""
    together = pod_logs.together(last.split(), since.split())

    assert sorted(together) == sorted(found.split())
    assert [line for line in together if line != "old"] == [line for line in found.split() if line != "old"]
