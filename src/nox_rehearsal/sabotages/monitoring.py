"""The monitors, the rules and Prometheus do not look where they should."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nox_rehearsal.checkout import NOX
from nox_rehearsal.parts import prometheus
from nox_rehearsal.parts.monitoring.configuration import UNEVALUABLE, Usual
from nox_rehearsal.parts.repository import ALERT_TESTS
from nox_rehearsal.sabotages.in_cluster import added, edited, shipped
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.ports import DISCARD
from nox_rehearsal.world.state import World

POD = "nox-api-green-2"
DRIFT = "staging.manifests-no-drift"


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _objects()
    yield from _prometheus()
    yield from _alerts()


def _objects() -> Iterator[Sabotage]:
    file, selector = "k8s/staging/monitors.yaml", "matchLabels: {app: nox-api, colour: green}"
    line = "staging.pod-monitor"
    blue = shipped(file, selector, selector.replace("green", "blue"), applied=True)
    yield Sabotage(line, "blue", "selects blue's pods", blue, "saw nox-api-green-1")
    port = shipped(file, "{port: http,", "{port: metrics,", applied=True)
    yield Sabotage(line, "port", "a port that no container names", port, "metrics")
    into = f"{selector}\n  podMetricsEndpoints"
    away = f"{selector}\n  namespaceSelector: {{matchNames: [nox-staging]}}\n  podMetricsEndpoints"
    elsewhere = shipped(file, into, away, applied=True)
    yield Sabotage(line, "elsewhere", "looks into another namespace", elsewhere, "[nox-staging]")
    line = "staging.service-monitor"
    other = shipped(
        file, f"{selector}\n  endpoints", f"{selector.replace('nox-api', 'nox')}\n  endpoints", applied=True
    )
    yield Sabotage(line, "other", "selects another Service", other, "[]")
    metrics = shipped(
        file, " endpoints:\n    - {port: http,", " endpoints:\n    - {port: metrics,", applied=True
    )
    yield Sabotage(line, "port", "a port that the Service does not name", metrics, "metrics")
    at_pods = shipped(
        file, " endpoints:\n    - {port: http,", " endpoints:\n    - {targetPort: 80,", applied=True
    )
    yield Sabotage(line, "target-port", "a port that no container declares", at_pods, "targetPort 80")
    line = "staging.prometheus-rule"
    fewer = edited("PrometheusRule", "nox-api-alerts", [{"op": "remove", "path": "/spec/groups/0/rules/0"}])
    yield Sabotage(line, "fewer", "a rule less than shipped", fewer, "is not there", (DRIFT,))


def _prometheus() -> Iterator[Sabotage]:
    line = "staging.prometheus-targets-up"
    down = _prometheus_with(lambda usual: {"monitors": usual.at(POD, f"127.0.0.1:{DISCARD}")})
    yield Sabotage(line, "down", "a pod is scraped at a wrong port", down, POD)
    absent = _prometheus_with(lambda usual: {"monitors": usual.without(POD)})
    yield Sabotage(line, "absent", "a pod is not scraped at all", absent, POD)
    line = "staging.prometheus-rules-loaded"
    none = _prometheus_with(lambda _: {"groups": []})
    yield Sabotage(line, "none", "the rule file is not loaded", none, "NoxApi")
    broken = _prometheus_with(lambda usual: {"groups": usual.changed(_first(usual), expr=UNEVALUABLE)})
    yield Sabotage(line, "error", "a rule that cannot be evaluated", broken, "on ()")
    patient = _prometheus_with(lambda usual: {"groups": usual.changed(_first(usual), **{"for": "24h"})})
    yield Sabotage(line, "patient", "a rule that waits for a day", patient, "86400")
    quiet = _prometheus_with(
        lambda usual: {"groups": usual.changed(_first(usual), labels={"severity": "info"})}
    )
    yield Sabotage(line, "quiet", "a rule that wakes nobody", quiet, "info")
    looser = _prometheus_with(lambda usual: {"groups": usual.changed(_first(usual), expr="vector(0) > 1")})
    yield Sabotage(line, "looser", "a rule of that name that never fires", looser, "vector(0) > 1")


def _alerts() -> Iterator[Sabotage]:
    line, file = "preflight.alert-rules-fire", "k8s/staging/alerts.yaml"
    deaf = shipped(file, 'job="nox-api"', 'job="nox-api-service"')
    yield Sabotage(line, "deaf", "a job that nothing is scraped under", deaf, "NoxApi")
    rate = shipped(file, "100 * sum", "sum")
    yield Sabotage(line, "rate", "a share taken for a percentage", rate, "NoxApiHighErrorRate")
    green = shipped("k8s/production/green/alerts.yaml", 'job="nox-api"', 'job="nox-api-service"')
    yield Sabotage(line, "production", "production's rules alone are deaf", green, "NoxApiVerySlow")
    new = "    - alert: NoxApiNew\n      expr: vector(0) > 1\n"
    untested = shipped(file, "    rules:\n", f"    rules:\n{new}")
    yield Sabotage(line, "untested", "an alert that no test lets fire", untested, "NoxApiNew")
    yield Sabotage(line, "always", "it always fires, and is quiet while it waits", _always, "NoxApiNew")


@contextmanager
def _always(world: World) -> Iterator[None]:
    """It fires after half an hour, as its test says, and was quiet before it could."""
    rule = "    - alert: NoxApiNew\n      expr: vector(1)\n      for: 30m\n"
    test = """
  - name: an alert that always fires
    interval: 1m
    input_series:
      - {series: 'up{namespace="nox-staging-green", job="nox-api", pod="a"}', values: 1x60}
    alert_rule_test:
      - {alertname: NoxApiNew, eval_time: 20m, exp_alerts: []}
      - {alertname: NoxApiNew, eval_time: 40m, exp_alerts: [{}]}
"""
    usual = (NOX / ALERT_TESTS).read_text(encoding="utf-8")
    with (
        shipped("k8s/staging/alerts.yaml", "    rules:\n", f"    rules:\n{rule}")(world),
        shipped("k8s/production/green/alerts.yaml", "    rules:\n", f"    rules:\n{rule}")(world),
        added(ALERT_TESTS, usual.rstrip() + test)(world),
    ):
        yield


def _prometheus_with(changes: Callable[[Usual], dict[str, Any]]) -> Switch:
    @contextmanager
    def on(world: World) -> Iterator[None]:
        prometheus.apply(world, **changes(prometheus.usual(world)))
        try:
            yield
        finally:
            prometheus.restore(world)

    return on


def _first(usual: Usual) -> str:
    return str(usual.groups[0]["rules"][0]["alert"])
