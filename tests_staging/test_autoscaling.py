"""Runbook 2, autoscaling: the one HPA, its conditions by type, and its minimum."""

from collections.abc import Mapping
from typing import Any

import pytest

from nox_service.clients import Clients
from noxgate.look.observation import Observation
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import condition, name, why, without_room

HPA = "nox-api-hpa-green"


@pytest.mark.runbook("staging.hpa-conditions")
def test_hpa_can_scale(clients: Clients) -> None:
    """conditions[0] is AbleToScale: by index, an HPA without metrics looks well."""
    hpa = clients.kube.need("HorizontalPodAutoscaler", HPA, clients.target.namespace)

    assert scaled(hpa) == ("Deployment", clients.service.green.deployment)
    for kind in ("AbleToScale", "ScalingActive"):
        assert condition(hpa, kind) == "True", why(hpa, kind)
    if (said := without_room(hpa)) is not None:
        clients.observe(
            Observation(said, clients.kube.again("get", "hpa", HPA, "-n", clients.target.namespace))
        )


@pytest.mark.runbook("staging.hpa-minimum")
def test_hpa_keeps_enough_pods(clients: Clients, limits: Limits) -> None:
    """Kubernetes' default, where nothing is said, is 1."""
    hpa = clients.kube.get("HorizontalPodAutoscaler", HPA, clients.target.namespace)

    assert hpa is not None
    assert hpa["spec"].get("minReplicas", 1) >= limits["pods"]
    assert hpa["status"].get("currentReplicas", 0) >= hpa["spec"].get("minReplicas", 1)


@pytest.mark.runbook("staging.hpa-unique")
def test_one_hpa_scales_the_deployment(clients: Clients) -> None:
    """In the files, where the last definition wins, and in the cluster, where two fight."""
    live = clients.kube.list("HorizontalPodAutoscaler", clients.target.namespace)
    shipped = [each.content for each in clients.manifests if each.kind == "HorizontalPodAutoscaler"]

    for hpas in (live, shipped):
        ours = [name(hpa) for hpa in hpas if scaled(hpa) == ("Deployment", clients.service.green.deployment)]
        assert ours == [HPA]


def scaled(hpa: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of what it scales."""
    target = hpa["spec"]["scaleTargetRef"]
    return target["kind"], target["name"]
