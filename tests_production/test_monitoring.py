"""Runbook 3, before green is deployed: without Prometheus nothing would warn during the switch."""

import pytest

from noxgate.blue_green.monitored.loaded_rules import not_evaluated, shipped_rules, unheard
from noxgate.blue_green.monitored.watched import not_scraped
from noxgate.blue_green.running import application_pods
from noxgate.blue_green.side import Side
from noxgate.project.runbook import Limits
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.workload import name
from noxgate.systems.prometheus.client import Prometheus


@pytest.mark.runbook("prep.monitoring-active")
def test_production_is_watched(
    blue: Side,
    green: Side,
    service: Service,
    target: Target,
    prometheus: Prometheus,
    manifests: tuple[Document, ...],
    limits: Limits,
) -> None:
    """Blue's pods, and green's once they are there; by the shipped rules, which somebody hears."""
    limit = limits["seconds"]
    pods = {side.namespace: [name(pod) for pod in application_pods(side)] for side in (blue, green)}
    unseen = [
        not_scraped(prometheus, service.monitors, namespace, names, limit)
        for namespace, names in pods.items()
    ]
    shipped = shipped_rules(manifests)

    assert pods[blue.namespace] != []
    assert unseen == [{}, {}]
    assert shipped != []
    assert not_evaluated(prometheus, shipped, limit) == {}
    assert unheard(prometheus, target) == []
