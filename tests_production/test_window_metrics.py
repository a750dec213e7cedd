"""Runbook 6: the key metrics through the window, minute by minute, and what Prometheus has not seen."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.monitored.loaded_rules import shipped_rules, unloaded_alerts
from noxgate.blue_green.monitored.watched import ours
from noxgate.blue_green.running import labelled_pods
from noxgate.errors import UnreachableError
from noxgate.project.runbook import Limits, Runbook
from noxgate.systems.kubernetes.workload import restarts
from noxgate.systems.prometheus.quiet import Quiet
from noxgate.systems.prometheus.stretches import Stretch
from noxgate.systems.prometheus.window_metrics import WindowMetrics
from noxgate.window.watching import Watching

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.runbook("window.checkpoint-1h-metrics")
def test_the_first_hour_was_within_target(
    window_metrics: WindowMetrics, quiet: Quiet, runbook: Runbook
) -> None:
    """All five, as in the first half hour; a gap in the data says nothing."""
    assert out_of_target(window_metrics, quiet, runbook) == {}


@pytest.mark.runbook("window.checkpoint-6h-traffic")
def test_users_come_as_before(
    clients: Clients, watching: Watching, window_metrics: WindowMetrics, limits: Limits
) -> None:
    """Compared with the same hour of the day before, when blue had them."""
    target = clients.target
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    end = watching.window().switched + limits["hours"] * HOUR
    now = window_metrics.between(end - HOUR, end).requests_per_second()
    before = window_metrics.between(end - DAY - HOUR, end - DAY, target.blue_namespace).requests_per_second()

    if before == 0:
        raise UnreachableError(
            f"{now:.3g} requests/s, and nobody asked blue in the same hour of the day before to compare with"
        )
    percent = 100 * now / before
    assert limits["percent_min"] <= percent <= limits["percent_max"], (
        f"{now:.3g} requests/s, {percent:.0f} % of the {before:.3g} of the day before"
    )


@pytest.mark.runbook("window.checkpoint-24h-stability")
def test_the_night_was_quiet(
    clients: Clients, window_metrics: WindowMetrics, quiet: Quiet, limits: Limits, runbook: Runbook
) -> None:
    """By Prometheus, which knows of pods that are gone, and by the cluster."""
    pods = labelled_pods(clients.green)

    assert pods != []
    assert window_metrics.restarts(limits["restarts"]) == {}
    assert restarts(pods, limits["restarts"]) == {}
    growth = window_metrics.memory_growth()
    assert growth < limits["memory_growth_percent"], f"memory grew by {growth:.1f} % of its limit"
    assert out_of_target(window_metrics, quiet, runbook) == {}


@pytest.mark.runbook("window.critical-alerts")
def test_no_critical_alert_fired(clients: Clients, window_metrics: WindowMetrics, limits: Limits) -> None:
    """Not even between two checkpoints."""
    shipped = shipped_rules(clients.manifests)
    names = {rule["alert"] for rule in shipped if "alert" in rule}
    lacking = unloaded_alerts(clients.prometheus, shipped)
    fired = window_metrics.fired(ours(names, clients.namespaces, shipped))

    assert names != set()
    assert lacking == [], f"not loaded, so that none could fire: {lacking}"
    assert len(fired) <= limits["fired"], f"fired: {fired}"


@pytest.mark.runbook("window.prometheus-coverage")
def test_prometheus_looked_all_the_time(window_metrics: WindowMetrics, limits: Limits) -> None:
    """A share alone would let an hour without a scrape pass."""
    found = window_metrics.coverage()

    assert found.percent >= limits["coverage_percent"], (
        f"{found.percent:.1f} % covered; gaps: {found.gaps[:5]}"
    )
    assert [gap for gap in found.gaps if gap.minutes >= limits["gap_minutes"]] == []


@pytest.mark.runbook("window.p95")
def test_p95_stayed_below_the_limit(window_metrics: WindowMetrics, limits: Limits) -> None:
    """A percentile of 48 hours does not show a quarter of an hour."""
    assert window_metrics.p95_over(limits["p95_ms"]) == []


@pytest.mark.runbook("window.errors")
def test_errors_stayed_below_the_limit(window_metrics: WindowMetrics, quiet: Quiet, limits: Limits) -> None:
    """And there were requests all the time, or it was quiet: requests that do not arrive cannot fail."""
    over = window_metrics.errors_over(limits["errors_percent"])

    assert over == []
    assert quiet.outages(window_metrics) == [], "no request got through"


def out_of_target(
    metrics: WindowMetrics, quiet: Quiet, runbook: Runbook
) -> dict[str, Sequence[Stretch | str]]:
    """Metric -> the minutes in which it was not within the target that section 5 gives.

    Requests that do not get through are neither slow nor failed: no target is about them.
    """
    limits = {
        name: runbook.lines[f"live.{name}-within-target"].limits
        for name in ("p95", "errors", "memory", "cpu", "pods")
    }
    if missing := metrics.pods_under(limits["pods"]["pods"]):
        return {"pods": missing}  # a pod without a scrape says nothing of the others, which would hide this
    found: dict[str, Sequence[Stretch | str]] = {
        "p95": metrics.p95_over(limits["p95"]["p95_ms"]),
        "errors": metrics.errors_over(limits["errors"]["errors_percent"]),
        "memory": metrics.memory_over(limits["memory"]["percent"]),
        "cpu": metrics.cpu_over(limits["cpu"]["percent"]),
    }
    wrong = {name: over for name, over in found.items() if over}
    return wrong or {name: over for name, over in {"no request": quiet.outages(metrics)}.items() if over}
