"""Runbook 4, smoke test on green: each pod by itself, before anybody gets there."""

from urllib.parse import urlsplit

import pytest

from nox_service import answers as faults
from nox_service import calculations, pages
from nox_service.pods import PodApi, echo, wrong
from nox_service.websocket import greeting, unlike
from noxgate.blue_green.routing import port_for
from noxgate.blue_green.switching import live_ingress
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, OwnWay, each_pod, each_pod_alone, is_open, left_over
from noxgate.systems.kubernetes.kube import Kube

SERVICE, BLUE_SERVICE = "nox-api-service-green", "nox-api-service-blue"


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
    assert wrong({pod: faults.health([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("green.version")
def test_each_green_pod_is_the_release(
    kube: Kube, forward: Forward, target: Target, release: Release
) -> None:
    """Through the ingress one old pod of three would be missed two times out of three."""
    answers = each_pod(kube, forward, target.green_namespace, SERVICE, lambda way: way.get("/version"))

    assert answers != {}
    assert wrong({pod: faults.version([answer], release.version) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("green.ready")
def test_each_green_pod_is_ready(kube: Kube, forward: Forward, target: Target) -> None:
    """By its own word: the kubelet asks for /health, which knows nothing of database and Redis."""
    answers = each_pod(kube, forward, target.green_namespace, SERVICE, lambda way: way.get("/ready"))

    assert answers != {}
    assert wrong({pod: faults.ready([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("green.blue-token")
def test_green_believes_blues_token(kube: Kube, forward: Forward, target: Target) -> None:
    """As the same user's: another SECRET_KEY signs everybody out, another table mixes users up."""
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")

    def profile(way: OwnWay) -> Answer:
        return PodApi(target, way).get(pages.PROFILE, who="test_token")

    blue = each_pod_alone(kube, forward, target.blue_namespace, BLUE_SERVICE, profile)
    green = each_pod_alone(kube, forward, target.green_namespace, SERVICE, profile)

    assert blue != {}
    assert wrong({pod: pages.faults(pages.PROFILE, answer) for pod, answer in blue.items()}) == {}
    assert green != {}
    first = next(iter(blue.values()))
    assert wrong({pod: pages.another_user(first, answer) for pod, answer in green.items()}) == {}


@pytest.mark.runbook("green.user-pages")
def test_each_green_pod_has_the_users_pages(kube: Kube, forward: Forward, target: Target) -> None:
    """On production's data, with production's token, before anybody gets there."""
    found = each_pod_alone(
        kube, forward, target.green_namespace, SERVICE, lambda way: pages.each(PodApi(target, way))
    )

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("green.science")
def test_each_green_pod_computes(kube: Kube, forward: Forward, target: Target) -> None:
    """The two requests that store nothing: no job is left for production's workers."""
    found = each_pod_alone(
        kube, forward, target.green_namespace, SERVICE, lambda way: calculations.each(PodApi(target, way))
    )

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("green.websocket")
def test_each_green_pod_echoes(kube: Kube, forward: Forward, target: Target) -> None:
    """At the port of the Service that the Ingress has for it, which the switch keeps."""
    message = greeting()
    port = port_for(live_ingress(kube, target), f"{urlsplit(target.base_url).path}/ws")
    echoes = each_pod_alone(
        kube, forward, target.green_namespace, SERVICE, lambda way: echo(way, "/ws", message), port
    )

    assert echoes != {}
    assert wrong({pod: unlike(each, message) for pod, each in echoes.items()}) == {}


@pytest.mark.runbook("green.port-forward-closed")
def test_nothing_listens_afterwards(kube: Kube, forward: Forward, target: Target) -> None:
    """Neither our own forward nor a kubectl's that was left open: a later test would talk to green there."""
    ways = each_pod(
        kube, forward, target.green_namespace, SERVICE, lambda way: (way.get("/version").status, way.port)
    )

    assert [port for _, port in ways.values() if port is not None and is_open(port)] == []
    assert left_over(target.green_namespace, target.kubeconfig) == {}
