"""How sure a measured share or percentile is, from counts by window.

Slow requests come in bursts, so an interval for independent requests is too narrow. How much the windows
differ says by how much.

- Wilson's interval: E. B. Wilson, JASA 22 (1927), 209; for which see Brown, Cai, DasGupta, Statist. Sci. 16
  (2001), 101. With counts divided by the inflation of their variance: J. N. K. Rao, A. J. Scott, Biometrics
  48 (1992), 577. The inflation is Pearson's X^2 over its degrees of freedom: P. McCullagh, J. A. Nelder,
  Generalized Linear Models (1989), 4.5.
- The interval of a percentile is made of the limits at which its share is not decided: R. S. Woodruff, JASA
  47 (1952), 635. So it never contradicts a decision by the share.
- None among n: Clopper, Pearson, Biometrika 26 (1934), 404, one side.
- Trend: H. B. Mann, Econometrica 13 (1945), 245; P. K. Sen, JASA 63 (1968), 1379.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, sqrt
from statistics import NormalDist, median

CONFIDENCE = 0.95

Counts = tuple[int, int]  # requests, bad ones among them


@dataclass(frozen=True, slots=True)
class Interval:
    """Measured, and what the truth may be; `high` is None if the samples set no end to it."""

    measured: float
    low: float
    high: float | None


def quantile(confidence: float) -> float:
    """How many standard deviations a two-sided interval goes to each side; `confidence` between 0 and 1."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(bad: float, requests: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's two-sided interval of a share, 0 to 1. Counts need not be whole; `requests` is more than 0."""
    z = quantile(confidence)
    share = bad / requests
    middle = (share + z * z / (2 * requests)) / (1 + z * z / requests)
    spread = max(0.0, share * (1 - share) / requests) + (z / (2 * requests)) ** 2
    half = z / (1 + z * z / requests) * sqrt(spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def none_of(requests: int, confidence: float = CONFIDENCE) -> float:
    """The greatest share that goes with none bad among so many, at this confidence: about 3 / n."""
    return float(1 - (1 - confidence) ** (1 / requests))


def share_interval(windows: Sequence[Counts], confidence: float = CONFIDENCE) -> tuple[Interval, float]:
    """The share of bad requests, and the burst: how many times the variance of independent requests it has.

    At least two windows and one request.
    """
    requests = sum(count for count, _ in windows)
    bad = sum(count for _, count in windows)
    p = min(max(bad, 0.5), requests - 0.5) / requests
    pearson = sum((seen - count * p) ** 2 / (count * p * (1 - p)) for count, seen in windows if count)
    burst = max(1.0, pearson / (len(windows) - 1))
    low, high = wilson(bad / burst, requests / burst, confidence)
    return Interval(bad / requests, low, high), burst


def percentile(times: Sequence[float], share: float) -> float:
    """The least of the sorted `times`, at least one, that `share` of them do not exceed (nearest rank)."""
    return times[max(1, ceil(share * len(times) - 1e-9)) - 1]


def percentile_interval(
    windows: Sequence[Sequence[float]], share: float, confidence: float = CONFIDENCE
) -> Interval:
    """The percentile `share` of all times; `windows` are sorted, at least two, with at least one time.

    A limit below `low` would fail, one from `high` on would pass.
    """
    times = sorted(seconds for window in windows for seconds in window)

    def at(limit: float) -> Interval:
        counts = [(len(window), len(window) - bisect_right(window, limit)) for window in windows]
        return share_interval(counts, confidence)[0]

    def fails_not(limit: float) -> bool:
        return at(limit).low <= 1 - share

    def passes(limit: float) -> bool:
        return (at(limit).high or 0) < 1 - share

    measured = percentile(times, share)
    low = bisect_left(times, x=True, key=fails_not)  # it fails no more at the last: none is over that
    high = bisect_left(times, x=True, key=passes)
    return Interval(
        measured, min(times[low], measured), max(times[high], measured) if high < len(times) else None
    )


def rising(values: Sequence[float], confidence: float = CONFIDENCE) -> float | None:
    """By how much values go up from one to the next (the median slope), or None if no trend up is seen.

    Mann and Kendall's test, one side, without ties and for independent values.
    """
    steps = [(after - before, there - here) for (here, before), (there, after) in _pairs(values)]
    score = sum((step > 0) - (step < 0) for step, _ in steps)
    count = len(values)
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    if not steps or score - 1 <= NormalDist().inv_cdf(confidence) * deviation:
        return None
    return median(step / distance for step, distance in steps)


def _pairs(values: Sequence[float]) -> "combinations[tuple[tuple[int, float], ...]]":
    return combinations(enumerate(values), 2)
