"""Runbook 4, smoke test on green: each pod by itself, before anybody gets there."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from noxgate.clients.forward import Forward, Way, is_open, left_over, pod_port
from noxgate.clients.kube import Kube
from noxgate.clients.workload import living, name, selector_text
from noxgate.runbook import Release
from noxgate.target import Target

T = TypeVar("T")
SERVICE, PORT = "nox-api-service-green", 80


@pytest.mark.runbook("green.port-forward")
def test_suite_has_its_own_way_to_green(kube: Kube, forward: Forward, target: Target) -> None:
    """On a port that was free, so that nobody else's forward answers; through the Service's port 80."""
    answers = each_pod(kube, forward, target, lambda way: way.get("/version"))

    assert {answer.status for answer in answers.values()} == {200}


@pytest.mark.runbook("green.health")
def test_each_green_pod_is_healthy(kube: Kube, forward: Forward, target: Target) -> None:
    """The whole word: a `degraded` with HTTP 200 is not healthy."""
    answers = each_pod(kube, forward, target, lambda way: way.get("/health"))

    assert {pod: answer.status for pod, answer in answers.items()} == dict.fromkeys(answers, 200)
    found = {pod: answer.field("status", str) for pod, answer in answers.items()}
    assert found == dict.fromkeys(answers, "healthy")


@pytest.mark.runbook("green.version")
def test_each_green_pod_is_the_release(
    kube: Kube, forward: Forward, target: Target, release: Release
) -> None:
    """Through the ingress one old pod of three would be missed two times out of three."""
    answers = each_pod(kube, forward, target, lambda way: way.get("/version"))

    assert {pod: answer.status for pod, answer in answers.items()} == dict.fromkeys(answers, 200)
    found = {pod: answer.field("version", str) for pod, answer in answers.items()}
    assert found == dict.fromkeys(answers, release.version)


@pytest.mark.runbook("green.port-forward-closed")
def test_nothing_listens_afterwards(kube: Kube, forward: Forward, target: Target) -> None:
    """Neither our own forward nor a kubectl's that was left open: a later test would talk to green there."""
    ways = each_pod(kube, forward, target, lambda way: (way.get("/version").status, way.port))

    assert [port for _, port in ways.values() if port is not None and is_open(port)] == []
    assert left_over(target.green_namespace) == {}


def each_pod(kube: Kube, forward: Forward, target: Target, ask: Callable[[Way], T]) -> dict[str, T]:
    """Pod -> what came of asking it, of every living pod behind green's Service."""
    service = kube.need("Service", SERVICE, target.green_namespace)
    selected = selector_text({"matchLabels": service["spec"].get("selector") or {}})
    pods = living(kube.list("Pod", target.green_namespace, selected))
    assert pods != [], f"no pod behind {SERVICE}"
    found = {}
    for pod in pods:
        with forward.to_pod(target.green_namespace, name(pod), pod_port(service, PORT, pod)) as way:
            found[name(pod)] = ask(way)
    return found
