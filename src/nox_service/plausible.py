"""Whether a computed answer holds a value that can be: what carries the quantity's name decides."""

import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quantity:
    """What results of a kind are called, and the values that they can have."""

    named: re.Pattern[str]
    plausible: Callable[[float], bool]


_ANY = "^(?:values?|results?|predictions?|predicted)$"  # names of a result of any kind
BOILING_POINT = re.compile(rf"boil|(?:^|_)(?:bp|tb)(?:_|$)|{_ANY}", re.IGNORECASE)
VELOCITY = re.compile(r"veloc|(?:^|_)(?:[dv]_?cj|vod|d)(?:_|$)", re.IGNORECASE)
DETONATION = re.compile(rf"pressure|detonation|(?:^|_)p_?cj(?:_|$)|{_ANY}", re.IGNORECASE)
# What is said of a result beside it, or of it in another unit.
_BESIDE = re.compile(
    r"(?:^|_)(?:std(?:dev)?|sd|sigma|err(?:or)?s?|uncertaint\w+|variance|var|rmse|mae|ci|confidence|tolerance"
    r"|lower|upper|low|high|min|max|delta|diff(?:erence)?|reference|units?|id|version|count"
    r"|c|degc|celsius|f|degf|fahrenheit)(?:_|$)",
    re.IGNORECASE,
)
# Numbers that each answer may have, which are never a result.
_OF_THE_RUN = re.compile(
    r"(?:^|_)(?:ms|s|secs?|seconds|elapsed|duration|runtime|walltime|time|timestamp|took|took_ms|at|n|num|counts?"
    r"|atoms|steps|iterations|cycles|size|mass|charge|multiplicity|id|version|status|code|cost|confidence)(?:_|$)",
    re.IGNORECASE,
)
# Inside what is named, these are it.
_SAME = frozenset({"value", "values", "mean", "median", "average", "estimate", "predicted", "prediction"})


def faults(document: Any, quantities: Sequence[Quantity], sent: Collection[str] = ()) -> list[str]:
    """Why the result is not plausible: each number of such a name is to be one; without any, one of all.

    What stands under the names of what was `sent` is an echo, and no result.
    """
    numbers = [(key, value) for key, value in _values(document, "") if key not in sent]
    results = [
        (key, value, quantity)
        for key, value in numbers
        if (quantity := _of(_spelled(key), quantities)) is not None
    ]
    if results:
        return [
            f"no plausible result: {key} {value}"
            for key, value, quantity in results
            if not _is(value, quantity.plausible)
        ]
    others = [(key, value) for key, value in numbers if not _OF_THE_RUN.search(_spelled(key))]
    if any(_is(value, quantity.plausible) for _, value in others for quantity in quantities):
        return []
    return [f"no plausible result in {[value for _, value in numbers if value is not None]}"]


def _of(name: str, quantities: Sequence[Quantity]) -> Quantity | None:
    """Which of them a name means, the first of several."""
    if _BESIDE.search(name):
        return None
    return next((quantity for quantity in quantities if quantity.named.search(name)), None)


def _is(value: float | None, plausible: Callable[[float], bool]) -> bool:
    return value is not None and math.isfinite(value) and plausible(value)


def _values(document: Any, key: str) -> Iterator[tuple[str, float | None]]:
    """Every number, and every null, under the nearest key that names it."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _values(value, key if name in _SAME and key else name)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value, key)
    elif document is None:
        yield key, None
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield key, float(document)


def _spelled(key: str) -> str:
    """BoilingPointC is boiling_Point_C."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
