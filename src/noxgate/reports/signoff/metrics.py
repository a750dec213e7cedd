"""The key metrics of the live phase: what was measured, beside the target and the critical limit."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from noxgate.reports.signoff.model import Shown, ShownLine

# name, unit, the limit's name in runbook.toml, the two lines; of pods at least, of the others at most
_METRICS = (
    ("Response time, p95", "ms", "p95_ms", "p95-within-target", "p95-below-critical"),
    ("Error rate", "%", "errors_percent", "errors-within-target", "errors-below-critical"),
    ("Memory, of its limit", "%", "percent", "memory-within-target", "memory-below-critical"),
    ("CPU, of its limit", "%", "percent", "cpu-within-target", "cpu-below-critical"),
    ("Pods ready", "", "pods", "pods-within-target", "pods-above-critical"),
)


@dataclass(frozen=True)
class Metric:
    """One key metric. `value` is None where the evidence does not say a number."""

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
    """Those that the runbook has."""
    for name, unit, limit, within, beyond in _METRICS:
        first, second = lines.get(f"live.{within}"), lines.get(f"live.{beyond}")
        if (
            first is None
            or second is None
            or not {limit} <= first.line.limits.keys() & second.line.limits.keys()
        ):
            continue
        at_least = limit == "pods"
        value = measured(first, at_least=at_least)
        if value is None:
            value = measured(second, at_least=at_least)
        yield Metric(
            name, unit, first.line.limits[limit], second.line.limits[limit], at_least, value, first, second
        )


def measured(shown: ShownLine, *, at_least: bool) -> float | None:
    """The worst of the numbers that the last look of its check saw; None if it saw no number."""
    if shown.outcome in {Shown.NOT_RUN, Shown.UNREACHABLE} or not shown.checks:
        return None
    found = shown.checks[-1].measured
    if found is None or not all(map(math.isfinite, found)):
        return None
    least, most = found
    return least if at_least else most
