"""How often containers restarted in a time, by what the cluster counts for as long as a pod lives."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from noxgate.errors import UnreachableError
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.stretches import STEP

GAP = timedelta(seconds=3 * STEP)
Parts = Iterable[Sequence[Series]]


@dataclass(frozen=True)
class Restarted:
    """Pod -> how often it did. `unknown` is what was first seen of a pod that may well be older."""

    rises: Mapping[str, float]
    unknown: Mapping[str, float]

    @property
    def said(self) -> str:
        shown = ", ".join(f"{pod}: {times:g}" for pod, times in self.unknown.items())
        return f"not counted: restarts that pods were first seen with, and that may be older: {shown}"

    def over(self, most: float) -> dict[str, float]:
        """The pods that did so more often. Raises UnreachableError if what was not counted decides it."""
        over = {pod: rise for pod, rise in self.rises.items() if rise > most}
        if not over and any(self.rises.get(pod, 0) + times > most for pod, times in self.unknown.items()):
            raise UnreachableError(f"expected at most {most:g} restarts of each pod; {self.said}")
        return over


def restarted(asked: Parts, started: Parts, since: datetime) -> Restarted:
    """Of each minute's counts, some of them from before; `started` says when pods did.

    What is first seen of a pod is its number of restarts since then only where the pod is new: it started
    since, or others were looked at a minute before, and it was not there. What rose over a gap that begins
    before that time may be older, too.
    """
    found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for one in (one for part in asked for one in part):
        found[one.labels.get("pod", "")] += one.points
    if none := sorted(pod for pod, points in found.items() if any(math.isnan(value) for _, value in points)):
        raise UnreachableError(f"expected numbers of restarts, saw NaN: {', '.join(none)}")
    looked = {at for points in found.values() for at, _ in points}
    young = _young(started, since)
    rises: dict[str, float] = {}
    unknown: dict[str, float] = {}
    for pod, points in found.items():
        is_young = pod in young
        rises[pod] = 0.0
        begun, value = points[0]
        is_new = is_young or begun - timedelta(seconds=STEP) in looked
        steps = [(begun, is_new, value)] if begun > since and value else []
        for (was_at, before), (at, now) in pairwise(points):
            is_whole = is_young or was_at >= since or at - was_at <= GAP
            steps.append((at, is_whole, now - before if now >= before else now))
        for at, is_known, rise in steps:
            if at > since and rise:
                to = rises if is_known else unknown
                to[pod] = to.get(pod, 0.0) + rise
    return Restarted(rises, unknown)


def _young(started: Parts, since: datetime) -> set[str]:
    return {
        one.labels.get("pod", "")
        for part in started
        for one in part
        if any(value >= since.timestamp() for _, value in one.points)
    }
