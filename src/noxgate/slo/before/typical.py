"""How many times one version's typical window is another's: a shift of all windows, not of a few odd ones.

Bursts are in one hold more often than in another: a percentile of all requests then says little, however many
there are. Most windows are without. So the windows' own values are compared by rank: the ratio is Hodges and
Lehmann's estimate on logarithms, and its interval holds each ratio that the test of E. Brunner, U. Munzel,
Biometrical J. 42 (2000), 17, does not refuse. The variances are those of blocks of windows, as in
`noxgate.slo.before.ratio`: neighbours are alike.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from math import exp, inf, log, sqrt

from noxgate.slo.before.ratio import LEAST, Ratio, student
from noxgate.slo.confidence import CONFIDENCE

STEPS = 16  # of a search: to a ten thousandth
BEYOND = 1e-6  # of a logarithm: a little more than the greatest difference


def ratio_of_windows(now: Sequence[float], before: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """Of values by window, in the order of time, each more than 0; at least LEAST on both sides."""
    later, earlier = [log(value) for value in now], [log(value) for value in before]
    least = min(later) - max(earlier) - BEYOND
    most = max(later) - min(earlier) + BEYOND

    def beyond(shift: float) -> tuple[float, float]:
        """By how much later ones are still greater, from -0.5 to 0.5, and how sure that is."""
        moved = [value + shift for value in earlier]
        above = _places(later, sorted(moved))
        below = [1 - place for place in _places(moved, sorted(later))]
        error = sqrt(_of_mean(above, confidence) + _of_mean(below, confidence))
        return sum(above) / len(above) - 0.5, error

    def last(holds: Callable[[float], bool]) -> float:
        """The greatest shift for which it holds: it does for small ones."""
        low, high = least, most
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low

    def is_more(shift: float) -> bool:
        difference, error = beyond(shift)
        return difference > error

    def is_not_less(shift: float) -> bool:
        difference, error = beyond(shift)
        return difference >= -error

    measured = last(lambda shift: beyond(shift)[0] > 0)
    low, high = last(is_more), last(is_not_less)
    return Ratio(exp(measured), exp(min(low, measured)), exp(max(high, measured)) if high < most else inf)


def _places(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Of each value, what share of the sorted others is below it; equal ones by half."""
    many = 2 * len(others)
    return [(bisect_left(others, value) + bisect_right(others, value)) / many for value in values]


def _of_mean(places: Sequence[float], confidence: float) -> float:
    """The square of half the interval of their mean, by single windows or by blocks, whichever is wider."""
    mean, wider = sum(places) / len(places), 0.0
    blocks = list(places)
    while len(blocks) >= LEAST:
        free = len(blocks) - 1
        squares = sum((value - mean) ** 2 for value in blocks) / free
        wider = max(wider, student(confidence, free) ** 2 * squares / len(blocks))
        blocks = [(one + other) / 2 for one, other in zip(blocks[::2], blocks[1::2], strict=False)]
    return wider
