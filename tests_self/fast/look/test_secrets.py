"""Secret does not print; Scrubber finds and redacts secrets in all ways in which they are written."""

import base64
import copy
import html
import json
import pickle
import random
import string
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import pytest
from markupsafe import escape

from noxgate.look.secret import Scrubber, Secret
from noxgate.look.secret_search import REDACTED
from noxgate.look.written.spellings import FRAGMENT

VALUE = "p\"a's<s>&w%o+r/d\\é"
SECRET = Secret("DATABASE_URL", VALUE)
AWKWARD = "\"'<>&%+/\\é ßλ€=#?@:;`$*\U0001f511"

# ---------------------------------------------------------------- Secret


@pytest.mark.parametrize(
    "show",
    [repr, str, ascii, "{}".format, "{!r}".format, "%s".__mod__],
    ids=["repr", "str", "ascii", "format", "format-r", "percent"],
)
def test_secret_does_not_print(show: Callable[[object], str]) -> None:
    """Only the name of its variable."""
    assert show(SECRET) == "Secret(DATABASE_URL, ***)"


def test_secret_inside_others_does_not_print() -> None:
    """Containers show the repr of what they hold."""
    assert VALUE not in repr({"secret": [SECRET]})
    assert repr(VALUE)[1:-1] not in repr({"secret": [SECRET]})


def test_secret_compares_by_value() -> None:
    """With another secret, never with text: an assert would print that."""
    assert Secret("A", VALUE) == Secret("B", VALUE)
    assert Secret("A", VALUE) != Secret("A", "another value")
    assert SECRET != VALUE


@pytest.mark.parametrize(
    "take",
    [pickle.dumps, copy.copy, json.dumps, hash, len, iter, sorted, bytes],
    ids=lambda take: take.__module__ + "." + take.__name__,
)
def test_secret_gives_nothing_away(take: Callable[[object], object]) -> None:
    """Not pickled (to another process), not hashed, not walked through."""
    with pytest.raises(TypeError):
        take(SECRET)


def test_reveal() -> None:
    """The one way."""
    assert SECRET.reveal() == VALUE


# ---------------------------------------------------------------- Scrubber


def attribute(text: str) -> str:
    """As an attribute in junit.xml."""
    return ET.tostring(ET.Element("e", a=text), encoding="unicode")


def in_base64(text: str) -> str:
    """As in HTTP Basic, a Kubernetes secret, a data URL."""
    return base64.b64encode(text.encode()).decode()


WRITTEN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "repr": repr,
    "ascii": ascii,
    "bytes": lambda text: repr(text.encode()),
    "json": json.dumps,
    "json-utf8": lambda text: json.dumps(text, ensure_ascii=False),
    "json-in-json": lambda text: json.dumps(json.dumps(text)),
    "json-in-json-in-json": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "repr-in-json": lambda text: json.dumps(repr(text)),
    "html": html.escape,
    "html-in-html": lambda text: html.escape(html.escape(text)),
    "markupsafe": lambda text: str(escape(text)),
    "html-in-json-in-html": lambda text: str(escape(json.dumps(html.escape(text)))),
    "html-of-repr": lambda text: html.escape(repr(text)),
    "html-of-repr-in-json-in-html": lambda text: str(escape(json.dumps(html.escape(repr(text))))),
    "xml-attribute": attribute,
    "url": lambda text: quote(text, safe=""),
    "url-path": quote,
    "url-form": quote_plus,
    "url-in-json": lambda text: json.dumps(quote(text)),
    "url-lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "base64": in_base64,
    "base64-url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64-lines": lambda text: base64.encodebytes(b"x" * 50 + text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex-upper": lambda text: text.encode().hex().upper(),
}


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n+ ", "\nE       "])
def test_secret_that_is_broken_into_lines(between: str) -> None:
    """Each piece of it is too short to be known; of a diff and a traceback, too. The text is withheld."""
    value = f"q7Zk{VALUE}9xLm"
    pieces = [value[at : at + FRAGMENT - 1] for at in range(0, len(value), FRAGMENT - 1)]
    scrubber = Scrubber([Secret("THIS", value)])

    assert scrubber.find(f"before\n{between.join(pieces)}\nafter") == "THIS"
    assert pieces[0] not in scrubber.scrub(f"before\n{between.join(pieces)}\nafter")


def some_secret(chance: random.Random) -> str:
    """A secret of letters, digits and awkward characters, never eight plain ones in a row."""
    pieces = [
        "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randint(0, 5)))
        + chance.choice(AWKWARD)
        for _ in range(chance.randint(5, 12))
    ]
    return "".join(pieces).rjust(12, "#")


@pytest.mark.parametrize("way", WRITTEN)
def test_secret_is_found_however_it_is_written(way: str) -> None:
    """Forty random secrets, each inside other text that shifts it by 0, 1 and 2."""
    chance = random.Random(way)  # noqa: S311 (a seed, so that a failure repeats)
    for _ in range(40):
        value = some_secret(chance)
        scrubber = Scrubber([Secret("OTHER", "another-secret"), Secret("THIS", value)])
        for shift in range(3):
            text = WRITTEN[way]("x" * shift + value + "end")
            assert scrubber.find(f"before {text} after") == "THIS", (value, text)


SCRUBBED = [
    way for way in WRITTEN if way not in {"json-in-json-in-json", "url-lower"} and "in-json-in" not in way
]


@pytest.mark.parametrize("way", SCRUBBED)
def test_blotted_secret_is_gone(way: str) -> None:
    """And the text around it is not."""
    chance = random.Random(way)  # noqa: S311 (a seed, so that a failure repeats)
    for _ in range(40):
        value = some_secret(chance)
        scrubber = Scrubber([Secret("THIS", value)])
        text = scrubber.scrub(f"before {WRITTEN[way](value)} after")
        assert text.startswith("before ")
        assert text.endswith(" after")
        assert REDACTED in text
        assert scrubber.find(text) is None, (value, text)


def test_fragments_are_found_from_eight_characters_on() -> None:
    """A shortened diff shows a part; a shorter part than that could be anything."""
    value = "abcdefghijklmnopqrst"
    scrubber = Scrubber([Secret("THIS", value)])

    for at in range(len(value) - FRAGMENT + 1):
        assert scrubber.find(f"<{value[at : at + FRAGMENT]}>") == "THIS"
        assert scrubber.scrub(f"<{value[at : at + FRAGMENT]}>") == "<***>"
        assert scrubber.find(f"<{value[at : at + FRAGMENT - 1]}>") is None


def test_a_secret_that_begins_as_a_public_word_does() -> None:
    """The name of a test gives no token away, and any part of the rest does."""
    scrubber = Scrubber(
        [Secret("THIS", "test_token_7hG2kQ9x")], lambda: "def test_token_is_refused() -> None:"
    )

    assert scrubber.find("test_tokens.py::test_token_is_refused") is None
    assert scrubber.find("saw test_token_7hG2kQ9x") == "THIS"
    assert scrubber.find("saw …_token_7…") == "THIS"  # seven of those eight are the name's
    assert scrubber.scrub("saw test_token_7hG2kQ9x!") == "saw ***!"


def test_a_phrase_of_public_words_is_told_by_what_is_between_them() -> None:
    """Whole, it is gone whole; its words are everybody's."""
    scrubber = Scrubber(
        [Secret("THIS", "blue at 7 with blank")], lambda: "start with blank lines; blue at work"
    )

    assert scrubber.find("start with blank lines; blue at work") is None
    assert scrubber.scrub("<blue at 7 with blank>") == "<***>"


def test_what_anyone_may_read_is_read_for_words_alone() -> None:
    def read() -> str:
        raise AssertionError

    assert (
        Scrubber([Secret("THIS", "eyJhbGciOiJIUzI1NiJ9.7hG2kQ9x")], read).find("nothing of it is here")
        is None
    )


def test_a_secret_that_is_a_public_word_is_still_kept() -> None:
    scrubber = Scrubber([Secret("THIS", "test_token")], lambda: "def test_token_is_refused() -> None:")

    assert scrubber.find("saw test_token") == "THIS"


def test_neighbouring_and_repeated_secrets() -> None:
    """One `***` for a stretch, and all of them."""
    scrubber = Scrubber([Secret("A", "aaaa-bbbb-cccc"), Secret("B", "dddd-eeee-ffff")])

    assert scrubber.scrub("aaaa-bbbb-cccc dddd-eeee-ffff, aaaa-bbbb-cccc.") == "*** ***, ***."
    assert scrubber.find(scrubber.scrub("aaaa-bbbb-ccccdddd-eeee-ffffaaaa-bbbb-cccc")) is None


def test_other_text_is_left_alone() -> None:
    """Random text without the secret."""
    chance = random.Random(1)  # noqa: S311 (a seed, so that a failure repeats)
    scrubber = Scrubber([SECRET])
    for _ in range(300):
        text = "".join(chance.choices(string.printable + AWKWARD, k=200))
        assert scrubber.scrub(text) == text
        assert scrubber.find(text) is None


@pytest.mark.parametrize("way", WRITTEN)
def test_escapes_alone_give_nothing_away(way: str) -> None:
    """A secret with a > in it must not make every > of every report suspicious."""
    scrubber = Scrubber([Secret("THIS", f"secret{AWKWARD}secret")])
    text = WRITTEN[way]('"it\'s" <a> & b + c%d / e\\é : ß λ € = #?@ ; `$*` "" \'\' <> && \U0001f511')

    assert scrubber.find(text) is None
    assert scrubber.scrub(text) == text


@pytest.mark.parametrize("text", ["", "short", "p\"a's<s", "\0\x1b[2J", "line\nline"])
def test_edges_are_left_alone(text: str) -> None:
    """Less than a fragment, and control characters."""
    assert Scrubber([SECRET]).scrub(text) == text
    assert Scrubber([SECRET]).find(text) is None


def test_without_secrets_nothing_is_found() -> None:
    """A run whose variables are not set."""
    assert Scrubber([]).scrub("any text") == "any text"
    assert Scrubber([]).find("any text") is None


def test_half_a_surrogate_pair_is_written_out() -> None:
    """No file can hold it."""
    assert Scrubber([]).scrub("a \ud800 b") == r"a \ud800 b"


class Named(NamedTuple):
    """As some of pytest's."""

    a: str
    b: int


@dataclass(frozen=True)
class Box:
    """As those of pytest's tracebacks."""

    text: str
    inner: object


def test_trees_are_scrubbed_all_through() -> None:
    """Containers anew, dataclasses in place; what is not text stays."""
    box = Box(VALUE, [Box(VALUE, None)])
    tree = {VALUE: [VALUE, (VALUE, 1)], "named": Named(VALUE, 2), "box": box, "number": 3.5, "nothing": None}

    scrubbed = Scrubber([SECRET]).scrub_tree(tree)

    blotted = Box(REDACTED, [Box(REDACTED, None)])
    assert scrubbed == {
        REDACTED: [REDACTED, (REDACTED, 1)],
        "named": Named(REDACTED, 2),
        "box": blotted,
        "number": 3.5,
        "nothing": None,
    }
    assert box == blotted


def test_text_that_was_clean_is_looked_at_as_ever() -> None:
    """What is remembered of a text is that text alone; and xdist cannot send an enum."""
    scrubber = Scrubber([Secret("TOKEN", "correct-horse")])

    class Word(StrEnum):
        FINE = "nothing of note"

    assert [scrubber.scrub(text) for text in (Word.FINE, "nothing of note")] == ["nothing of note"] * 2
    assert type(scrubber.scrub(Word.FINE)) is str
    assert scrubber.scrub("nothing of note, correct-horse") == f"nothing of note, {REDACTED}"
    assert scrubber.scrub("correct-horse") == REDACTED
    assert scrubber.find("correct%2Dhorse") == "TOKEN"
    assert scrubber.find("correct%2Dhorse") == "TOKEN"
