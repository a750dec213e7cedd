"""Runbook 2, autoscaling: the one HPA, its conditions by type, and its minimum."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import autoscaler_of, by_keda
from noxgate.look.observation import Observation
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import (
    autoscalers,
    condition,
    held_back,
    least_pods,
    name,
    scaled,
    unread_metrics,
    why,
    without_room,
)

HPA = "nox-api-hpa-green"


@pytest.mark.runbook("staging.hpa-conditions")
def test_hpa_can_scale(clients: Clients) -> None:
    """conditions[0] is AbleToScale: by index, an HPA without metrics looks well.

    So does one to which KEDA gives a fixed number in place of metrics.
    """
    green = clients.service.green.deployment
    hpa = autoscaler_of(clients.kube, green, clients.target.namespace, HPA)
    keda = by_keda(clients.kube, green, clients.target.namespace)

    assert scaled(hpa) == ("Deployment", green)
    for kind in ("AbleToScale", "ScalingActive"):
        assert condition(hpa, kind) == "True", why(hpa, kind)
    unread = unread_metrics(hpa)
    assert unread == [], f"without a value: {', '.join(unread)}"
    assert [said for each in keda for said in held_back(each)] == []
    if (said := without_room(hpa)) is not None:
        again = clients.kube.again("get", "hpa", name(hpa), "-n", clients.target.namespace)
        clients.observe(Observation(said, again))


@pytest.mark.runbook("staging.hpa-minimum")
def test_hpa_keeps_enough_pods(clients: Clients, limits: Limits) -> None:
    """Kubernetes' default, where nothing is said, is 1."""
    green = clients.service.green.deployment
    hpa = autoscaler_of(clients.kube, green, clients.target.namespace, HPA)
    keda = by_keda(clients.kube, green, clients.target.namespace)

    assert least_pods(hpa, keda) >= limits["pods"]
    assert hpa["status"].get("currentReplicas", 0) >= hpa["spec"].get("minReplicas", 1)


@pytest.mark.runbook("staging.hpa-unique")
def test_one_hpa_scales_the_deployment(clients: Clients) -> None:
    """In the files, where the last definition wins, and in the cluster, where two fight.

    It has its usual name, or that which KEDA gives it for the ScaledObject among the files.
    """
    green = clients.service.green.deployment
    live = clients.kube.list("HorizontalPodAutoscaler", clients.target.namespace)
    shipped = autoscalers((each.content for each in clients.manifests), green)
    by_keda = any(each.kind == "ScaledObject" for each in clients.manifests)

    assert len(shipped) == 1
    assert by_keda or shipped == [HPA]
    assert [name(hpa) for hpa in live if scaled(hpa) == ("Deployment", green)] == shipped
