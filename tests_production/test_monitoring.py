"""Runbook 3, before green is deployed: without Prometheus nothing would warn during the switch."""

import pytest

from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document
from noxgate.clients.prometheus import Prometheus
from noxgate.clients.watched import dark, deaf, shipped_rules
from noxgate.clients.workload import living, name
from noxgate.runbook import Runbook
from noxgate.target import Target, UnreachableError

PODS = "app=nox-api"


@pytest.mark.runbook("prep.monitoring-active")
def test_production_is_watched(
    kube: Kube,
    target: Target,
    prometheus: Prometheus,
    manifests: tuple[Document, ...],
    runbook: Runbook,
) -> None:
    """Blue's pods, and green's once they are there; by the rules that the release ships."""
    limit = runbook.lines["prep.monitoring-active"].limits["seconds"]
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    pods = {
        namespace: [name(pod) for pod in living(kube.list("Pod", namespace, PODS))]
        for namespace in (target.blue_namespace, target.green_namespace)
    }
    unseen = [dark(prometheus, namespace, names, limit) for namespace, names in pods.items()]
    shipped = shipped_rules(manifests)

    assert pods[target.blue_namespace] != []
    assert unseen == [{}, {}]
    assert shipped != []
    assert deaf(prometheus, shipped, limit) == {}
