"""The command `noxgate logs`: what the rules of docs/LOGS.md make of a log that somebody has."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import CommandError, ProfileError
from noxgate.look.observation import shortened
from noxgate.project.profile import read_document
from noxgate.systems.kubernetes.log_lines import Allowed, allow_list, allowing, shown
from noxgate.systems.kubernetes.logs.events import Event, apart, events
from noxgate.systems.kubernetes.logs.levels import Weight
from noxgate.systems.kubernetes.logs.pieces import LogLine, lines_of

GO, NO_GO, INCONCLUSIVE = 0, 1, 2
ERRORS = (ProfileError, CommandError)
WIDTH = 80
MOST = 20  # events that are shown, of all errors
# what kubectl writes before a line: --prefix, then --timestamps
_PREFIX = re.compile(r"\[pod/([^/\]\s]+/[^\]\s]+)\] ")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) ")
BY_LEVEL, BY_TEXT, KNOWN, NO_LEVEL = "error, by its level", "error, by its text", "known", "no level"


@dataclass(frozen=True)
class Tried:
    """An event, the number of its first line, and what it is read as."""

    at: int
    event: Event
    reading: str

    def __str__(self) -> str:
        return f"{self.at:>6}  {self.reading:<21} {shortened(shown(self.event.lines))}"


def logs(given: argparse.Namespace) -> int:
    """Read logs and say what the check would; as long as nothing is read, nothing is well."""
    allowed = _allowed(given)
    tried = [each for name in given.files or ["-"] for each in _tried(_lines(name), allowed)]
    sys.stdout.write("\n".join([*_told(tried, every=given.all), ""]))
    if any(each.reading in {BY_LEVEL, BY_TEXT} for each in tried):
        return NO_GO
    return GO if tried else INCONCLUSIVE


def _allowed(given: argparse.Namespace) -> Sequence[Allowed]:
    """The list that is named, or the one that a profile names."""
    file = Path(given.known) if given.known else None
    if given.target is not None and file is None:
        path, document = read_document(given.root(), given.target)
        named = document.get("log_allow_list")
        file = path.parent / Path(named).expanduser() if named else None
    try:
        return allow_list(file)
    except AssertionError as error:
        raise CommandError(str(error)) from None


def _lines(name: str) -> list[LogLine]:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: expected a log, saw: {error.strerror}") from None
    return lines_of(content)


def _tried(lines: Sequence[LogLine], allowed: Sequence[Allowed]) -> Iterator[Tried]:
    """Each event; what several pods wrote in turns is taken apart first, as the check asks each container."""
    by_pod: dict[str, list[tuple[int, str]]] = {}
    for line in lines:
        found = _PREFIX.match(line.text)
        text = line.text[found.end() :] if found else line.text
        pieces = apart(_STAMP.sub("", text, count=1))
        by_pod.setdefault(found[1] if found else "", []).extend((line.at, piece) for piece in pieces)
    found_events = []
    for numbered in by_pod.values():
        first = 0
        for event in events([text for _, text in numbered]):
            at = numbered[min(first, len(numbered) - 1)][0]
            found_events.append(Tried(at, event, _reading(event, allowed)))
            first += len(event.lines)
    yield from sorted(
        (each for each in found_events if any(line.strip() for line in each.event.lines)),
        key=lambda each: each.at,
    )


def _reading(event: Event, allowed: Sequence[Allowed]) -> str:
    if event.is_grave:
        if allowing(event.lines, allowed) is not None:
            return KNOWN
        return BY_LEVEL if event.weight is Weight.GRAVE else BY_TEXT
    return NO_LEVEL if event.weight is None or event.weight is Weight.GRAVE else event.weight.value


def _told(tried: Sequence[Tried], *, every: bool) -> Iterator[str]:
    if not tried:
        yield "no line: the check would be red, since a log without any line says nothing"
        return
    counts = Counter(each.reading for each in tried)
    first: Mapping[str, Tried] = {each.reading: each for each in reversed(tried)}
    yield f"{'events':>6}  {'read as':<21} line of the first, and what it says"
    order = (BY_LEVEL, BY_TEXT, KNOWN, *(each.value for each in Weight), NO_LEVEL)
    for reading in (each for each in order if counts[each]):
        one = first[reading]
        row = f"{counts[reading]:>6}  {reading:<21} {one.at}: {shortened(shown(one.event.lines))}"
        yield row if len(row) <= WIDTH else f"{row[: WIDTH - 1]}…"
    bad = [each for each in tried if each.reading in {BY_LEVEL, BY_TEXT}]
    listed = tried if every else bad[:MOST]
    if listed:
        yield ""
        yield f"{'line':>6}  {'read as':<21} event"
        yield from map(str, listed)
    if len(bad) > MOST and not every:
        yield f"{'':>6}  and {len(bad) - MOST} more: --all shows every event"
    yield ""
    many = f"{len(tried)} event{'s' if tried[1:] else ''}"
    if bad:
        yield f"the check would fail: {len(bad)} of {many} {'is' if len(bad) == 1 else 'are'} an error"
        yield "harmless and known: [[allowed]] pattern and reason in log_allow_list, docs/LOGS.md"
    else:
        yield f"the check would pass: none of {many} is an error"
