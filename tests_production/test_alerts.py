"""Runbook 5, Prometheus alerts: silence of rules that are loaded, look at green, and can be heard."""

import pytest

from noxgate.blue_green.monitored.loaded_rules import not_evaluated, shipped_rules, unheard
from noxgate.blue_green.monitored.watched import firing, not_scraped
from noxgate.blue_green.running import application_pods
from noxgate.blue_green.side import Side
from noxgate.project.runbook import Limits
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.workload import name
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.rule_series import without_series


@pytest.mark.runbook("live.alerts-quiet")
def test_no_alert_of_the_service_fires(
    prometheus: Prometheus, manifests: tuple[Document, ...], target: Target, limits: Limits
) -> None:
    """By the shipped rules, wherever they look, and by namespace: others watch the service, too."""
    limit = limits["firing"]
    shipped = shipped_rules(manifests)
    names = {rule["alert"] for rule in shipped if "alert" in rule}
    ours = {target.namespace, target.green_namespace, target.blue_namespace or target.namespace}
    found = firing(prometheus, names, ours, shipped)

    assert names != set()
    assert len(found) <= limit, f"firing: {found}"


@pytest.mark.runbook("live.alert-rules-loaded")
def test_every_shipped_rule_watches_green(
    prometheus: Prometheus,
    manifests: tuple[Document, ...],
    green: Side,
    target: Target,
    service: Service,
    limits: Limits,
) -> None:
    """A rule whose labels still mean blue is as quiet as a service without trouble; so is one unheard."""
    rules = shipped_rules(manifests)
    pods = [name(pod) for pod in application_pods(green)]

    assert rules != []
    assert pods != []
    assert not_scraped(prometheus, service.monitors, green.namespace, pods, limits["seconds"]) == {}
    assert not_evaluated(prometheus, rules, limits["seconds"]) == {}
    assert without_series(prometheus, rules, target.green_namespace, target.blue_namespace) == {}
    assert unheard(prometheus, target) == []
