"""Response times of which only buckets are known, window by window, and their sum.

Where in a bucket a percentile lies is made up (linearly, as histogram_quantile() has it): of two versions
alike, with the same error. The mean is exact. So a percentile in wide buckets alone calls nothing slower: the
buckets must prove it, or the mean agree (see `noxgate.blue_green.slower.since_switch`).
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import exp, inf, isinf, sqrt

from noxgate.errors import UnreachableError
from noxgate.slo.before.ratio import HALF, LEAST, SHORTEST, Counted, student
from noxgate.slo.confidence import CONFIDENCE, Interval

FIRST = 1000  # parts of the first bucket, which begins at 0: a logarithm needs more


@dataclass(frozen=True)
class Buckets:
    """Each window has the requests up to each edge, the last of which is infinite; `means` are theirs."""

    edges: Sequence[float]
    windows: Sequence[Sequence[float]]
    means: Sequence[float]

    @classmethod
    def of(cls, selector: str, windows: Sequence[Mapping[str, float]], means: Sequence[float]) -> "Buckets":
        """By the label `le`. Raises UnreachableError if these are not buckets."""
        names = {name for window in windows for name in window}
        edges = sorted({float(name) for name in names})
        if len(edges) < 2 or not isinf(edges[-1]):  # noqa: PLR2004 (one to compare with, and all)
            raise UnreachableError(f'{selector}: expected buckets, and one with le="+Inf"; saw {edges}')
        by_edge = [{float(name): amount for name, amount in window.items()} for window in windows]
        counts = [[*accumulate((window.get(edge, 0.0) for edge in edges), max)] for window in by_edge]
        return cls(edges, [window for window in counts if window[-1] > 0], means)

    @property
    def requests(self) -> float:
        return sum(window[-1] for window in self.windows)

    @property
    def many(self) -> int:
        return len(self.windows)

    @property
    def ends(self) -> tuple[float, float]:
        first = next(edge for edge in self.edges if edge > 0)
        return max(SHORTEST, first / FIRST), max(2 * SHORTEST, self.edges[-2])

    def without(self, first: int, many: int) -> "Buckets":
        return replace(self, windows=[*self.windows[:first], *self.windows[first + many :]])

    def typical(self, share: float, least: int) -> list[float]:
        """The median's are the windows' means, which are exact."""
        if share <= HALF:
            return [max(SHORTEST, mean) for mean in self.means]
        found, together = [], [0.0] * len(self.edges)
        for window in self.windows:
            together = [some + more for some, more in zip(together, window, strict=True)]
            if together[-1] >= least:
                found.append(replace(self, windows=[together]).percentile(share))
                together = [0.0] * len(self.edges)
        return found

    def over(self, seconds: float) -> list[Counted]:
        return [(window[-1], window[-1] - self._up_to(window, seconds)) for window in self.windows]

    def percentile(self, share: float) -> float:
        summed = [sum(column) for column in zip(*self.windows, strict=True)]
        rank = share * summed[-1]
        at = next(number for number, count in enumerate(summed) if count >= rank)
        if at == len(self.edges) - 1:
            return self.edges[-2]
        low, below = (self.edges[at - 1], summed[at - 1]) if at else (0.0, 0.0)
        part = (rank - below) / (summed[at] - below) if summed[at] > below else 0.0
        return max(SHORTEST, low + (self.edges[at] - low) * part)

    def at_edges(self, edges: Sequence[float]) -> "Buckets":
        """With no other edges than these, which are some of its own; the last is infinite."""
        places = [self.edges.index(edge) for edge in edges]
        return replace(self, edges=edges, windows=[[one[at] for at in places] for one in self.windows])

    def around(self, seconds: float) -> tuple[float, float]:
        """The edges of the bucket that has it."""
        at = bisect_left(self.edges, seconds)
        return (self.edges[at - 1] if at else 0.0), self.edges[at]

    def _up_to(self, window: Sequence[float], seconds: float) -> float:
        at = bisect_left(self.edges, seconds)
        if at == len(self.edges) - 1:
            return window[at] if self.edges[at - 1] < seconds == inf else window[at - 1]
        low, below = (self.edges[at - 1], window[at - 1]) if at else (0.0, 0.0)
        return below + (window[at] - below) * (seconds - low) / (self.edges[at] - low)


def mean_of(windows: Sequence[tuple[float, float]], confidence: float = CONFIDENCE) -> Interval:
    """The mean of (requests, their seconds) by window: a ratio of sums, whose error the windows tell.

    Neighbours are put together as those of a share are (see `noxgate.slo.before.ratio`). Its ends are as many
    times the mean to each side: times are never below 0, and however they vary, a ratio has an end.
    """
    requests, seconds = (sum(column) for column in zip(*windows, strict=True))
    mean = max(SHORTEST, seconds / requests)
    half, blocks = 0.0, list(windows)
    while len(blocks) >= LEAST:
        free = len(blocks) - 1
        squares = sum((some - mean * count) ** 2 for count, some in blocks) * len(blocks) / free
        half = max(half, student(confidence, free) * sqrt(squares) / requests)
        blocks = [
            (one[0] + other[0], one[1] + other[1])
            for one, other in zip(blocks[::2], blocks[1::2], strict=False)
        ]
    return Interval(mean, mean * exp(-half / mean), mean * exp(half / mean))
