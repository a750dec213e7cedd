"""Runbook 3, blue: what users have now is also the way back, on the schema as it is now."""

import pytest

from nox_service import faults
from nox_service.clients import Clients
from nox_service.pods import each as each_pod
from nox_service.pods.one import wrong_pods
from noxgate.blue_green.running import application_pods
from noxgate.look.observation import Fact
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import name, unready


@pytest.mark.runbook("prep.blue-ready")
def test_blue_is_ready(clients: Clients, limits: Limits) -> None:
    """Ready as the kubelet says, and by /ready: a probe of /health knows nothing of the new schema."""
    pods = application_pods(clients.blue)
    answers = each_pod.answers(clients.blue, clients.forward, "/ready")

    assert len(pods) >= limits["pods"]
    assert unready(pods) == {}
    assert sorted(answers) == sorted(map(name, pods))
    assert wrong_pods({pod: faults.ready([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("prep.blue-health")
def test_each_blue_pod_is_healthy(clients: Clients) -> None:
    """The whole word, of what has served for weeks: the schema under it is new."""
    assert each_pod.wrong_answers(clients.blue, clients.forward, "/health", faults.health) == {}


@pytest.mark.runbook("prep.blue-user-pages")
def test_each_blue_pod_has_the_users_pages(clients: Clients) -> None:
    """What users have until the switch, and again after a rollback: its queries meet the new schema now."""
    assert each_pod.users_pages(clients.blue, clients.forward, clients.target) == {}


@pytest.mark.runbook("prep.blue-science")
def test_each_blue_pod_computes(clients: Clients) -> None:
    """The two requests that store nothing."""
    assert each_pod.science(clients.blue, clients.forward, clients.target) == {}


@pytest.mark.runbook("prep.blue-websocket")
def test_each_blue_pod_echoes(clients: Clients) -> None:
    """At the port of the Service that the Ingress has for it, which need not be that of the pages."""
    at, base_url = clients.switch_point, clients.target.base_url

    assert each_pod.sockets(clients.blue, clients.forward, at, base_url) == {}


@pytest.mark.runbook("prep.blue-version")
def test_blue_is_one_version_before_the_release(clients: Clients, fact: Fact) -> None:
    """What each pod answers is what a rollback is measured by."""
    answers = each_pod.answers(clients.blue, clients.forward, "/version")

    assert {pod: answer.status for pod, answer in answers.items()} == dict.fromkeys(answers, 200)
    versions = {pod: answer.field("version", str) for pod, answer in answers.items()}
    for version in versions.values():
        fact("previous-version", version)
    assert versions == dict.fromkeys(versions, next(iter(versions.values())))
    assert {
        pod: version for pod, version in versions.items() if version in {clients.release.version, ""}
    } == {}
    assert wrong_pods({pod: faults.unwell(answer) for pod, answer in answers.items()}) == {}
