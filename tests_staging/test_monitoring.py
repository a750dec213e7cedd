"""Runbook 2, monitors: the objects exist, select what they should, and Prometheus acts on them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.monitored.loaded_rules import different_rules, not_evaluated, shipped_rules
from noxgate.blue_green.monitored.monitors import unscraped_pods, unscraped_services
from noxgate.blue_green.monitored.watched import not_scraped
from noxgate.blue_green.running import application_pods, labelled_pods
from noxgate.errors import UnreachableError
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import living, name, selector_text


@pytest.mark.runbook("staging.pod-monitor")
def test_pod_monitor_selects_every_pod(clients: Clients) -> None:
    """A monitor that selects nothing exists just as well. Its port is one that the containers declare."""
    target = clients.target
    monitor = clients.kube.need("PodMonitor", "nox-api-podmonitor", target.namespace)
    pods = application_pods(clients.green)
    every = set(map(name, labelled_pods(clients.green)))

    chosen = living(clients.kube.list("Pod", target.namespace, selector_text(monitor["spec"]["selector"])))
    selected = set(map(name, chosen))
    assert pods != []
    assert sorted(set(map(name, pods)) - selected) == []
    assert sorted(selected - every) == [], "it selects others as well"
    assert target.namespace in searched(monitor, target.namespace)
    endpoints = monitor["spec"].get("podMetricsEndpoints") or []
    assert endpoints != []
    assert unscraped_pods(endpoints, pods) == []


@pytest.mark.runbook("staging.service-monitor")
def test_service_monitor_selects_the_service(clients: Clients) -> None:
    """By the Service's labels, and with a port that it names, or that the containers behind it declare."""
    kube, target = clients.kube, clients.target
    monitor = kube.get("ServiceMonitor", "nox-api-servicemonitor", target.namespace)

    assert monitor is not None
    selected = kube.list("Service", target.namespace, selector_text(monitor["spec"]["selector"]))
    assert [name(each) for each in selected] == [clients.service.green.service]
    assert target.namespace in searched(monitor, target.namespace)
    endpoints = monitor["spec"].get("endpoints") or []
    behind = living(
        kube.list("Pod", target.namespace, selector_text({"matchLabels": selected[0]["spec"]["selector"]}))
    )
    assert behind != []
    assert endpoints != []
    assert unscraped_services(endpoints, selected, behind) == []


@pytest.mark.runbook("staging.prometheus-rule")
def test_prometheus_rule_holds_the_shipped_alerts(clients: Clients) -> None:
    """Group by group and rule by rule, as the file under manifests says; so does each other one."""
    shipped = {
        (each.namespace or clients.target.namespace, each.name): each.content
        for each in clients.manifests
        if each.kind == "PrometheusRule"
    }
    ours = clients.target.namespace, "nox-api-alerts"
    assert ours in shipped, f"the manifests hold no PrometheusRule {'/'.join(ours)}"
    for (namespace, called), document in shipped.items():
        groups = clients.kube.need("PrometheusRule", called, namespace)["spec"].get("groups") or []
        rules = [each for group in groups for each in group.get("rules") or []]
        assert rules != []
        assert different_rules(groups, document["spec"].get("groups") or []) == []


@pytest.mark.runbook("staging.prometheus-targets-up")
def test_prometheus_scrapes_every_pod(clients: Clients, limits: Limits) -> None:
    """A pod that Prometheus does not know is unwatched, like one that it cannot reach."""
    limit = limits["seconds"]
    pods = [name(pod) for pod in application_pods(clients.green)]
    wrong = not_scraped(clients.prometheus, clients.service.monitors, clients.green.namespace, pods, limit)

    assert pods != []
    assert wrong == {}


@pytest.mark.runbook("staging.prometheus-rules-loaded")
def test_prometheus_judges_every_shipped_rule(clients: Clients, limits: Limits) -> None:
    """By expression, not by name alone, and evaluated a moment ago without an error.

    Whether an Alertmanager hears them is said, and asked for in production alone.
    """
    shipped = shipped_rules(clients.manifests)
    wrong = not_evaluated(clients.prometheus, shipped, limits["seconds"])
    with suppress(UnreachableError):
        clients.prometheus.alertmanagers()

    assert shipped != []
    assert wrong == {}


def searched(monitor: Mapping[str, Any], namespace: str) -> list[str]:
    """The namespaces that a monitor of this namespace looks into: its own, unless it says otherwise."""
    chosen = monitor["spec"].get("namespaceSelector") or {}
    return [namespace] if chosen.get("any") else chosen.get("matchNames") or [namespace]
