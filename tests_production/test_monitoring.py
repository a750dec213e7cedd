"""Runbook 3, before green is deployed: without Prometheus nothing would warn during the switch."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.monitored.loaded_rules import not_evaluated, shipped_rules, unheard
from noxgate.blue_green.monitored.watched import not_scraped
from noxgate.blue_green.running import application_pods
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import name


@pytest.mark.runbook("prep.monitoring-active")
def test_production_is_watched(clients: Clients, limits: Limits) -> None:
    """Blue's pods, and green's once they are there; by the shipped rules, which somebody hears."""
    prometheus = clients.prometheus
    limit = limits["seconds"]
    pods = {
        side.namespace: [name(pod) for pod in application_pods(side)]
        for side in (clients.blue, clients.green)
    }
    unseen = [
        not_scraped(prometheus, clients.service.monitors, namespace, names, limit)
        for namespace, names in pods.items()
    ]
    shipped = shipped_rules(clients.manifests)

    assert pods[clients.blue.namespace] != []
    assert unseen == [{}, {}]
    assert shipped != []
    assert not_evaluated(prometheus, shipped, limit) == {}
    assert unheard(prometheus, clients.target) == []
