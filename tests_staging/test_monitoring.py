"""Runbook 2, monitors: the objects exist, select what they should, and Prometheus acts on them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from noxgate.blue_green.monitored.loaded_rules import differing, not_evaluated, shipped_rules
from noxgate.blue_green.monitored.monitors import unscraped_pods, unscraped_services
from noxgate.blue_green.monitored.watched import not_scraped
from noxgate.blue_green.running import application_pods, labelled_pods
from noxgate.blue_green.side import Side
from noxgate.errors import UnreachableError
from noxgate.project.runbook import Limits
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.workload import living, name, selector_text
from noxgate.systems.prometheus.client import Prometheus


@pytest.mark.runbook("staging.pod-monitor")
def test_pod_monitor_selects_every_pod(kube: Kube, target: Target, green: Side) -> None:
    """A monitor that selects nothing exists just as well. Its port is one that the containers declare."""
    monitor = kube.need("PodMonitor", "nox-api-podmonitor", target.namespace)
    pods = application_pods(green)
    every = set(map(name, labelled_pods(green)))

    chosen = living(kube.list("Pod", target.namespace, selector_text(monitor["spec"]["selector"])))
    selected = set(map(name, chosen))
    assert pods != []
    assert sorted(set(map(name, pods)) - selected) == []
    assert sorted(selected - every) == [], "it selects others as well"
    assert target.namespace in searched(monitor, target.namespace)
    endpoints = monitor["spec"].get("podMetricsEndpoints") or []
    assert endpoints != []
    assert unscraped_pods(endpoints, pods) == []


@pytest.mark.runbook("staging.service-monitor")
def test_service_monitor_selects_the_service(kube: Kube, target: Target, service: Service) -> None:
    """By the Service's labels, and with a port that it names, or that the containers behind it declare."""
    monitor = kube.get("ServiceMonitor", "nox-api-servicemonitor", target.namespace)

    assert monitor is not None
    selected = kube.list("Service", target.namespace, selector_text(monitor["spec"]["selector"]))
    assert [name(each) for each in selected] == [service.green.service]
    assert target.namespace in searched(monitor, target.namespace)
    endpoints = monitor["spec"].get("endpoints") or []
    behind = living(
        kube.list("Pod", target.namespace, selector_text({"matchLabels": selected[0]["spec"]["selector"]}))
    )
    assert behind != []
    assert endpoints != []
    assert unscraped_services(endpoints, selected, behind) == []


@pytest.mark.runbook("staging.prometheus-rule")
def test_prometheus_rule_holds_the_shipped_alerts(
    kube: Kube, target: Target, manifests: tuple[Document, ...]
) -> None:
    """Group by group and rule by rule, as the file under manifests says; so does each other one."""
    shipped = {
        (each.namespace or target.namespace, each.name): each.content
        for each in manifests
        if each.kind == "PrometheusRule"
    }
    assert (target.namespace, "nox-api-alerts") in shipped
    for (namespace, called), document in shipped.items():
        groups = kube.need("PrometheusRule", called, namespace)["spec"].get("groups") or []
        rules = [each for group in groups for each in group.get("rules") or []]
        assert rules != []
        assert differing(groups, document["spec"].get("groups") or []) == []


@pytest.mark.runbook("staging.prometheus-targets-up")
def test_prometheus_scrapes_every_pod(
    green: Side, service: Service, prometheus: Prometheus, limits: Limits
) -> None:
    """A pod that Prometheus does not know is unwatched, like one that it cannot reach."""
    limit = limits["seconds"]
    pods = [name(pod) for pod in application_pods(green)]
    wrong = not_scraped(prometheus, service.monitors, green.namespace, pods, limit)

    assert pods != []
    assert wrong == {}


@pytest.mark.runbook("staging.prometheus-rules-loaded")
def test_prometheus_judges_every_shipped_rule(
    prometheus: Prometheus, manifests: tuple[Document, ...], limits: Limits
) -> None:
    """By expression, not by name alone, and evaluated a moment ago without an error.

    Whether an Alertmanager hears them is said, and asked for in production alone.
    """
    limit = limits["seconds"]
    shipped = shipped_rules(manifests)
    wrong = not_evaluated(prometheus, shipped, limit)
    with suppress(UnreachableError):
        prometheus.alertmanagers()

    assert shipped != []
    assert wrong == {}


def searched(monitor: Mapping[str, Any], namespace: str) -> list[str]:
    """The namespaces that a monitor of this namespace looks into: its own, unless it says otherwise."""
    chosen = monitor["spec"].get("namespaceSelector") or {}
    return [namespace] if chosen.get("any") else chosen.get("matchNames") or [namespace]
