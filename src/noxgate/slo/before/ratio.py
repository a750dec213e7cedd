"""How many times one version's percentile, or share of failures, is another's, and what the truth may be.

Each version's own interval comes first: of a percentile, the limits at which the share of requests over it is
not decided (Woodruff, see `noxgate.slo.confidence`), from counts by window. Bursts may last longer than a
window, so that neighbours are alike: windows are also put together by twos, fours and so on, as long as LEAST
blocks are left, and the largest inflation counts (batch means; P. W. Glynn, W. Whitt, Oper. Res. Lett. 10
(1991), 431). It is itself estimated from few blocks: Student's t in place of the normal distribution.

Both intervals make that of the ratio: MOVER on logarithms (A. Donner, G. Y. Zou, Stat. Methods Med. Res. 21
(2012), 347; G. Y. Zou, A. Donner, Statist. Med. 27 (2008), 1693). Nothing is drawn at random: whoever has the
two results comes to the same interval.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, isinf, log, sqrt
from typing import Protocol

from noxgate.slo.confidence import CONFIDENCE, Interval, percentile, quantile, wilson

LEAST = 8  # blocks, of which an inflation can be told
STEPS = 16  # of a search: to a ten thousandth
SHORTEST = 1e-6  # seconds: a response time of 0 has no ratio
HALF = 0.5

Counted = tuple[float, float]  # requests, those of them that are over; of a histogram parts of requests


class Windows(Protocol):
    """The response times of one version, window by window."""

    @property
    def requests(self) -> float: ...

    @property
    def many(self) -> int:
        """How many windows have requests: at least LEAST, or nothing can be told of bursts."""

    @property
    def ends(self) -> tuple[float, float]:
        """Where all response times lie, in seconds."""

    def without(self, first: int, many: int) -> "Windows":
        """All but so many windows from that one on, of those with requests."""

    def typical(self, share: float, least: int) -> list[float]:
        """By window, in the order of time, how slow it was at this percentile: more than 0. See `typical`.

        Neighbours are put together until they have `least` requests.
        """

    def over(self, seconds: float) -> list[Counted]:
        """By window, the requests, and those that took longer."""

    def percentile(self, share: float) -> float:
        """What this share of all requests does not exceed."""


@dataclass(frozen=True)
class Timed:
    """Windows of single response times; each sorted."""

    windows: Sequence[Sequence[float]]

    @property
    def requests(self) -> float:
        return len(self._times)

    @property
    def many(self) -> int:
        return sum(1 for window in self.windows if window)

    @property
    def ends(self) -> tuple[float, float]:
        return max(SHORTEST, self._times[0]), max(2 * SHORTEST, self._times[-1])

    def without(self, first: int, many: int) -> "Timed":
        kept = [window for window in self.windows if window]
        return Timed([*kept[:first], *kept[first + many :]])

    def typical(self, share: float, least: int) -> list[float]:
        found, together = [], list[float]()
        for window in self.windows:
            together += window
            if len(together) >= least:
                found.append(max(SHORTEST, percentile(sorted(together), share)))
                together = []
        return found

    def over(self, seconds: float) -> list[Counted]:
        return [(len(one), len(one) - bisect_right(one, seconds)) for one in self.windows if one]

    def percentile(self, share: float) -> float:
        return max(SHORTEST, percentile(self._times, share))

    @cached_property
    def _times(self) -> list[float]:
        return sorted(seconds for window in self.windows for seconds in window)


@dataclass(frozen=True)
class Ratio:
    """Measured, and what the truth may be; `high` is infinite where the samples set no end to it."""

    measured: float
    low: float
    high: float


def student(confidence: float, free: int) -> float:
    """How many standard deviations a two-sided interval goes to each side, with so many degrees of freedom.

    Cornish and Fisher's expansion (Abramowitz, Stegun, 26.7.5); 0.1 % off at 9 degrees, less with more.
    """
    z = quantile(confidence)
    return (
        z
        + (z**3 + z) / (4 * free)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * free**3)
    )


def share_of(windows: Sequence[Counted], confidence: float = CONFIDENCE) -> Interval:
    """The share of requests that are over, or failed; each window has some, LEAST of them tell of bursts."""
    requests = sum(count for count, _ in windows)
    over = sum(count for _, count in windows)
    p = min(max(over, HALF), requests - HALF) / requests
    wider, blocks = 1.0, list(windows)
    while len(blocks) >= LEAST or len(blocks) == len(windows) > 1:
        pearson = sum((seen - count * p) ** 2 / (count * p * (1 - p)) for count, seen in blocks)
        free = len(blocks) - 1
        many = (student(confidence, free) / quantile(confidence)) ** 2
        wider = max(wider, many * max(1.0, pearson / free))
        blocks = [
            (one[0] + other[0], one[1] + other[1])
            for one, other in zip(blocks[::2], blocks[1::2], strict=False)
        ]
    low, high = wilson(over / wider, requests / wider, confidence)
    return Interval(over / requests, low, high)


def percentile_of(windows: Windows, share: float, confidence: float = CONFIDENCE) -> Interval:
    """The percentile `share`; its `high` is None if no response time is surely beyond it."""
    tail = 1 - share

    def fails(seconds: float) -> bool:
        return share_of(windows.over(seconds), confidence).low > tail

    def passes(seconds: float) -> bool:
        return (share_of(windows.over(seconds), confidence).high or 0.0) < tail

    measured = windows.percentile(share)
    least, most = windows.ends
    low = _border(least, measured, lambda seconds: not fails(seconds))
    high = _border(measured, most, passes)
    return Interval(measured, min(low or measured, measured), high)


def _border(least: float, most: float, is_so: Callable[[float], bool]) -> float | None:
    """From where on it is so, between these; None if it is not so even at the end."""
    if is_so(least):
        return least
    if not is_so(most):
        return None
    low, high = log(least), log(most)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_so(exp(middle)) else (middle, high)
    return exp(high)


def ratio(now: Interval, before: Interval) -> Ratio:
    """Of two independent measurements, each more than 0."""
    distance = log(now.measured / before.measured)
    now_low, now_high = _arms(now)
    before_low, before_high = _arms(before)
    low = distance - sqrt(now_low**2 + before_high**2)
    high = distance + sqrt(now_high**2 + before_low**2)
    return Ratio(exp(distance), exp(low), inf if isinf(high) else exp(high))


def _arms(interval: Interval) -> tuple[float, float]:
    """How far it goes to each side, as logarithms."""
    low = inf if interval.low <= 0 else log(interval.measured / interval.low)
    return max(0.0, low), inf if interval.high is None else max(0.0, log(interval.high / interval.measured))
