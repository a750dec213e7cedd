"""The lines of a log as events: a crash is one with its stack, a message with what is indented below it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from noxgate.systems.kubernetes.logs import access, crashes, documents, plain, statements, words
from noxgate.systems.kubernetes.logs.levels import Weight
from noxgate.systems.kubernetes.logs.settings import without_settings

_MOST = 1000  # lines of one document that is printed over several


@dataclass(frozen=True)
class Event:
    """Lines that say one thing, and whether that is an error; `weight` is the level that it says, if any."""

    lines: tuple[str, ...]
    is_grave: bool
    weight: Weight | None = None


@dataclass(frozen=True)
class _Head:
    """A line, what it says of itself, and where that leaves the lines below it."""

    is_grave: bool
    weight: Weight | None = None
    is_own: bool = False  # it says a level, a moment or an answer: no line of a stack does
    is_document: bool = False


def events(lines: Sequence[str]) -> list[Event]:
    """All lines, in their order, by event."""
    found: list[Event] = []
    group: _Group | None = None
    for line in chain.from_iterable(map(apart, lines)):
        text = plain.bare(line)
        if group is None or not group.takes(text):
            if group is not None:
                found.append(group.event(is_last=False))
            group = _Group(text)
        group.add(line, text)
    if group is not None:
        found.append(group.event(is_last=True))
    return found


def apart(line: str) -> Sequence[str]:
    """What was written one after the other without a new line between: after a return, or by documents."""
    pieces = line.split("\r") if "\r" in line else [line]
    return [each for piece in pieces for each in documents.apart(piece)]


class _Group:
    """One event while its lines come."""

    def __init__(self, first: str) -> None:
        self._head = _head(first)
        self._is_trace = (self._head.is_grave and crashes.begins(first)) or crashes.is_source(first)
        self._is_open = first.rstrip() == "{"
        self._is_block = plain.is_block(first)
        self._is_statement = self._head.weight is Weight.LESS and statements.begins(first)
        self._lines: list[str] = []
        self._texts: list[str] = []
        self._has_trace = False
        self._has_object = False

    def takes(self, text: str) -> bool:
        """Whether a line belongs to what came before it."""
        if self._is_open:
            self._is_open = text.rstrip() != "}" and len(self._texts) < _MOST
            return True
        if not text.strip():
            return True
        if self._is_statement and (text[0].isspace() or statements.goes_on(text)):
            return True
        if text[0].isspace():
            return self._takes_indented(text)
        if self._is_trace or self._has_trace:
            return self._takes_of_a_trace(text)
        return self._takes_its_trace(text)

    def _takes_its_trace(self, text: str) -> bool:
        """An exception right below the line of a logger that has said how grave it is."""
        is_said = self._head.is_grave or self._head.weight is Weight.WARNING
        self._has_trace = (
            is_said and not self._head.is_document and self._is_alone() and crashes.is_trace(text)
        )
        return self._has_trace

    def _takes_indented(self, text: str) -> bool:
        self._has_object = self._has_object or (self._head.is_own and plain.opens_an_object(text))
        if self._has_object:
            return True
        if crashes.is_traceback(text) and not (self._is_block or self._is_trace or self._has_trace):
            return self._takes_its_trace(text)
        if self._is_block or self._is_trace or self._has_trace:
            return not (plain.MOMENT.match(text.lstrip()) and _says(text.lstrip()) is not None)
        return _says(text.lstrip()) is None

    def _takes_of_a_trace(self, text: str) -> bool:
        if crashes.is_traceback(text):
            last = next((each for each in reversed(self._texts) if each.strip()), "")
            return crashes.CHAINED.match(last) is not None or (
                self._is_alone() and not crashes.is_trace(last)
            )
        if self._head.weight is Weight.WARNING and crashes.is_end(text):
            return False
        return not _head(text).is_own or crashes.is_trace(text)

    def _is_alone(self) -> bool:
        """Whether nothing followed the first line yet; Spring Boot leaves one empty before an exception."""
        return not any(text.strip() for text in self._texts[1:])

    def add(self, line: str, text: str) -> None:
        self._lines.append(line)
        self._texts.append(text)

    def event(self, *, is_last: bool) -> Event:
        if len(self._texts) > 1 and self._texts[0].rstrip() == "{":
            try:
                document = json.loads("\n".join(self._texts))
            except (ValueError, RecursionError):
                pass
            else:
                said = _of_document(document, " ".join(self._texts))
                return Event(tuple(self._lines), said.is_grave, said.weight)
        return Event(tuple(self._lines), self._is_grave(is_last=is_last), self._head.weight)

    def _is_grave(self, *, is_last: bool) -> bool:
        if self._head.weight is Weight.WARNING and self._has_trace:
            return is_last  # what a program said last before it ended was not handled
        if self._head.is_own or self._head.is_grave:
            return self._head.is_grave
        return any(_head(text).is_grave for text in self._texts[1:])


def _says(text: str) -> Weight | None:
    return plain.own_level(text)


@lru_cache(maxsize=1 << 14)  # a log is read more than once: its last lines, and all since a moment
def _head(text: str) -> _Head:
    """What a line says for itself."""
    document = documents.document_of(text) if "{" in text else None
    if document is not None and text.lstrip().startswith("{"):
        return _of_document(document, text)
    text = without_settings(text)
    weight = plain.own_level(text)
    answered = access.of_line(text)
    if answered is not None and (weight is None or access.names_a_client(text)):
        return _Head(answered or weight is Weight.GRAVE, weight, is_own=True)
    if weight is not None:
        return _Head(weight is Weight.GRAVE, weight, is_own=True)
    if document is not None and (inner := _of_document(document, text)).weight is not None:
        return inner
    is_own = plain.MOMENT.match(text) is not None
    return _Head(crashes.begins(text) or words.name_an_error(text), is_own=is_own)


def _of_document(document: dict[str, object], text: str) -> _Head:
    weight, message = documents.weight_of(document), documents.said(document)
    answered = access.of_line(message) if message else None
    if weight is Weight.LESS and message and documents.is_of_journald(document):
        weight = _head(message.strip()).weight or weight
    is_grave = weight is Weight.GRAVE
    if answered is None and access.has_a_client(document):
        answered = access.of_document(document)
    if weight is None:
        answered = access.of_document(document) if answered is None else answered
        inner = _head(message.strip()) if message and message.strip() != text.strip() else None
        if answered is None and inner is not None and inner.weight is not None:
            weight, is_grave = inner.weight, inner.is_grave
        elif answered is None and (by_labels := documents.weight_of_labels(document)) is not None:
            weight, is_grave = by_labels, by_labels is Weight.GRAVE
        elif answered is None:
            said = inner.is_grave if inner is not None else words.name_an_error(without_settings(text))
            is_grave = documents.holds_an_error(document) or said
    return _Head(is_grave or bool(answered), weight, is_own=True, is_document=True)


def graves(lines: Sequence[str]) -> Iterator[Event]:
    """The events that report an error."""
    return (event for event in events(lines) if event.is_grave)
