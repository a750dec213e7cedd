"""The ways in which reports write a text, and what a text says without them.

It is escaped by repr, JSON or HTML (twice, in pytest-html), quoted in a URL, or in base64.
"""

import base64
import functools
import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote

FRAGMENT = 8
LONGEST_IN_LINES = (
    100_000  # characters; the evidence of a load test has millions, and no line of it is broken
)
_BREAK = re.compile(r"\r?\n(?:[E>+?-] {1,8})?")  # also of a diff's, or a traceback's lines
_WORDS = re.compile(r"[A-Z]?[a-z /:._'-]+|[A-Z /:._-]+")


def nothing() -> str:
    """No text that anyone may read."""
    return ""


def fragments(value: str, public: Callable[[], str] = nothing) -> Iterator[str]:
    """Every way in which a report may write FRAGMENT neighbouring characters of `value`, and all of it.

    Words that the text of `public` has, too, give nothing away, as long as other characters are left.
    """
    folded = " ".join(value.split())  # as where a text is made one line
    if folded != value:
        yield from fragments(folded, public)
    everywhere = range(len(value) - FRAGMENT + 1)
    places = [at for at in everywhere if not _is_public(value[at : at + FRAGMENT], public)]
    for spelled in set(zip(*map(_spellings, value), strict=True)):
        for at in places or everywhere:
            yield "".join(spelled[at : at + FRAGMENT])
        if len(value) >= FRAGMENT:
            yield "".join(spelled)
    raw = value.encode()
    for at in range(len(raw) - FRAGMENT + 1):
        part = raw[at : at + FRAGMENT]
        yield part.hex()
        yield part.hex().upper()
        for shift in range(3):  # base64 of the part somewhere inside a longer text
            encoded = base64.b64encode(b"\0" * shift + part).decode().rstrip("=")
            inner = encoded[(shift * 8 + 5) // 6 : len(encoded) - (1 if (FRAGMENT + shift) % 3 else 0)]
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def is_all_public(value: str, public: Callable[[], str]) -> bool:
    """Whether no report could be without its pieces."""
    return all(
        _is_public(value[at : at + FRAGMENT], public) for at in range(max(1, len(value) - FRAGMENT + 1))
    )


def _is_public(part: str, public: Callable[[], str]) -> bool:
    """Most tokens have no eight characters of which a word could be made: for those nothing is read."""
    return _WORDS.fullmatch(part) is not None and part in public()


@functools.cache
def _spellings(character: str) -> list[str]:
    """How each format writes a character, and writes that again: JSON in JSON, HTML in HTML, repr in HTML."""
    return [twice for once in _written(character) for twice in _written(once)]


def _written(text: str) -> list[str]:
    in_html = html.escape(text)
    return [
        text,
        "".join(repr(one)[1:-1] for one in text),
        "".join("\\'" if one == "'" else repr(one)[1:-1] for one in text),
        "".join(ascii(one)[1:-1] for one in text),
        "".join("\\'" if one == "'" else ascii(one)[1:-1] for one in text),
        "".join(repr(one.encode())[2:-1] for one in text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        in_html,
        html.escape(text, quote=False),
        in_html.replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),  # as templates do
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
    ]


def layers(text: str) -> Iterator[str]:
    """The text, and what it says without its escapes: reports quote what was quoted before, up to twice.

    And without the ends of its lines: broken in two, a short secret has no FRAGMENT in either.
    """
    yield text
    if "\n" in text and len(text) <= LONGEST_IN_LINES:
        yield _BREAK.sub("", text)
    found = [text]
    for _ in range(2):
        peeled = [peel(layer) for layer in found for peel in (html.unescape, _without_backslashes)]
        found = list(dict.fromkeys(layer for layer in peeled if layer not in found))
        yield from found
    if "%" in text:
        yield unquote(text)


def unescaped(text: str) -> set[str]:
    r"""The text, and without its escapes: forms know quotes of every kind, but no `\u003d`."""
    peeled = _without_backslashes(re.sub(r"\\+[nrt]", " ", html.unescape(text)))
    return {text, peeled, unquote(text) if "%" in text else text}


def _without_backslashes(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        code = match[1][1:]
        return chr(int(code, 16)) if code else match[1]

    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", plain, text)
