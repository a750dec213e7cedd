"""Logs as a node keeps them: what a service wrote, of lines that were cut, wrapped or packed on the way.

The API server gives a container's own lines; files of the node, and of journald, have them in other forms.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.systems.kubernetes.logs.documents import document_of

Json = Mapping[str, Any]
# The Container Runtime Interface: a moment, a stream, P for a piece and F for the last, and what was written.
_CRI = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (stdout|stderr) ([PF])(?::\S*)? (.*)",
    re.DOTALL,
)
_DOCKER = {"log", "stream", "time", "attrs"}
_PARTIAL = "CONTAINER_PARTIAL_MESSAGE"  # by Docker's driver for journald
_WRITER = ("_PID", "CONTAINER_ID_FULL", "CONTAINER_PARTIAL_ID", "PRIORITY")
_EXPORTED = re.compile(rb"__(?:CURSOR|REALTIME_TIMESTAMP)=[^\n]*\n")
_SIZE = 8  # bytes before a field that is not one line of text


@dataclass(frozen=True)
class LogLine:
    """A line as it was written, and the number of the first line that it has in the file."""

    at: int
    text: str


@dataclass(frozen=True)
class _Piece:
    """A piece of a line; `of` tells from which writer it is."""

    of: tuple[object, ...]
    text: str
    is_last: bool
    record: Json | None = None  # of journald, which is kept around its message


def lines_of(content: bytes) -> list[LogLine]:
    """All lines of a file or a pipe, in the order in which they begin; pieces of one line are one."""
    if _EXPORTED.match(content):
        return list(_joined(_exported(content)))
    text = content.decode("utf-8", "replace").split("\n")
    lines = [line.removesuffix("\r") for line in (text if text[-1] else text[:-1])]
    return list(_joined(enumerate(lines, start=1)))


def _joined(lines: Iterator[tuple[int, str | Json]]) -> Iterator[LogLine]:
    found: list[LogLine] = []
    places: dict[tuple[object, ...], int] = {}  # of lines that are not ended yet
    texts: dict[int, tuple[list[str], Json | None]] = {}
    for at, line in lines:
        piece = _piece(line)
        if piece is None:
            found.append(LogLine(at, str(line)))
            continue
        place = places.pop(piece.of, len(found))
        if place == len(found):
            found.append(LogLine(at, ""))
            texts[place] = ([], piece.record)
        texts[place][0].append(piece.text)
        if not piece.is_last:
            places[piece.of] = place
    for place, (parts, record) in texts.items():
        said = "".join(parts)
        text = said if record is None else json.dumps({**record, "MESSAGE": said}, ensure_ascii=False)
        found[place] = LogLine(found[place].at, text)
    yield from found


def _piece(line: str | Json) -> _Piece | None:
    """What a line is a piece of; None if it is as it was written."""
    if isinstance(line, Mapping):
        return _of_journald(line)
    cri = _CRI.fullmatch(line)
    if cri is not None:
        return _Piece((cri[1],), cri[3], cri[2] == "F")
    document = document_of(line) if line.startswith("{") else None
    if document is None:
        return None
    log = document.get("log")
    if document.keys() <= _DOCKER and {"log", "stream"} <= document.keys() and isinstance(log, str):
        return _Piece((document["stream"],), log.removesuffix("\n"), log.endswith("\n"))
    return _of_journald(document)


def _of_journald(record: Json) -> _Piece | None:
    """A record with its message as text: bytes that are not one line of UTF-8 stand there as numbers."""
    message = record.get("MESSAGE")
    if isinstance(message, list) and all(isinstance(each, int) and 0 <= each < 256 for each in message):  # noqa: PLR2004
        message = bytes(message).decode("utf-8", "replace")
    if not isinstance(message, str) or not any(key.startswith("_") for key in record):
        return None
    of = tuple(str(record.get(key)) for key in _WRITER)
    is_last = record.get(_PARTIAL) != "true" or record.get("CONTAINER_PARTIAL_LAST") == "true"
    return _Piece(of, message, is_last, record)


def _exported(content: bytes) -> Iterator[tuple[int, Json]]:
    """The records of `journalctl -o export`: fields by line, those of several lines by their size."""
    record: dict[str, str] = {}
    place, number, began = 0, 1, 1
    while place < len(content):
        end = content.find(b"\n", place)
        end = len(content) if end < 0 else end
        field, following = content[place:end], end + 1
        if field and not record:
            began = number
        if b"=" in field:
            key, _, value = field.partition(b"=")
            record[key.decode("ascii", "replace")] = value.decode("utf-8", "replace")
        elif field:
            begin = following + _SIZE
            size = int.from_bytes(content[following:begin], "little")
            record[field.decode("ascii", "replace")] = content[begin : begin + size].decode(
                "utf-8", "replace"
            )
            following = begin + size + 1
        elif record:
            yield began, record
            record = {}
        number += content[place:following].count(b"\n")
        place = following
    if record:
        yield began, record
