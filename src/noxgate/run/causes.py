"""One cause for many lines: an address that does not answer, or a server that is another than the API.

It is said once, beside the lines; what became of each is its own.
"""

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from noxgate.look.observation import cut, few
from noxgate.run.verdict import WAS_NOT_RUN, LineResult, Outcome

T = TypeVar("T")
MANY = 5  # lines that have to say alike
WIDTH = 80
SHOWN = 4  # lines that were not run; a narrowed run leaves out dozens
_PATH = re.compile(r"(https?://[^/\s]+)/[^\s:]*")  # of the same host
_ANSWER = re.compile(r"\bHTTP (\d{3})\b(?: in \d+ ms)?(?:: (\S+))?")
_DOCUMENT = tuple('{["#')  # how an answer of an API begins: JSON, or Prometheus' text
_HEADER = re.compile(r"[\w-]+:")  # shown in place of the body
_AT = re.compile(
    r"^(?:(?P<scheme>\w+)://)?(?P<host>[\w.-]+|\[[\da-fA-F:]+\])(?::(?P<port>\d+))?"
    r"(?:/\S*)?(?: at \S+)?: (?P<why>.+)"
)
_PORTS = {"https": "443", "wss": "443", "http": "80", "ws": "80"}
_NO_NAME = re.compile(r"name or service not known|no address associated|temporary failure in name resolution")
_WAITED = re.compile(r"timed out|not tried again|no answer\b")
_CERTIFICATE = re.compile(r".*\bcertificate\b")
# Of one host these are one: at one connection it is a reset, at the next the end of a stream.
_NO_CONNECTION = re.compile(
    rf"{_NO_NAME.pattern}|{_WAITED.pattern}|connection (?:refused|reset|aborted|closed)|broken pipe"
    r"|no route\b|(?:network|host) is unreachable|all connection attempts failed|server disconnected"
    r"|peer closed|RemoteProtocolError|ReadError|EOF occurred|wrong version number|record layer failure"
    r"|(?:ssl|tls)v\d\S* (?:alert )?\w+"
)
_MEANS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "something asks for a sign-in before the API is reached",
    HTTPStatus.FORBIDDEN: "something refuses the gate before the API is reached",
    HTTPStatus.BAD_GATEWAY: "no pod answers behind the ingress",
    HTTPStatus.SERVICE_UNAVAILABLE: "no pod answers behind the ingress",
    HTTPStatus.GATEWAY_TIMEOUT: "no pod answers behind the ingress",
}
_OTHER = "probably not the API: look at base_url, its host and the path in it"


@dataclass(frozen=True)
class Told:
    """What a line came to, and all that its checks saw."""

    id: str
    outcome: str
    reason: str
    seen: Sequence[str]


@dataclass(frozen=True)
class Shared:
    """What several lines have in common, in one line."""

    said: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.ids)} lines have one cause: {self.said}"


def of_results(lines: Sequence[LineResult], base_url: str) -> list[Shared]:
    """Of a run."""
    return shared(
        [
            Told(
                one.line.id,
                str(one.outcome),
                one.reason,
                [look.seen for check in one.checks for look in check.observations],
            )
            for one in lines
        ],
        base_url,
    )


def shared(lines: Sequence[Told], base_url: str) -> list[Shared]:
    """The causes that many lines have, the one of most lines first."""
    found = [*_another_server(lines, base_url), *_away(lines)]
    return sorted(found, key=lambda each: -len(each.ids))


def _answers(seen: str) -> list[tuple[int, str]]:
    """The HTTP answers that a text tells of: the status, and how the body begins; "" if it is not shown."""
    return [
        (int(status), "" if _HEADER.fullmatch(begins) else begins[:1])
        for status, begins in _ANSWER.findall(seen)
    ]


def another_server(answers: Sequence[tuple[int, str]], base_url: str) -> str:
    """What is said of a server of whose answers none was a document: errors alone, or pages for a browser.

    Empty where it may be the API.
    """
    if not answers or any(_may_be_api(status, begins) for status, begins in answers):
        return ""
    ((status, _),) = Counter(status for status, _ in answers).most_common(1)
    what = f"HTTP {status}" if status >= HTTPStatus.BAD_REQUEST else f"HTTP {status} and no document"
    return f"{base_url} answers {what} wherever it is asked: {_MEANS.get(status, _OTHER)}"


def _may_be_api(status: int, begins: str) -> bool:
    """A success that is not a page."""
    return status < HTTPStatus.MULTIPLE_CHOICES and begins != "<"


def _another_server(lines: Sequence[Told], base_url: str) -> list[Shared]:
    """Of the lines that failed, those of the status that most of them saw.

    Lines that saw bodies decide it. It then holds of those, too, that saw a status or a header alone.
    """
    failed: dict[str, list[tuple[int, str]]] = {}
    without_body: dict[str, list[tuple[int, str]]] = {}  # whose message shows no body, so it may be the API
    for line in lines:
        answers = [answer for seen in line.seen for answer in _answers(seen)]
        if any(status < HTTPStatus.MULTIPLE_CHOICES and begins in _DOCUMENT for status, begins in answers):
            return []
        if line.outcome != Outcome.FAILED or not answers:
            continue
        may_be_api = [begins for status, begins in answers if _may_be_api(status, begins)]
        if not may_be_api:
            failed[line.id] = answers
        elif not any(may_be_api):
            without_body[line.id] = answers
    everything = [answer for answers in failed.values() for answer in answers]
    if len(failed) < MANY:
        return []
    ((status, _),) = Counter(status for status, _ in everything).most_common(1)
    if sum(status in dict(answers) for answers in failed.values()) < MANY:
        return []
    alike = {id_ for id_, answers in (failed | without_body).items() if status in dict(answers)}
    ids = tuple(line.id for line in lines if line.id in alike)
    return [Shared(another_server(everything, base_url), ids)]


def _away(lines: Sequence[Told]) -> Iterator[Shared]:
    """By host: no connection comes about, a certificate is not believed, or one more reason of many lines."""
    alike: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for line in lines:
        found = _AT.match(line.reason)
        if found is not None and (key := _key(line, found)):
            alike.setdefault(key, []).append((line.id, *_shown(found)))
    for told in alike.values():
        if len(told) < MANY:
            continue
        ((why, _),) = Counter(why for *_, why in told).most_common(1)
        host = next(host for _, host, each in told if each == why)
        yield Shared(f"{host}: {why}", tuple(id_ for id_, *_ in told))


def _key(line: Told, found: re.Match[str]) -> tuple[str, str] | None:
    """The place and the kind of why, of which all lines have one cause; None if a line has its own."""
    host, why = found["host"], found["why"]
    cut = _NO_CONNECTION.match(why)
    if line.outcome == Outcome.FAILED and not (cut or _CERTIFICATE.match(why)):
        return None
    if line.outcome not in {Outcome.FAILED, Outcome.UNREACHABLE} or why.startswith("expected "):
        return None
    if _NO_NAME.match(why):
        return host, "name"
    port = found["port"] or _PORTS.get(found["scheme"] or "")
    if port is None:
        return (host, why) if cut else None
    return f"{host}:{port}", "" if cut else why


def _shown(found: re.Match[str]) -> tuple[str, str]:
    """The host as it was named, and why."""
    host = f"{found['host']}:{found['port']}" if found["port"] else found["host"]
    return host, "no answer in time" if _WAITED.match(found["why"]) else found["why"]


def next_of(causes: Sequence[Shared], first: str, target: str) -> str:
    """What to do if the first line that failed has a cause in common; empty if it has its own."""
    said = next((cause.said for cause in causes if first in cause.ids), "")
    return said and f"{said}, then: noxgate doctor --target {shlex.quote(target)}"


def next_of_all(causes: Sequence[Shared], target: str) -> str:
    """What to do if no line failed: about the cause of most lines; empty without one."""
    return next_of(causes, causes[0].ids[0], target) if causes else ""


def rows_of(causes: Sequence[Shared]) -> Iterator[str]:
    """A cause that many lines have, with the ids of all of them."""
    for cause in causes:
        yield from textwrap.wrap(str(cause), WIDTH, subsequent_indent=" " * 12, break_on_hyphens=False)
        yield from (
            f"{'':<12}{row}"
            for row in textwrap.wrap(", ".join(cause.ids), WIDTH - 12, break_on_hyphens=False)
        )


def rows_of_not_run(results: Sequence[LineResult]) -> Iterator[str]:
    """Those with a reason by it; of those that were left out, how many."""
    yield from by_cause([one for one in results if one.reason != WAS_NOT_RUN])
    ids = [result.line.id for result in results if result.reason == WAS_NOT_RUN]
    if ids:
        yield f"not run: {_few(ids)}"


def by_cause(results: Sequence[LineResult]) -> Iterator[str]:
    """A row for each line; where several say alike of one host, one row, their number and the first ids."""
    for cause, alike in grouped((result, result.reason) for result in results):
        if not alike[1:]:
            yield row_of(alike[0].outcome, alike[0], cause)
            continue
        yield f"{alike[0].outcome:<12}{cut(cause, 160)}: {len(alike)} lines"
        ids = [each.line.id for each in alike]
        yield f"{'':<12}{_few(ids)}"


def grouped(told: Iterable[tuple[T, str]]) -> list[tuple[str, list[T]]]:
    """Each reason with those that have it, in order; of one host it is one reason, without the path."""
    causes: dict[str, list[tuple[T, str]]] = {}
    for each, reason in told:
        causes.setdefault(_PATH.sub(r"\1", reason), []).append((each, reason))
    return [
        (alike[0][1] if len({reason for _, reason in alike}) == 1 else cause, [each for each, _ in alike])
        for cause, alike in causes.items()
    ]


def _few(ids: Sequence[str]) -> str:
    """The first of them, and where all are."""
    return ", ".join(few(ids, SHOWN, "results.json names them"))


def row_of(word: str, result: LineResult, text: str) -> str:
    head = f"{word:<12}{result.line.id:<38} "
    return head + cut(text, 200 - len(head))
