"""Runbook 5, key metrics: the worst moment of the first half hour, against both limits."""

from collections.abc import Mapping

import pytest

from noxgate.project.runbook import Limits
from noxgate.systems.prometheus.key_metrics import KeyMetrics


@pytest.mark.runbook("live.p95-within-target")
def test_p95_is_within_target(key_metrics: KeyMetrics, limits: Limits) -> None:
    """Of what users wait for: neither scrapes and probes, nor science."""
    assert key_metrics.p95_ms(against=limits["p95_ms"]) < limits["p95_ms"]


@pytest.mark.runbook("live.p95-below-critical")
def test_p95_is_below_critical(key_metrics: KeyMetrics, limits: Limits) -> None:
    """No waiver for this one."""
    assert key_metrics.p95_ms(against=limits["p95_ms"]) < limits["p95_ms"]


@pytest.mark.runbook("live.errors-within-target")
def test_errors_are_within_target(key_metrics: KeyMetrics, limits: Limits) -> None:
    """Without any request nothing is known."""
    assert key_metrics.errors_percent(against=limits["errors_percent"]) < limits["errors_percent"]


@pytest.mark.runbook("live.errors-below-critical")
def test_errors_are_below_critical(key_metrics: KeyMetrics, limits: Limits) -> None:
    """No waiver for this one."""
    assert key_metrics.errors_percent(against=limits["errors_percent"]) < limits["errors_percent"]


@pytest.mark.runbook("live.memory-within-target")
def test_memory_is_within_target(key_metrics: KeyMetrics, limits: Limits) -> None:
    """Of each pod: an average hides the one that will be killed."""
    assert over(key_metrics.memory_percent(), limits["percent"]) == {}


@pytest.mark.runbook("live.memory-below-critical")
def test_memory_is_below_critical(key_metrics: KeyMetrics, limits: Limits) -> None:
    """No waiver for this one."""
    assert over(key_metrics.memory_percent(), limits["percent"]) == {}


@pytest.mark.runbook("live.cpu-within-target")
def test_cpu_is_within_target(key_metrics: KeyMetrics, limits: Limits) -> None:
    """Of each pod, as a share of its limit."""
    assert over(key_metrics.cpu_percent(), limits["percent"]) == {}


@pytest.mark.runbook("live.cpu-below-critical")
def test_cpu_is_below_critical(key_metrics: KeyMetrics, limits: Limits) -> None:
    """No waiver for this one."""
    assert over(key_metrics.cpu_percent(), limits["percent"]) == {}


@pytest.mark.runbook("live.pods-within-target")
def test_pods_are_within_target(key_metrics: KeyMetrics, limits: Limits) -> None:
    """At every moment, not only now."""
    assert key_metrics.pods_at_least() >= limits["pods"]


@pytest.mark.runbook("live.pods-above-critical")
def test_pods_are_above_critical(key_metrics: KeyMetrics, limits: Limits) -> None:
    """No waiver for this one."""
    assert key_metrics.pods_at_least() >= limits["pods"]


def over(shares: Mapping[str, float], limit: float) -> dict[str, str]:
    """The pods that use as much as the limit, or more; both in percent."""
    return {pod: f"{share:.3g} %, limit {limit:g} %" for pod, share in shares.items() if share >= limit}
