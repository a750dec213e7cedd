"""The documents of a file, as kubectl tells them apart: JSON, or YAML between lines of ---."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.systems.kubernetes.kubectl_yaml import plain
from noxgate.systems.kubernetes.kubectl_yaml.composing import YamlError, decoded

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_LOOKED_AT = 4096  # characters in which kubectl looks for the brace that begins JSON
_DIGITS = 400  # of a whole number: one that is longer is infinite for Go
_BLANK = re.compile(r"[ \t\r\n]*")


class _NumberError(YamlError):
    """It is JSON, but a number does not fit into 64 bits."""


@dataclass(frozen=True)
class ReadDocument:
    """One document: where it begins, what it is, and what kubectl read otherwise than it stands there."""

    line: int
    content: Any
    said: tuple[str, ...] = ()


def documents(content: bytes) -> Iterator[ReadDocument]:
    """Each document that is not empty; YamlError at the first that kubectl refuses."""
    text, lost = _text(content)
    begin, count = 0, 0
    refused: YamlError | None = None
    if text[:_LOOKED_AT].lstrip().startswith("{"):
        while (start := _after_blanks(text, begin)) < len(text):
            try:
                found, begin = _json(text, start)
            except YamlError as error:
                if count > 1 or isinstance(error, _NumberError):
                    raise
                refused = error if count == 0 else None
                break
            yield ReadDocument(found.line, found.content, (*lost, *found.said))
            count += 1
        else:
            return
        begin = _at_next_text(text, begin)
    try:
        yield from (ReadDocument(each.line, each.content, (*lost, *each.said)) for each in _yaml(text, begin))
    except YamlError as error:
        raise (refused or error) from None


def _text(content: bytes) -> tuple[str, list[str]]:
    encoding = next((name for mark, name in _BOMS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding), []
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        said = f"line {line}: expected UTF-8 text, saw other bytes: kubectl puts U+FFFD there"
        return content.decode(encoding, "replace"), [said]


def _after_blanks(text: str, begin: int) -> int:
    found = _BLANK.match(text, begin)
    return begin if found is None else found.end()


def _at_next_text(text: str, begin: int) -> int:
    """Past the blanks, and past one line break at the most."""
    while begin < len(text) and text[begin].isspace():
        begin += 1
        if text[begin - 1] == "\n":
            break
    return begin


def _json(text: str, start: int) -> tuple[ReadDocument, int]:
    """The JSON value that begins there, and where it ends."""
    twice: list[str] = []

    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                twice.append(_twice(key))
            found[plain.without_surrogates(key)] = value
        return found

    decoder = json.JSONDecoder(
        object_pairs_hook=once, parse_float=_float, parse_int=_int, parse_constant=_no_json
    )
    line = text.count("\n", 0, start) + 1
    try:
        value, end = decoder.raw_decode(text, start)
    except _NumberError as error:
        raise _NumberError(str(error), line) from None
    except json.JSONDecodeError as error:
        raise YamlError(f"{error.msg}: column {error.colno}", error.lineno) from None
    except ValueError as error:
        raise YamlError(str(error), line) from None
    return ReadDocument(line, _whole_characters(value), tuple(twice)), end


def _int(text: str) -> plain.Scalar:
    return plain.as_json(int(text)) if len(text) < _DIGITS else _float(text)


def _float(text: str) -> plain.Scalar:
    if math.isinf(number := float(text)):
        raise _NumberError(f"expected a number of 64 bits, saw {text[:40]}")
    return plain.as_json(number)


def _no_json(name: str) -> None:
    raise ValueError(f"expected JSON, saw {name}")


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return plain.without_surrogates(value)
    if isinstance(value, list):
        return [_whole_characters(each) for each in value]
    if isinstance(value, dict):
        return {key: _whole_characters(each) for key, each in value.items()}
    return value


def _yaml(text: str, begin: int) -> Iterator[ReadDocument]:
    for above, chunk in _chunks(text[begin:], text.count("\n", 0, begin)):
        try:
            value, twice = decoded(chunk)
        except YamlError as error:
            raise YamlError(str(error), None if error.line is None else above + error.line) from None
        if value is not None:
            said = tuple(f"line {above + line}: {_twice(key)}" for line, key in twice)
            yield ReadDocument(above + _first_line(chunk), value, said)


def _chunks(text: str, above: int) -> Iterator[tuple[int, str]]:
    """What stands between lines of ---, and how many lines stand above it."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    chunk: list[str] = []
    for number, line in enumerate(lines, start=above):
        if line.startswith("---"):
            rest = line[3:].strip()
            if rest and not rest.startswith("#"):
                raise YamlError(f"expected --- alone on its line, saw {line[:40]!r}", number + 1)
            if chunk:
                yield number - len(chunk), "\n".join([*chunk, ""])
                chunk = []
                continue
        chunk.append(line)
    if chunk:
        yield above + len(lines) - len(chunk), "\n".join([*chunk, ""])


def _first_line(chunk: str) -> int:
    """Where the first line is that is more than a comment or ---, counted from 1."""
    lines = enumerate(map(str.strip, chunk.split("\n")), start=1)
    return next((number for number, line in lines if line and not line.startswith(("#", "---"))), 1)


def _twice(key: str) -> str:
    return f"the key {key[:40]!r} stands twice: kubectl takes the last"
