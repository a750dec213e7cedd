"""Whether a computed answer holds a value that can be: what carries the quantity's name decides."""

import math
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

_ANY = "^(?:value|result|prediction|predicted)$"  # names of a result, whatever it is
BOILING_POINT = re.compile(rf"boil|(?:^|_)(?:bp|tb)(?:_|$)|{_ANY}", re.IGNORECASE)
DETONATION = re.compile(rf"veloc|pressure|detonation|(?:^|_)[dp]_?cj(?:_|$)|{_ANY}", re.IGNORECASE)


def faults(
    document: Any, named: re.Pattern[str], plausible: Callable[[float], bool], sent: Collection[str] = ()
) -> list[str]:
    """Why there is no plausible result: each number of that name is to be one; without any, one of all.

    What stands under the names of what was `sent` is an echo, and no result.
    """
    numbers = [(key, value) for key, value in _values(document, "") if key not in sent]
    results = [(key, value) for key, value in numbers if named.search(key)]
    if results:
        return [f"no plausible result: {key} {value}" for key, value in results if not _is(value, plausible)]
    if any(_is(value, plausible) for _, value in numbers):
        return []
    return [f"no plausible result in {[value for _, value in numbers if value is not None]}"]


def _is(value: float | None, plausible: Callable[[float], bool]) -> bool:
    return value is not None and math.isfinite(value) and plausible(value)


def _values(document: Any, key: str) -> Iterator[tuple[str, float | None]]:
    """Every number, and every null, under the nearest key that names it."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _values(value, key if name in {"value", "values"} and key else name)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value, key)
    elif document is None:
        yield key, None
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield key, float(document)
