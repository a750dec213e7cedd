"""One cause for many lines: said where it is one, and never of lines that fail each for its own reason."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.commands import noxgate

from noxgate.look.observation import cut, few, without_middle
from noxgate.project.runbook import read_runbook
from noxgate.run.causes import MANY, SHOWN, Told, by_cause, rows_of_not_run, shared
from noxgate.run.verdict import WAS_NOT_RUN, LineResult, Outcome

if TYPE_CHECKING:
    from tests_self.conftest import Project

ROOT = Path(__file__).parents[3]
URL = "https://own.example"
PAGE = "<!doctype html><title>404</title>"


def failed(*seen: str, count: int = MANY, reason: str = "expected none, saw …") -> list[Told]:
    return [Told(f"staging.line-{number}", "failed", reason, seen) for number in range(count)]


def unreachable(reason: str, count: int = MANY) -> list[Told]:
    return [
        Told(f"staging.line-{number}", "unreachable", reason.replace("N", str(number)), [])
        for number in range(count)
    ]


def passed(seen: str) -> Told:
    return Told("staging.version", "passed", "", [seen])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (failed(f"HTTP 404 in 46 ms: {PAGE}"), "answers HTTP 404 wherever it is asked: probably not the API"),
        (failed(f"8 samples in 0.2 s: 8 times HTTP 404: {PAGE}"), "answers HTTP 404 wherever"),
        (failed("HTTP 404 in 62 ms: x-frame-options: (absent)"), "answers HTTP 404 wherever"),
        (failed(f"HTTP 200 in 3 ms: {PAGE}"), "answers HTTP 200 and no document wherever it is asked"),
        (failed('HTTP 404 in 3 ms: {"detail":"Not Found"}'), "answers HTTP 404 wherever"),
        (failed("HTTP 503 in 3 ms: <html>"), "no pod answers behind the ingress"),
        (failed("HTTP 401 in 3 ms: <html>"), "asks for a sign-in before the API is reached"),
        (unreachable("https://own.example/path-N: connection refused"), "own.example: connection refused"),
        (
            unreachable("own.example:443 at 192.0.2.N: connection refused"),
            "own.example:443: connection refused",
        ),
        (unreachable("own.example:443: not tried again: it kept …"), "own.example:443: no answer in time"),
        (
            unreachable("https://own.example/N: certificate verify failed: self-signed certificate"),
            "own.example: certificate verify failed: self-signed certificate",
        ),
        (
            unreachable("https://own.example:8443/N: connection reset by peer"),
            "own.example:8443: connection reset by peer",
        ),
        (
            unreachable("own.example:443: wrong version number (what answers there is not TLS)"),
            "own.example:443: wrong version number (what answers there is not TLS)",
        ),
        (
            unreachable("https://own.example/N: EOF occurred in violation of protocol (closed before …)"),
            "own.example: EOF occurred in violation of protocol (closed before …)",
        ),
        (unreachable("https://own.example/N: server disconnected without …"), "own.example: server discon"),
        (unreachable("https://own.example/N: what nobody has met"), "own.example: what nobody has met"),
        (unreachable("http://[2001:db8::1]:80/N: no route to host"), "[2001:db8::1]:80: no route to host"),
    ],
)
def test_one_cause(lines: list[Told], said: str) -> None:
    (found,) = shared(lines, URL)

    assert said in str(found)
    assert str(found).startswith(f"{MANY} lines have one cause: ")
    assert found.ids == tuple(line.id for line in lines)


@pytest.mark.parametrize(
    "reasons",
    [
        pytest.param(
            [
                "https://own.example/health: connection reset by peer",
                "https://own.example/version: connection reset by peer",
                "own.example:443 at 192.0.2.1: connection reset by peer",
                "wss://own.example/ws: EOF occurred in violation of protocol",
                "https://own.example: not tried again: it kept earlier looks waiting",
                "https://own.example/ready at 192.0.2.1: server disconnected without sending a response.",
            ],
            id="a reset, also met as the end of a stream",
        ),
        pytest.param(
            [
                "https://own.example/health: connection reset by peer",
                "https://own.example:443/a: broken pipe",
                "own.example:443: connection reset by peer",
                "own.example:443: tlsv1 alert internal error",
                "own.example:443: no answer to a TLS greeting",
            ],
            id="an alert, a pipe",
        ),
    ],
)
def test_one_host_is_one_cause(reasons: list[str]) -> None:
    """What most lines say is said of it; a port of its own is another place."""
    lines = [
        *(Told(f"staging.line-{number}", "unreachable", one, []) for number, one in enumerate(reasons)),
        Told("staging.redirect", "unreachable", "http://own.example/health: connection refused", []),
    ]

    (found,) = shared(lines, URL)

    assert found.said == "own.example: connection reset by peer"
    assert found.ids == tuple(line.id for line in lines[:-1])


def test_a_name_that_is_not_known_is_one_cause_at_each_port() -> None:
    lines = [
        *unreachable("https://own.example/N: name or service not known", MANY - 1),
        Told("staging.redirect", "unreachable", "http://own.example/: name or service not known", []),
        Told("staging.tls", "unreachable", "own.example: name or service not known", []),
    ]

    (found,) = shared(lines, URL)

    assert str(found) == f"{MANY + 1} lines have one cause: own.example: name or service not known"


def test_headers_and_statuses_follow_the_bodies() -> None:
    """Five lines saw a page; what others saw of the same server is of the same cause."""
    lines = [
        *failed(f"HTTP 200 in 3 ms: {PAGE}"),
        Told("staging.header", "failed", "…", ["HTTP 200 in 1 ms: x-frame-options: (absent)"]),
        Told("staging.websocket", "failed", "…", ["upgrade HTTP 200, received None, close code None"]),
        Told("staging.text", "failed", "…", ["HTTP 200 in 1 ms: healthy"]),
        Told("staging.other", "failed", "3 of 7 tables", ["3 of 7 tables"]),
    ]

    (found,) = shared(lines, URL)

    assert found.ids == (
        *(f"staging.line-{number}" for number in range(MANY)),
        "staging.header",
        "staging.websocket",
    )


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="none"),
        pytest.param(failed(f"HTTP 404 in 1 ms: {PAGE}", count=MANY - 1), id="few"),
        pytest.param(
            [*failed(f"HTTP 404 in 1 ms: {PAGE}"), passed('HTTP 200 in 1 ms: {"version":"8.0.0"}')],
            id="an API that lost some paths",
        ),
        pytest.param(
            failed(
                "HTTP 200 in 1 ms: x-frame-options: (absent)", "HTTP 404 in 1 ms: x-frame-options: (absent)"
            ),
            id="headers alone, of a page that is there and one that is not",
        ),
        pytest.param(failed("3 of 7 tables"), id="no answers at all"),
        pytest.param(
            [Told(f"line-{number}", "passed", "", [f"HTTP 404 in 1 ms: {PAGE}"]) for number in range(9)],
            id="what was to be refused",
        ),
        pytest.param(unreachable("https://hostN.example/: connection refused"), id="as many hosts"),
        pytest.param(
            [Told(f"line-{n}", "failed", "https://own.example/: 3 days left", []) for n in range(9)],
            id="looked at, each for itself",
        ),
        pytest.param(
            unreachable("https://own.example/N: expected an answer of Grafana, saw HTTP 404"), id="answered"
        ),
        pytest.param(unreachable("Sentry: N environments"), id="no host"),
        pytest.param(unreachable("https://own.example:844N/: connection reset by peer"), id="as many ports"),
        pytest.param(unreachable("T_TOKEN is not set (own.toml): export T_TOKEN=…"), id="no address"),
    ],
)
def test_no_cause(lines: list[Told]) -> None:
    assert shared(lines, URL) == []


@pytest.mark.parametrize("command", ["pytest", "gate"])
def test_the_next_step_is_about_what_many_have(command: str, project: "Project") -> None:
    """Not about the first of them, whose own step would be to redeploy."""
    body = f"observe(Observation('HTTP 404 in 3 ms: {PAGE}', 'curl it'))\nassert False"
    for name in ("version", "health", *(f"other_{number}" for number in range(MANY - 2))):
        project.check(name, body, looks=False)

    said = next_said(command, project)

    assert said.startswith("https://localhost:9 answers HTTP 404 wherever it is asked: probably not the API")
    assert said.endswith("then: noxgate doctor --target staging")


@pytest.mark.parametrize("command", ["pytest", "gate"])
def test_the_next_step_of_a_line_of_its_own(command: str, project: "Project") -> None:
    """Though others have theirs in common."""
    project.check("version", "assert False")
    for number in range(MANY):
        project.check(
            f"other_{number}", "raise UnreachableError('https://own.example/a: connection refused')"
        )

    said = next_said(command, project)

    assert said == "staging.version: Redeploy 8.0.0, then: pytest -m staging --target staging"


def next_said(command: str, project: "Project") -> str:
    """After the last `Next` of a run."""
    if command == "gate":
        rows = noxgate(project.path, "gate", "--phase", "staging", "--target", "staging").stdout.splitlines()
    else:
        rows = project.gate().outlines
    return next(row.removeprefix("Next").strip() for row in reversed(rows) if row.startswith("Next "))


@pytest.mark.parametrize(
    ("text", "said"),
    [("12345", "12345"), ("1 \n 2", "1 2"), ("123456", "1234…"), ("1234 6", "1234…")],
)
def test_a_row_that_is_cut_says_so(text: str, said: str) -> None:
    assert cut(text, 5) == said


def test_a_list_that_is_cut_says_where_all_of_it_is() -> None:
    assert few(["a", "b"], 2, "a file names them") == ["a", "b"]
    assert few(["a", "b", "c", "d"], 2, "a file names them") == ["a", "b", "… and 2 more: a file names them"]


def test_a_long_reason_keeps_its_end() -> None:
    """There stands what to do."""
    assert without_middle("12345678", 8, "a file has it") == "12345678"
    assert (
        without_middle("1234567890", 8, "a file has it") == "123456… (2 more characters: a file has it) …90"
    )


@pytest.mark.parametrize("more", [0, 1])
def test_where_the_other_lines_are_named(more: int) -> None:
    """Beside the first ones, where there are others."""
    lines = list(read_runbook(ROOT / "runbook.toml").lines.values())[: SHOWN + more]
    results = [LineResult(line, Outcome.UNREACHABLE, "own.example: away", ()) for line in lines]
    ids = ", ".join(line.id for line in lines[:SHOWN])
    rest = f", … and {more} more: results.json names them" if more else ""

    head, row = by_cause(results)
    (not_run,) = rows_of_not_run(
        [replace(one, outcome=Outcome.NOT_RUN, reason=WAS_NOT_RUN) for one in results]
    )

    assert head.endswith(f"own.example: away: {len(lines)} lines")
    assert row.strip() == ids + rest
    assert not_run == f"not run: {ids}{rest}"
