"""How much counters grew in a time, from the samples themselves: `increase()` guesses at both ends of it.

Summed over series. A series that begins in that time began at 0; one that falls was reset, and grew by what
it has since. What it counted between the last look at it and its end, nobody knows: as much as it ever grew
between two looks is allowed for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite
from statistics import median

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.client import Prometheus

BEFORE = timedelta(minutes=5)  # in which a sample from before the time must lie
LONGEST = 150.0  # seconds to wait for the first look after it: two of Prometheus' longer intervals
GONE = 3  # intervals without a sample, and a series has ended

Point = tuple[datetime, float]


@dataclass(frozen=True)
class Growth:
    """`seen` at the least; `unseen` may have been counted besides. `gaps`: looks that Prometheus missed."""

    seen: float
    unseen: float
    gaps: int


def growth(prometheus: Prometheus, selector: str, start: datetime, end: datetime) -> Growth:
    """How much the counters of a selector grew; UnreachableError where their samples do not tell."""

    def look() -> list[Series]:
        seconds = (end + timedelta(seconds=LONGEST) - start + BEFORE).total_seconds()
        found = prometheus.samples(selector, seconds, end + timedelta(seconds=LONGEST))
        assert _is_over(found, end), f"{selector}: expected a sample since {end:%H:%M:%S} UTC, saw none yet"
        return found

    left = (end - datetime.now(UTC)).total_seconds() + LONGEST
    try:
        found = eventually(look, within=left)
    except AssertionError as error:
        raise UnreachableError(str(error)) from None
    return grown(selector, found, start, end)


def grown(selector: str, found: Sequence[Series], start: datetime, end: datetime) -> Growth:
    """The same of samples that are there."""
    series = [one.points for one in found if one.points]
    if not all(isfinite(value) and value >= 0 for points in series for _, value in points):
        raise UnreachableError(f"{selector}: expected counters, saw a value that is none")
    if not any(at <= start for points in series for at, _ in points):
        seen = "samples since then alone" if series else "no data"
        raise UnreachableError(
            f"{selector}: expected a sample from before {start:%Y-%m-%d %H:%M:%S} UTC, saw {seen}"
        )
    newest = max(points[-1][0] for points in series)
    every = _every(series)
    total = unseen = 0.0
    gaps = 0
    for points in series:
        steps, resets = _steps(points, start)
        total += sum(steps)
        ended = points[-1][0] < min(newest, end) - GONE * every
        unseen += (resets + ended) * max(steps, default=0.0)
        gaps += sum(later - at > GONE * every for (at, _), (later, _) in pairwise(points))
    return Growth(total, unseen, gaps)


def _steps(points: Sequence[Point], start: datetime) -> tuple[list[float], int]:
    """By how much a series grew from one look to the next since `start`, and how often it was reset."""
    before = [value for at, value in points if at <= start][-1:]
    values = [*(before or [0.0]), *(value for at, value in points if at > start)]
    steps = [after - value if after >= value else after for value, after in pairwise(values)]
    return steps, sum(after < value for value, after in pairwise(values))


def _is_over(found: Sequence[Series], end: datetime) -> bool:
    """Whether each series was looked at after the end, or is gone."""
    series = [one.points for one in found if one.points]
    if not series:
        return True  # and is refused
    newest, every = max(points[-1][0] for points in series), _every(series)
    return newest >= end and all(
        points[-1][0] >= end or points[-1][0] < newest - GONE * every for points in series
    )


def _every(series: Sequence[Sequence[Point]]) -> timedelta:
    """How far apart looks are."""
    between = [(later - at).total_seconds() for points in series for (at, _), (later, _) in pairwise(points)]
    return timedelta(seconds=median(between) if between else 0)
