"""Runbook 3, before green is deployed: without Prometheus nothing would warn during the switch."""

import pytest

from noxgate.blue_green.monitored.loaded_rules import deaf, shipped_rules, unheard
from noxgate.blue_green.monitored.watched import dark
from noxgate.blue_green.running import DEPLOYMENT, OLD_DEPLOYMENT, application_pods
from noxgate.errors import UnreachableError
from noxgate.project.runbook import Limits
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.workload import name
from noxgate.systems.prometheus.client import Prometheus


@pytest.mark.runbook("prep.monitoring-active")
def test_production_is_watched(
    kube: Kube,
    target: Target,
    prometheus: Prometheus,
    manifests: tuple[Document, ...],
    limits: Limits,
) -> None:
    """Blue's pods, and green's once they are there; by the shipped rules, which somebody hears."""
    limit = limits["seconds"]
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    pods = {
        namespace: [name(pod) for pod in application_pods(kube, namespace, deployment)]
        for namespace, deployment in (
            (target.blue_namespace, OLD_DEPLOYMENT),
            (target.green_namespace, DEPLOYMENT),
        )
    }
    unseen = [dark(prometheus, namespace, names, limit) for namespace, names in pods.items()]
    shipped = shipped_rules(manifests)

    assert pods[target.blue_namespace] != []
    assert unseen == [{}, {}]
    assert shipped != []
    assert deaf(prometheus, shipped, limit) == {}
    assert unheard(prometheus, target) == []
