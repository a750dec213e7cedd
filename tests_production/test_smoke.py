"""Runbook 4, smoke test on green: each pod by itself, before anybody gets there."""

import pytest

from nox_service import answers as faults
from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, each_pod, is_open, left_over
from noxgate.systems.kubernetes.kube import Kube

SERVICE = "nox-api-service-green"


@pytest.mark.runbook("green.port-forward")
def test_suite_has_its_own_way_to_green(kube: Kube, forward: Forward, target: Target) -> None:
    """On a port that was free, so that nobody else's forward answers; through the Service's port 80."""
    answers = each_pod(kube, forward, target.green_namespace, SERVICE, lambda way: way.get("/version"))

    assert {answer.status for answer in answers.values()} == {200}


@pytest.mark.runbook("green.health")
def test_each_green_pod_is_healthy(kube: Kube, forward: Forward, target: Target) -> None:
    """The whole word: a `degraded` with HTTP 200 is not healthy."""
    answers = each_pod(kube, forward, target.green_namespace, SERVICE, lambda way: way.get("/health"))

    assert answers != {}
    assert {pod: wrong for pod, answer in answers.items() if (wrong := faults.health([answer]))} == {}


@pytest.mark.runbook("green.version")
def test_each_green_pod_is_the_release(
    kube: Kube, forward: Forward, target: Target, release: Release
) -> None:
    """Through the ingress one old pod of three would be missed two times out of three."""
    answers = each_pod(kube, forward, target.green_namespace, SERVICE, lambda way: way.get("/version"))

    wanted = release.version
    assert answers != {}
    assert {
        pod: wrong for pod, answer in answers.items() if (wrong := faults.version([answer], wanted))
    } == {}


@pytest.mark.runbook("green.port-forward-closed")
def test_nothing_listens_afterwards(kube: Kube, forward: Forward, target: Target) -> None:
    """Neither our own forward nor a kubectl's that was left open: a later test would talk to green there."""
    ways = each_pod(
        kube, forward, target.green_namespace, SERVICE, lambda way: (way.get("/version").status, way.port)
    )

    assert [port for _, port in ways.values() if port is not None and is_open(port)] == []
    assert left_over(target.green_namespace, target.kubeconfig) == {}
