"""What somebody else might have written: any text, any document, and good ones that were damaged since.

Each run tries the same examples (`derandomize`), a bounded number of them, and keeps none.
"""

import copy
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = settings(
    derandomize=True,
    database=None,
    deadline=None,  # a machine may be busy
    max_examples=60,
    suppress_health_check=list(HealthCheck),
)
FEW = settings(EXAMPLES, max_examples=30)  # where a look takes long

# What parsers stumble over, more often than characters drawn at random would.
ODD = (
    "",
    "null",
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 4_400,
    "-0",
    "0x10",
    "1_000",
    "\x00",
    "\ufeff",
    "\u2028",
    "\ud800",
    "[" * 1_500,
    '{"a":' * 1_100,
    "a = " + "[" * 1_500,
    "{a: " * 1_100,
    "%",
    "%s{}",
    "\\",
    '"',
    "'",
    "\t",
    "\r\n",
    "2025-13-45",
    "0000-00-00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "\u0661\u0662",
    "http://[",
    "https://a:99999999999/",
    "..",
    "*a",
    "&a [*a]",
    "<<: *a",
    "!!binary x",
    "!!python/name:os.system",
    "\U0001f4a5",
    "a" * 3_000,
)
odd = st.sampled_from(ODD)
characters = st.text(st.characters(codec="utf-8"), max_size=80)
text = st.one_of(characters, odd, st.lists(st.one_of(characters, odd), max_size=4).map("\n".join))
written = text.map(lambda one: one.encode("utf-8", "replace"))
content = st.one_of(written, st.binary(max_size=200))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from([0, -1, 1e308, float("nan"), float("inf"), 2**63, -(2**70)]),
    text.filter(lambda one: len(one) < 6_000),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(characters, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, good: Any) -> Any:
    """A document of which one to three parts are gone, or something else."""
    document = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            holder[key] = draw(documents)
        else:
            del holder[key]
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(document) if isinstance(document, Mapping) else range(len(document))
    for key in keys:
        yield document, key
        if isinstance(document[key], dict | list):
            yield from _places(document[key])


@st.composite
def spoilt(draw: st.DrawFn, good: str) -> str:
    """A text of which a piece is gone, twice there, or something else."""
    start = draw(st.integers(0, len(good)))
    end = draw(st.integers(start, min(len(good), start + 60)))
    piece = draw(st.one_of(st.just(""), text, st.just(good[start:end] * 2)))
    return good[:start] + piece + good[end:]


@st.composite
def cut(draw: st.DrawFn, good: bytes) -> bytes:
    """What is left of a file whose end never came; never all of it."""
    return good[: draw(st.integers(0, len(good) - 1))]


def as_json(document: object) -> str:
    """As many writers would have it, NaN and all."""
    return json.dumps(document)


@contextmanager
def file(data: str | bytes, name: str = "x.toml") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
        yield path


def ends(look: Callable[[], object], *errors: type[Exception]) -> object:
    """What came of it. None if it raised one of these errors, in one line."""
    try:
        return look()
    except errors as error:
        said = str(error)
    assert "\n" not in said, f"expected one line, saw {said!r}"
    return None
