"""Secrets: a type that does not print, and finding or blotting out secrets in any text.

A secret leaks in disguise: escaped by repr, JSON or HTML (twice, in pytest-html), quoted in a URL, in base64,
or cut to a fragment by a shortened diff. So what is looked for is every run of FRAGMENT characters of every
encoding of every secret.
"""

import base64
import dataclasses
import hmac
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus, unquote

FRAGMENT = 8
BLOT = "***"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Secret:
    """A secret value and the name of the variable it came from; only `reveal` gives the value."""

    name: str
    _value: str

    def __repr__(self) -> str:
        return f"Secret({self.name}, {BLOT})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> str:
        raise TypeError(f"{self!r} is not to be pickled")

    def reveal(self) -> str:
        """The value, for the edge where it is sent: never for an assert, a message or a fixture."""
        return self._value


def encodings(value: str) -> Iterator[str]:
    """Every way in which a report may write `value`."""
    layers = {value}
    for _ in range(2):  # once, and once more: JSON in JSON, HTML in HTML, JSON in HTML
        for text in list(layers):
            layers |= {
                repr(text)[1:-1],
                ascii(text)[1:-1],
                repr(text.encode())[2:-1],
                json.dumps(text)[1:-1],
                json.dumps(text, ensure_ascii=False)[1:-1],
                html.escape(text),
                html.escape(text, quote=False),
                html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),  # as templates do
                quote(text, safe=""),
                quote(text),
                quote_plus(text),
            }
    yield from layers
    raw = value.encode()
    for shift in range(3):  # base64 of the secret somewhere inside a longer text
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = encoded[(shift * 8 + 5) // 6 : len(encoded) - (1 if (len(raw) + shift) % 3 else 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
    yield raw.hex()


class Scrubber:
    """Finds and blots out known secrets. With no secrets it leaves every proper text as it is."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self.secrets = tuple(secrets)

    @cached_property
    def _fragments(self) -> dict[str, str]:
        """Fragment -> name of the secret it gives away."""
        return {
            encoded[at : at + FRAGMENT]: secret.name
            for secret in self.secrets
            for encoded in encodings(secret.reveal())
            for at in range(len(encoded) - FRAGMENT + 1)
        }

    def find(self, text: str) -> str | None:
        """The name of a secret that this text gives away, or None."""
        fragments = self._fragments
        if not fragments:
            return None
        for layer in _layers(text):
            for at in range(len(layer)):
                if layer[at : at + FRAGMENT] in fragments:
                    return fragments[layer[at : at + FRAGMENT]]
        return None

    def scrub(self, text: str) -> str:
        """The text with every stretch that gives a secret away replaced by `***`.

        Half a surrogate pair, which no report can hold, is written out.
        """
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        fragments = self._fragments
        if not fragments:
            return text
        parts: list[str] = []
        kept = 0
        at = 0
        while at <= len(text) - FRAGMENT:
            if text[at : at + FRAGMENT] not in fragments:
                at += 1
                continue
            end = at + FRAGMENT
            while text[end - FRAGMENT + 1 : end + 1] in fragments and end < len(text):
                end += 1
            parts += text[kept:at], BLOT
            kept = at = end
        return "".join([*parts, text[kept:]])

    def scrub_tree(self, value: object) -> object:
        """The same for every string inside containers, and in place inside dataclasses and attrs objects."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self.scrub_tree(item) for item in value))
        if isinstance(value, list | tuple):
            return type(value)(self.scrub_tree(item) for item in value)
        if isinstance(value, dict):
            return {self.scrub_tree(key): self.scrub_tree(item) for key, item in value.items()}
        for name in _field_names(value):
            object.__setattr__(value, name, self.scrub_tree(getattr(value, name)))
        return value


def _layers(text: str) -> Iterator[str]:
    """The text, and what it says without its escapes: reports quote what was quoted before, up to twice."""
    yield text
    layers = [text]
    for _ in range(2):
        peeled = [peel(layer) for layer in layers for peel in (html.unescape, _without_backslashes)]
        layers = list(dict.fromkeys(layer for layer in peeled if layer not in layers))
        yield from layers
    yield unquote(text)


def _without_backslashes(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match[1][1:]
        return chr(int(code, 16)) if code else match[1]

    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", plain, text)


def _field_names(value: object) -> list[str]:
    """The fields of a dataclass (pytest's) or an attrs object (Allure's)."""
    kind = type(value)
    fields = (
        dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else getattr(kind, "__attrs_attrs__", ())
    )
    return [field.name for field in fields]
