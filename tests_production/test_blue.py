"""Runbook 3, blue: what users have now is also the way back, on the schema as it is now."""

from urllib.parse import urlsplit

import pytest

from nox_service import answers as faults
from nox_service import calculations, pages
from nox_service.pods import PodApi, echo, wrong
from nox_service.websocket import greeting, unlike
from noxgate.blue_green.routing import port_for
from noxgate.blue_green.running import OLD_DEPLOYMENT, application_pods
from noxgate.blue_green.switching import live_ingress
from noxgate.errors import UnreachableError
from noxgate.look.observation import Fact
from noxgate.project.runbook import Limits, Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, each_pod, each_pod_alone
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.workload import name, unready

SERVICE = "nox-api-service-blue"


@pytest.mark.runbook("prep.blue-ready")
def test_blue_is_ready(kube: Kube, forward: Forward, target: Target, limits: Limits) -> None:
    """Ready as the kubelet says, and by /ready: a probe of /health knows nothing of the new schema."""
    least = limits["pods"]
    pods = application_pods(kube, namespace(target), OLD_DEPLOYMENT)
    answers = each_pod(kube, forward, namespace(target), SERVICE, lambda way: way.get("/ready"))

    assert len(pods) >= least
    assert unready(pods) == {}
    assert sorted(answers) == sorted(map(name, pods))
    assert wrong({pod: faults.ready([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("prep.blue-health")
def test_each_blue_pod_is_healthy(kube: Kube, forward: Forward, target: Target) -> None:
    """The whole word, of what has served for weeks: the schema under it is new."""
    answers = each_pod(kube, forward, namespace(target), SERVICE, lambda way: way.get("/health"))

    assert answers != {}
    assert wrong({pod: faults.health([answer]) for pod, answer in answers.items()}) == {}


@pytest.mark.runbook("prep.blue-user-pages")
def test_each_blue_pod_has_the_users_pages(kube: Kube, forward: Forward, target: Target) -> None:
    """What users have until the switch, and again after a rollback: its queries meet the new schema now."""
    found = each_pod_alone(
        kube, forward, namespace(target), SERVICE, lambda way: pages.each(PodApi(target, way))
    )

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("prep.blue-science")
def test_each_blue_pod_computes(kube: Kube, forward: Forward, target: Target) -> None:
    """The two requests that store nothing."""
    found = each_pod_alone(
        kube, forward, namespace(target), SERVICE, lambda way: calculations.each(PodApi(target, way))
    )

    assert found != {}
    assert wrong(found) == {}


@pytest.mark.runbook("prep.blue-websocket")
def test_each_blue_pod_echoes(kube: Kube, forward: Forward, target: Target) -> None:
    """At the port of the Service that the Ingress has for it, which need not be that of the pages."""
    message = greeting()
    port = port_for(live_ingress(kube, target), f"{urlsplit(target.base_url).path}/ws")
    echoes = each_pod_alone(
        kube, forward, namespace(target), SERVICE, lambda way: echo(way, "/ws", message), port
    )

    assert echoes != {}
    assert wrong({pod: unlike(each, message) for pod, each in echoes.items()}) == {}


@pytest.mark.runbook("prep.blue-version")
def test_blue_is_one_version_before_the_release(
    kube: Kube, forward: Forward, target: Target, release: Release, fact: Fact
) -> None:
    """What each pod answers is what a rollback is measured by."""
    answers = each_pod(kube, forward, namespace(target), SERVICE, lambda way: way.get("/version"))

    assert {pod: answer.status for pod, answer in answers.items()} == dict.fromkeys(answers, 200)
    versions = {pod: answer.field("version", str) for pod, answer in answers.items()}
    for version in versions.values():
        fact("previous-version", version)
    assert versions == dict.fromkeys(versions, next(iter(versions.values())))
    assert {pod: version for pod, version in versions.items() if version in {release.version, ""}} == {}
    assert wrong({pod: faults.unwell(answer) for pod, answer in answers.items()}) == {}


def namespace(target: Target) -> str:
    """Where blue is."""
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    return target.blue_namespace
