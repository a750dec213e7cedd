"""The two text formats of /metrics, read as a scrape of Prometheus 2.42 reads them.

Its own lexers and parsers decide what is taken: a library that is kinder, or stricter, says nothing of it.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from noxgate.look.observation import shortened
from noxgate.systems.prometheus.scraped.words import OPEN, PLAIN, LostError, Words

_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?|nan", re.ASCII | re.IGNORECASE)
_PLAIN_TYPES = (b"counter", b"gauge", b"histogram", b"summary", b"untyped")
_OPEN_TYPES = (
    *(b"counter", b"gauge", b"histogram", b"gaugehistogram", b"summary", b"info", b"stateset", b"unknown"),
)
_WITH_EXEMPLARS = (b"_total", b"_bucket")
_MOST_MILLISECONDS = 2**63 - 1
_ESCAPE = re.compile(r'\\([\\"n])')


@dataclass(frozen=True)
class ReadSample:
    """One sample as it stands: where, its name and labels, its value, and its own time in milliseconds."""

    at: int
    name: bytes
    labels: Sequence[tuple[str, str]]
    value: float
    milliseconds: int | None


def plain(content: bytes) -> Iterator[ReadSample]:
    """The samples of text/plain, until the end or LostError."""
    words = Words(content + b"\n", PLAIN)
    while True:
        at = words.end
        word = words.next()
        if word == "end":
            return
        if word == "line feed":
            continue
        if word == "comment":
            words.expect("line feed", "a comment")
        elif word in {"HELP", "TYPE"}:
            _remark(words, word, _PLAIN_TYPES)
            words.expect("line feed", f"# {word}")
        elif word == "name":
            yield _plain_sample(words, at)
        else:
            raise LostError(words.start, f"expected a name or # first, saw {words.shown(word)}")


def openmetrics(content: bytes) -> Iterator[ReadSample]:
    """The samples of OpenMetrics, until its # EOF or LostError."""
    words = Words(content, OPEN)
    while True:
        word = words.next()
        if word == "# EOF":
            if words.end < len(content):
                raise LostError(words.end, "expected # EOF to be the last line, saw more after it")
            return
        if word == "end":
            raise LostError(words.start, "expected # EOF at the end, which OpenMetrics ends with, saw none")
        if word in {"HELP", "TYPE", "UNIT"}:
            _remark(words, word, _OPEN_TYPES)
        elif word == "name":
            yield _open_sample(words)
        else:
            raise LostError(
                words.start, f"expected a name, or # HELP, TYPE, UNIT or EOF, saw {words.shown(word)}"
            )


def _remark(words: Words, kind: str, types: Sequence[bytes]) -> None:
    words.expect("name", f"# {kind}")
    name, at = words.seen, words.start
    words.expect("text", f"# {kind} and its name")
    text = words.seen[1:].removesuffix(b"\n")
    if kind == "TYPE" and text not in types:
        known = b", ".join(types).decode()
        raise LostError(at, f"expected one of the types {known}, saw {text.decode('utf-8', 'replace')!r}")
    if kind == "HELP" and not _is_text(text):
        raise LostError(at, "expected UTF-8 in # HELP, saw other bytes")
    if kind == "UNIT" and text and not name.endswith(b"_" + text):
        raise LostError(at, f"expected a name that ends in its unit, saw {name.decode()!r}")


def _plain_sample(words: Words, at: int) -> ReadSample:
    name = words.content[at : words.end]  # blanks before it are its first characters
    word, labels = words.next(), []
    if word == "{":
        labels = list(_plain_labels(words))
        word = words.next()
    if word != "value":
        raise LostError(words.start, f"expected a value, saw {words.shown(word)}")
    value, milliseconds = _number(words.seen, words.start), None
    word = words.next()
    if word == "time":
        milliseconds = int(words.seen)
        if milliseconds > _MOST_MILLISECONDS:
            raise LostError(words.start, "expected a time in milliseconds, saw a greater number")
        word = words.next()
    if word != "line feed":
        raise LostError(
            words.start, f"expected a time in whole milliseconds, or a new line, saw {words.shown(word)}"
        )
    return ReadSample(at, name, labels, value, milliseconds)


def _plain_labels(words: Words) -> Iterator[tuple[str, str]]:
    """A comma between them may be missing, and one may stand last."""
    word = words.next()
    while word != "}":
        yield _label(words, word)
        word = words.next()
        if word == ",":
            word = words.next()


def _label(words: Words, word: str) -> tuple[str, str]:
    if word != "label name":
        raise LostError(words.start, f"expected a label's name or }}, saw {words.shown(word)}")
    name = words.seen.decode()
    words.expect("=", "a label's name")
    words.expect("label value", "=")
    if not _is_text(words.seen):
        raise LostError(words.start, "expected UTF-8 in a label's value, saw other bytes")
    return name, _unescaped(words.seen[1:-1].decode())


def _open_sample(words: Words) -> ReadSample:
    at, name = words.start, words.seen
    word, labels = words.next(), []
    if word == "{":
        labels = list(_open_labels(words))
        word = words.next()
    value, milliseconds = _open_number(words, word), None
    word = words.next()
    if word == "time":
        milliseconds = _open_time(words)
        word = words.next()
    if word == "exemplar":
        if not name.endswith(_WITH_EXEMPLARS):
            raise LostError(words.start, f"expected no exemplar of {name.decode()!r}: _total and _bucket may")
        list(_open_labels(words))
        _open_number(words, words.next())
        word = words.next()
        if word == "time":
            _open_time(words)
            word = words.next()
    if word != "line feed":
        raise LostError(words.start, f"expected a new line, saw {words.shown(word)}")
    return ReadSample(at, name, labels, value, milliseconds)


def _open_labels(words: Words) -> Iterator[tuple[str, str]]:
    """With a comma between each two, and no other."""
    word = words.next()
    if word == "}":
        return
    while True:
        yield _label(words, word)
        word = words.next()
        if word == "}":
            return
        if word != ",":
            raise LostError(words.start, f"expected a comma or }}, saw {words.shown(word)}")
        word = words.next()


def _open_number(words: Words, word: str) -> float:
    if word != "value":
        raise LostError(words.start, f"expected a blank and a value, saw {words.shown(word)}")
    return _number(words.seen[1:], words.start)


def _open_time(words: Words) -> int:
    seconds = _number(words.seen[1:], words.start)
    if not math.isfinite(seconds):
        raise LostError(words.start, "expected a time in seconds, saw no number")
    return int(seconds * 1000)


def _number(text: bytes, at: int) -> float:
    """As Go reads it: neither hexadecimal, nor with underscores, nor too great."""
    found = text.decode("utf-8", "replace")
    matched = _FLOAT.fullmatch(found)
    value = float(found) if matched else math.nan
    if not matched or (math.isinf(value) and "inf" not in found.lower()):
        raise LostError(at, f"expected a number, saw {shortened(found, 40)!r}")
    return value


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text) if "\\" in text else text
