"""Runbook 3, blue: what users have now is also the way back, on the schema as it is now."""

import pytest

from nox_service import answers as faults
from nox_service.pods import each as each_pod
from nox_service.pods.one import wrong
from noxgate.blue_green.running import application_pods
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import SwitchPoint
from noxgate.look.observation import Fact
from noxgate.project.runbook import Limits, Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward
from noxgate.systems.kubernetes.workload import name, unready


@pytest.mark.runbook("prep.blue-ready")
def test_blue_is_ready(blue: Side, forward: Forward, limits: Limits) -> None:
    """Ready as the kubelet says, and by /ready: a probe of /health knows nothing of the new schema."""
    pods = application_pods(blue)
    answers = each_pod.answers(blue, forward, "/ready")

    assert len(pods) >= limits["pods"]
    assert unready(pods) == {}
    assert sorted(answers) == sorted(map(name, pods))
    assert wrong({pod: faults.ready([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("prep.blue-health")
def test_each_blue_pod_is_healthy(blue: Side, forward: Forward) -> None:
    """The whole word, of what has served for weeks: the schema under it is new."""
    answers = each_pod.answers(blue, forward, "/health")

    assert answers != {}
    assert wrong({pod: faults.health([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("prep.blue-user-pages")
def test_each_blue_pod_has_the_users_pages(blue: Side, forward: Forward, target: Target) -> None:
    """What users have until the switch, and again after a rollback: its queries meet the new schema now."""
    found = each_pod.users_pages(blue, forward, target)

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("prep.blue-science")
def test_each_blue_pod_computes(blue: Side, forward: Forward, target: Target) -> None:
    """The two requests that store nothing."""
    found = each_pod.science(blue, forward, target)

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("prep.blue-websocket")
def test_each_blue_pod_echoes(blue: Side, forward: Forward, switch_point: SwitchPoint) -> None:
    """At the port of the Service that the Ingress has for it, which need not be that of the pages."""
    found = each_pod.sockets(blue, forward, switch_point)

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("prep.blue-version")
def test_blue_is_one_version_before_the_release(
    blue: Side, forward: Forward, release: Release, fact: Fact
) -> None:
    """What each pod answers is what a rollback is measured by."""
    answers = each_pod.answers(blue, forward, "/version")

    assert {pod: answer.status for pod, answer in answers.items()} == dict.fromkeys(answers, 200)
    versions = {pod: answer.field("version", str) for pod, answer in answers.items()}
    for version in versions.values():
        fact("previous-version", version)
    assert versions == dict.fromkeys(versions, next(iter(versions.values())))
    assert {pod: version for pod, version in versions.items() if version in {release.version, ""}} == {}
    assert wrong({pod: faults.unwell(answer) for pod, answer in answers.items()}) == {}
