"""What runbook.toml says of single lines that the engine asks for: key metrics, and SLOs of a load test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyMetric:
    """What a line measures, and which of the metric's two limits it has: its target, or the critical one."""

    name: str
    unit: str
    limit: str
    bound: str
    at_least: bool = False


@dataclass(frozen=True)
class SloData:
    """Which requests are bad, of which classes: `limit` is the key of the number in the line's limits."""

    measure: str
    limit: str
    quantile: float | None = None
    only: str = ""
    apart: str = ""
    each: bool = False
