"""The key metrics of the live phase: what was measured, beside the target and the critical limit."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from noxgate.reports.signoff.model import Shown, ShownLine


@dataclass(frozen=True)
class Metric:
    """One key metric. `value` is None if the evidence does not say a number."""

    name: str
    unit: str
    target: float
    critical: float
    at_least: bool
    value: float | None
    within: ShownLine
    beyond: ShownLine

    @property
    def scale(self) -> float:
        """The value at the right end of the drawing."""
        return max(self.critical, self.target, self.value or 0.0) * 1.15 or 1.0

    def share(self, value: float) -> float:
        """Where a value lies in the drawing, in percent of its width."""
        return round(100 * max(0.0, value) / self.scale, 1)


def key_metrics(lines: Mapping[str, ShownLine]) -> Iterator[Metric]:
    """Those that the runbook has, each by its two lines."""
    metrics = [(shown.line.metric, shown) for shown in lines.values() if shown.line.metric]
    critical = {said.name: (said, shown) for said, shown in metrics if said.bound == "critical"}
    for said, first in metrics:
        if said.bound != "target" or said.name not in critical:
            continue  # a page may be of a part of the phases
        other, second = critical[said.name]
        value = measured(first, at_least=said.at_least)
        if value is None:
            value = measured(second, at_least=said.at_least)
        limits = first.line.limits[said.limit], second.line.limits[other.limit]
        yield Metric(said.name, said.unit, *limits, said.at_least, value, first, second)


def measured(shown: ShownLine, *, at_least: bool) -> float | None:
    """The worst of the numbers that the last look of its check saw; None if it saw no number."""
    if shown.outcome in {Shown.NOT_RUN, Shown.UNREACHABLE} or not shown.checks:
        return None
    found = shown.checks[-1].measured
    if found is None or not all(map(math.isfinite, found)):
        return None
    least, most = found
    return least if at_least else most
