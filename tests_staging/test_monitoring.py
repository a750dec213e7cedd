"""Runbook 2, monitors: the objects exist, select what they should, and Prometheus acts on them."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document
from noxgate.clients.prometheus import Prometheus
from noxgate.clients.workload import living, name, selector_text
from noxgate.runbook import Runbook
from noxgate.target import Target

SERVICE = "nox-api-service-green"
PODS = "app=nox-api"
# As the Prometheus operator names the jobs that it makes of our monitors; a mesh's look at something else.
MONITORS = ("podMonitor/{}/nox-api-podmonitor/", "serviceMonitor/{}/nox-api-servicemonitor/")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


@pytest.mark.runbook("staging.pod-monitor")
def test_pod_monitor_selects_every_pod(kube: Kube, target: Target) -> None:
    """A monitor that selects nothing exists just as well. Its port is one that the containers name."""
    monitor = kube.need("PodMonitor", "nox-api-podmonitor", target.namespace)
    pods = living(kube.list("Pod", target.namespace, PODS))

    selected = living(kube.list("Pod", target.namespace, selector_text(monitor["spec"]["selector"])))
    assert pods != []
    assert [name(pod) for pod in selected] == [name(pod) for pod in pods]
    assert target.namespace in searched(monitor, target.namespace)
    named = [endpoint.get("port") for endpoint in monitor["spec"].get("podMetricsEndpoints") or []]
    assert named != []
    for pod in pods:
        ports = [port.get("name") for each in pod["spec"]["containers"] for port in each.get("ports") or []]
        assert (name(pod), [port for port in named if port not in ports]) == (name(pod), [])


@pytest.mark.runbook("staging.service-monitor")
def test_service_monitor_selects_the_service(kube: Kube, target: Target) -> None:
    """By the Service's labels, and with a port that it names."""
    monitor = kube.get("ServiceMonitor", "nox-api-servicemonitor", target.namespace)

    assert monitor is not None
    selected = kube.list("Service", target.namespace, selector_text(monitor["spec"]["selector"]))
    assert [name(service) for service in selected] == [SERVICE]
    assert target.namespace in searched(monitor, target.namespace)
    named = [endpoint.get("port") for endpoint in monitor["spec"].get("endpoints") or []]
    ports = [port.get("name") for port in selected[0]["spec"]["ports"]]
    assert named != []
    assert [port for port in named if port not in ports] == []


@pytest.mark.runbook("staging.prometheus-rule")
def test_prometheus_rule_holds_the_shipped_alerts(
    kube: Kube, target: Target, manifests: tuple[Document, ...]
) -> None:
    """Group by group and rule by rule, as the file under manifests says."""
    rule = kube.need("PrometheusRule", "nox-api-alerts", target.namespace)
    shipped = [each.content for each in manifests if each.kind == "PrometheusRule"]

    assert [name(each) for each in shipped] == ["nox-api-alerts"]
    assert [each for group in rule["spec"]["groups"] for each in group["rules"]] != []
    assert rule["spec"]["groups"] == shipped[0]["spec"]["groups"]


@pytest.mark.runbook("staging.prometheus-targets-up")
def test_prometheus_scrapes_every_pod(
    kube: Kube, target: Target, prometheus: Prometheus, runbook: Runbook
) -> None:
    """A pod that Prometheus does not know is as dark as one that it cannot reach."""
    limit = runbook.lines["staging.prometheus-targets-up"].limits["seconds"]
    pods = [name(pod) for pod in living(kube.list("Pod", target.namespace, PODS))]
    scraped = [
        (one.labels.get("pod", ""), one)
        for one in prometheus.targets()
        if one.pool.startswith(tuple(monitor.format(target.namespace) for monitor in MONITORS))
    ]
    now = datetime.now(UTC)

    assert pods != []
    assert [pod for pod in pods if pod not in dict(scraped)] == []
    down = {
        pod: f"{one.health}: {one.last_error}" for pod, one in scraped if pod in pods and one.health != "up"
    }
    assert down == {}
    ages = [
        (pod, math.inf if one.last_scrape is None else (now - one.last_scrape).total_seconds())
        for pod, one in scraped
    ]
    assert [(pod, age) for pod, age in ages if pod in pods and age > limit] == []


@pytest.mark.runbook("staging.prometheus-rules-loaded")
def test_prometheus_judges_every_shipped_rule(
    prometheus: Prometheus, manifests: tuple[Document, ...], runbook: Runbook
) -> None:
    """By expression, not by name alone, and evaluated a moment ago without an error."""
    limit = runbook.lines["staging.prometheus-rules-loaded"].limits["seconds"]
    shipped = [
        rule
        for each in manifests
        if each.kind == "PrometheusRule"
        for group in each.content["spec"]["groups"]
        for rule in group["rules"]
    ]
    loaded = prometheus.rules()
    now = datetime.now(UTC)

    assert shipped != []
    wrong: dict[str, object] = {}
    for rule in shipped:
        called, expression = rule.get("alert") or rule["record"], prometheus.formatted(rule["expr"])
        labels, wait = rule.get("labels") or {}, seconds(rule.get("for", "0s"))
        named = {prometheus.formatted(one.query): one for one in loaded if one.name == called}
        found = named.get(expression)
        if found is None:
            wrong[called] = f"expected {expression}, loaded {list(named) or 'nothing of that name'}"
        elif found.for_seconds != wait or not labels.items() <= found.labels.items():
            wrong[called] = f"loaded with for {found.for_seconds:g} s and {dict(found.labels)}"
        elif found.health != "ok" or found.last_error:
            wrong[called] = f"{found.health}: {found.last_error}"
        elif found.last_evaluation is None or (now - found.last_evaluation).total_seconds() > limit:
            wrong[called] = f"last evaluated at {found.last_evaluation}"
    assert wrong == {}


def searched(monitor: Mapping[str, Any], namespace: str) -> list[str]:
    """The namespaces that a monitor of this namespace looks into: its own, unless it says otherwise."""
    chosen = monitor["spec"].get("namespaceSelector") or {}
    return [namespace] if chosen.get("any") else chosen.get("matchNames") or [namespace]


def seconds(duration: str) -> float:
    """A duration of Prometheus, such as 1m30s."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))
