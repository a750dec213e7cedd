"""Runbook 4, smoke test on green: each pod by itself, before anybody gets there."""

import pytest

from nox_service import answers as faults
from nox_service import pages
from nox_service.pods import each as each_pod
from nox_service.pods.one import wrong
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import SwitchPoint
from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes import forward as ways
from noxgate.systems.kubernetes.forward import Forward


@pytest.mark.runbook("green.port-forward")
def test_suite_has_its_own_way_to_green(green: Side, forward: Forward) -> None:
    """On a port that was free, so that another forward cannot answer; through the Service's port 80."""
    answers = each_pod.answers(green, forward, "/version")

    assert {answer.status for answer in answers.values()} == {200}


@pytest.mark.runbook("green.health")
def test_each_green_pod_is_healthy(green: Side, forward: Forward) -> None:
    """The whole word: a `degraded` with HTTP 200 is not healthy."""
    answers = each_pod.answers(green, forward, "/health")

    assert answers != {}
    assert wrong({pod: faults.health([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("green.version")
def test_each_green_pod_is_the_release(green: Side, forward: Forward, release: Release) -> None:
    """Through the ingress one old pod of three would be missed two times out of three."""
    answers = each_pod.answers(green, forward, "/version")

    assert answers != {}
    assert wrong({pod: faults.version([answer], release.version) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("green.ready")
def test_each_green_pod_is_ready(green: Side, forward: Forward) -> None:
    """By its own word: the kubelet asks for /health, which knows nothing of database and Redis."""
    answers = each_pod.answers(green, forward, "/ready")

    assert answers != {}
    assert wrong({pod: faults.ready([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("green.blue-token")
def test_green_believes_blues_token(blue: Side, green: Side, forward: Forward, target: Target) -> None:
    """As the same user's: another SECRET_KEY signs everybody out, another table mixes users up."""
    before = each_pod.profiles(blue, forward, target)
    after = each_pod.profiles(green, forward, target)

    assert before != {}
    assert wrong({pod: pages.faults(pages.PROFILE, answer) for pod, answer in before.items()}) == {}
    assert after != {}
    first = next(iter(before.values()))
    assert wrong({pod: pages.another_user(first, answer) for pod, answer in after.items()}) == {}


@pytest.mark.runbook("green.user-pages")
def test_each_green_pod_has_the_users_pages(green: Side, forward: Forward, target: Target) -> None:
    """On production's data, with production's token, before anybody gets there."""
    found = each_pod.users_pages(green, forward, target)

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("green.science")
def test_each_green_pod_computes(green: Side, forward: Forward, target: Target) -> None:
    """The two requests that store nothing: no job is left for production's workers."""
    found = each_pod.science(green, forward, target)

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("green.websocket")
def test_each_green_pod_echoes(green: Side, forward: Forward, switch_point: SwitchPoint) -> None:
    """At the port of the Service that the Ingress has for it, which the switch keeps."""
    found = each_pod.sockets(green, forward, switch_point)

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("green.port-forward-closed")
def test_nothing_listens_afterwards(green: Side, forward: Forward, target: Target) -> None:
    """Neither our own forward nor a kubectl's that was left open: a later test would talk to green there."""
    ports = each_pod.ports(green, forward)

    assert [port for port in ports.values() if port is not None and ways.is_open(port)] == []
    assert ways.left_over(green.namespace, target.kubeconfig) == {}
