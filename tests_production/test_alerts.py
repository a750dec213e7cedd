"""Runbook 5, Prometheus alerts: silence of rules that are loaded, look at green, and can be heard."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.monitored.loaded_rules import not_evaluated, shipped_rules, unheard
from noxgate.blue_green.monitored.watched import firing_alerts, not_scraped
from noxgate.blue_green.running import application_pods
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import name
from noxgate.systems.prometheus.rule_series import without_series


@pytest.mark.runbook("live.alerts-quiet")
def test_no_alert_of_the_service_fires(clients: Clients, limits: Limits) -> None:
    """By the shipped rules, wherever they look, and by namespace: others watch the service, too."""
    shipped = shipped_rules(clients.manifests)
    names = {rule["alert"] for rule in shipped if "alert" in rule}
    found = firing_alerts(clients.prometheus, names, clients.namespaces, shipped)

    assert names != set()
    assert len(found) <= limits["firing"], f"firing: {found}"


@pytest.mark.runbook("live.alert-rules-loaded")
def test_every_shipped_rule_watches_green(clients: Clients, limits: Limits) -> None:
    """A rule whose labels still mean blue is as quiet as a service without trouble; so is one unheard."""
    prometheus, target = clients.prometheus, clients.target
    rules = shipped_rules(clients.manifests)
    pods = [name(pod) for pod in application_pods(clients.green)]

    assert rules != []
    assert pods != []
    assert (
        not_scraped(prometheus, clients.service.monitors, clients.green.namespace, pods, limits["seconds"])
        == {}
    )
    assert not_evaluated(prometheus, rules, limits["seconds"]) == {}
    assert without_series(prometheus, rules, target.green_namespace, target.blue_namespace) == {}
    assert unheard(prometheus, target) == []
