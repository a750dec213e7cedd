"""Runbook 3, blue: what users have now is also the way back, on the schema as it is now."""

import pytest

from nox_service import answers as faults
from noxgate.errors import UnreachableError
from noxgate.look.observation import Fact
from noxgate.project.runbook import Release, Runbook
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, each_pod
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.workload import living, name, unready

SERVICE = "nox-api-service-blue"
PODS = "app=nox-api"


@pytest.mark.runbook("prep.blue-ready")
def test_blue_is_ready(kube: Kube, forward: Forward, target: Target, runbook: Runbook) -> None:
    """Ready as the kubelet says, and by /ready: a probe of /health knows nothing of the new schema."""
    least = runbook.lines["prep.blue-ready"].limits["pods"]
    pods = living(kube.list("Pod", namespace(target), PODS))
    answers = each_pod(kube, forward, namespace(target), SERVICE, lambda way: way.get("/ready"))

    assert len(pods) >= least
    assert unready(pods) == {}
    assert sorted(answers) == sorted(map(name, pods))
    assert {pod: wrong for pod, answer in answers.items() if (wrong := faults.ready([answer]))} == {}


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


def namespace(target: Target) -> str:
    """Where blue is."""
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    return target.blue_namespace
