"""Runbook 4, smoke test on green: each pod by itself, before anybody gets there."""

from functools import partial

import pytest

from nox_service import faults, pages
from nox_service.clients import Clients
from nox_service.pods import each as each_pod
from nox_service.pods.one import wrong_pods
from noxgate.systems.kubernetes import forward as ways


@pytest.mark.runbook("green.port-forward")
def test_suite_has_its_own_way_to_green(clients: Clients) -> None:
    """On a port that was free, so that another forward cannot answer; through the Service's port 80."""
    answers = each_pod.answers(clients.green, clients.forward, "/version")

    assert {answer.status for answer in answers.values()} == {200}


@pytest.mark.runbook("green.health")
def test_each_green_pod_is_healthy(clients: Clients) -> None:
    """The whole word: a `degraded` with HTTP 200 is not healthy."""
    assert each_pod.wrong_answers(clients.green, clients.forward, "/health", faults.health) == {}


@pytest.mark.runbook("green.version")
def test_each_green_pod_is_the_release(clients: Clients) -> None:
    """Through the ingress one old pod of three would be missed two times out of three."""
    released = partial(faults.version, expected=clients.release.version)

    assert each_pod.wrong_answers(clients.green, clients.forward, "/version", released) == {}


@pytest.mark.runbook("green.ready")
def test_each_green_pod_is_ready(clients: Clients) -> None:
    """By its own word: the kubelet asks for /health, which knows nothing of database and Redis."""
    assert each_pod.wrong_answers(clients.green, clients.forward, "/ready", faults.ready) == {}


@pytest.mark.runbook("green.blue-token")
def test_green_believes_blues_token(clients: Clients) -> None:
    """As the same user's: another SECRET_KEY signs everybody out, another table mixes users up."""
    before = each_pod.profiles(clients.blue, clients.forward, clients.target)
    after = each_pod.profiles(clients.green, clients.forward, clients.target)

    assert wrong_pods({pod: pages.faults(pages.PROFILE, answer) for pod, answer in before.items()}) == {}
    first = next(iter(before.values()))
    assert wrong_pods({pod: pages.another_user(first, answer) for pod, answer in after.items()}) == {}


@pytest.mark.runbook("green.user-pages")
def test_each_green_pod_has_the_users_pages(clients: Clients) -> None:
    """On production's data, with production's token, before anybody gets there."""
    assert each_pod.users_pages(clients.green, clients.forward, clients.target) == {}


@pytest.mark.runbook("green.science")
def test_each_green_pod_computes(clients: Clients) -> None:
    """The two requests that store nothing: no job is left for production's workers."""
    assert each_pod.science(clients.green, clients.forward, clients.target) == {}


@pytest.mark.runbook("green.websocket")
def test_each_green_pod_echoes(clients: Clients) -> None:
    """At the port of the Service that the Ingress has for it, which the switch keeps."""
    at, base_url = clients.switch_point, clients.target.base_url

    assert each_pod.sockets(clients.green, clients.forward, at, base_url) == {}


@pytest.mark.runbook("green.port-forward-closed")
def test_nothing_listens_afterwards(clients: Clients) -> None:
    """Neither our own forward nor a kubectl's that was left open: a later test would talk to green there."""
    ports = each_pod.ports(clients.green, clients.forward)

    assert [port for port in ports.values() if port is not None and ways.is_open(port)] == []
    assert ways.left_over(clients.green.namespace, clients.target.kubeconfig) == {}
