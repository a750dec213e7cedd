"""One cause for many lines: an address that does not answer, or a server that is another than the API.

It is said once, beside the lines; what became of each is its own.
"""

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from noxgate.run.verdict import WAS_NOT_RUN, LineResult, Outcome

MANY = 5  # lines that have to say alike
WIDTH = 80
SHOWN = 4  # lines that were not run; a narrowed run leaves out dozens
_PATH = re.compile(r"(https?://[^/\s]+)/[^\s:]*")  # of the same host
_ANSWER = re.compile(r"\bHTTP (\d{3})\b(?: in \d+ ms)?(?:: (.))?")
_DOCUMENT = tuple('{["#')  # how an answer of an API begins: JSON, or Prometheus' text
_AWAY = re.compile(
    r"^(?:\w+://)?(?P<host>[\w.-]+(?::\d+)?|\[[\da-fA-F:]+\](?::\d+)?)(?:/\S*)?(?: at \S+)?: "
    r"(?P<why>connection refused|timed out|no answer in .*|not tried again.*|.*\bcertificate\b.*"
    r"|name or service not known|no route to host|network is unreachable)"
)
_LOST = ("not tried again", "no answer in")  # which say the same of a host that keeps looks waiting
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
    """The HTTP answers that a text tells of: the status, and how the body begins."""
    return [(int(status), begins) for status, begins in _ANSWER.findall(seen)]


def another_server(answers: Sequence[tuple[int, str]], base_url: str) -> str:
    """What is said of a server of whose answers none was a document: errors alone, or pages for a browser.

    Empty where it may be the API.
    """
    if not answers or any(_may_be_ours(status, begins) for status, begins in answers):
        return ""
    ((status, _),) = Counter(status for status, _ in answers).most_common(1)
    what = f"HTTP {status}" if status >= HTTPStatus.BAD_REQUEST else f"HTTP {status} and no document"
    return f"{base_url} answers {what} wherever it is asked: {_MEANS.get(status, _OTHER)}"


def _may_be_ours(status: int, begins: str) -> bool:
    """A success that is not a page."""
    return status < HTTPStatus.MULTIPLE_CHOICES and begins != "<"


def _another_server(lines: Sequence[Told], base_url: str) -> list[Shared]:
    """Of the lines that failed, those of the status that most of them saw."""
    failed: dict[str, list[tuple[int, str]]] = {}
    for line in lines:
        answers = [answer for seen in line.seen for answer in _answers(seen)]
        if any(status < HTTPStatus.MULTIPLE_CHOICES and begins in _DOCUMENT for status, begins in answers):
            return []
        served = any(_may_be_ours(*answer) for answer in answers)
        if line.outcome == Outcome.FAILED and answers and not served:
            failed[line.id] = answers
    if len(failed) < MANY:
        return []
    everything = [answer for answers in failed.values() for answer in answers]
    ((status, _),) = Counter(status for status, _ in everything).most_common(1)
    ids = tuple(id_ for id_, answers in failed.items() if status in {each for each, _ in answers})
    return [Shared(another_server(everything, base_url), ids)] if len(ids) >= MANY else []


def _away(lines: Sequence[Told]) -> list[Shared]:
    """By host: no answer, or a certificate that is not believed."""
    ids: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        found = _AWAY.match(line.reason) if line.outcome in {Outcome.FAILED, Outcome.UNREACHABLE} else None
        if found:
            why = _LOST[1] if found["why"].startswith(_LOST) else found["why"]
            ids.setdefault((found["host"], why), []).append(line.id)
    return [
        Shared(f"{host}: {'no answer in time' if why == _LOST[1] else why}", tuple(found))
        for (host, why), found in ids.items()
        if len(found) >= MANY
    ]


def next_of(causes: Sequence[Shared], first: str, target: str) -> str:
    """What to do if the first line that failed has a cause in common; empty if it has its own."""
    said = next((cause.said for cause in causes if first in cause.ids), "")
    return said and f"{said}, then: noxgate doctor --target {shlex.quote(target)}"


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
    more = f", and {len(ids) - SHOWN} more: results.json names them" if ids[SHOWN:] else ""
    if ids:
        yield f"not run: {', '.join(ids[:SHOWN])}{more}"


def by_cause(results: Sequence[LineResult]) -> Iterator[str]:
    """A row for each line; where several say alike of one host, one row, their number and the first ids."""
    causes: dict[str, list[LineResult]] = {}
    for result in results:
        causes.setdefault(_PATH.sub(r"\1", result.reason), []).append(result)
    for cause, alike in causes.items():
        if not alike[1:]:
            yield row_of(alike[0].outcome, alike[0], alike[0].reason)
            continue
        same = alike[0].reason if len({each.reason for each in alike}) == 1 else cause
        yield f"{alike[0].outcome:<12}{' '.join(same.split())[:160]}: {len(alike)} lines"
        ids = [each.line.id for each in alike]
        yield f"{'':<12}{', '.join(ids[:SHOWN])}{f', and {len(ids) - SHOWN} more' if ids[SHOWN:] else ''}"


def row_of(word: str, result: LineResult, text: str) -> str:
    return f"{word:<12}{result.line.id:<38} {' '.join(text.split())}"[:200]
