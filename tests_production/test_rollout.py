"""Runbook 4, green is deployed: every pod is there, ready, of this release, and did not die on the way."""

import pytest

from noxgate.blue_green.running import DEPLOYMENT, pods_of, released, running, strangers_to
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits, Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.workload import (
    desired,
    living,
    phases,
    restarts,
    strangers,
    unready,
    unsettled,
    versions,
)
from noxgate.systems.registry.client import Registry

PODS = "app=nox-api"


@pytest.mark.runbook("green.rollout")
def test_every_green_pod_is_ready(kube: Kube, target: Target, limits: Limits, release: Release) -> None:
    """More than the runbook's `kubectl wait`: none is missing, none is left of another version."""

    def rolled_out() -> None:
        deployment = kube.need("Deployment", DEPLOYMENT, target.green_namespace)
        pods = pods_of(kube, deployment, PODS)

        assert set(versions(deployment["spec"]["template"], target.container)) == {release.version}
        assert unsettled(deployment) == {}
        assert unready(pods) == {}
        assert strangers(pods, deployment) == {}
        assert len(pods) == desired(deployment) >= limits["pods"]

    eventually(rolled_out, within=target.waiting(limits["within_seconds"]))


@pytest.mark.runbook("green.pods-running")
def test_every_pod_of_the_namespace_runs(kube: Kube, target: Target) -> None:
    """All of the namespace, not of the application alone; one that has done its job has ended well."""
    pods = kube.list("Pod", target.green_namespace)

    assert living(pods) != []
    assert {pod: phase for pod, phase in phases(pods).items() if phase not in {"Running", "Succeeded"}} == {}


@pytest.mark.runbook("green.pod-restarts")
def test_no_container_of_green_restarted(kube: Kube, target: Target, limits: Limits) -> None:
    """A pod that died and came back is ready, too."""
    pods = living(kube.list("Pod", target.green_namespace, PODS))

    assert pods != []
    assert restarts(pods, limits["restarts"]) == {}


@pytest.mark.runbook("green.pod-image")
def test_every_green_pod_runs_the_published_bytes(
    kube: Kube, target: Target, registry: Registry, manifests: tuple[Document, ...], release: Release
) -> None:
    """By digest: a node that had an image under this tag already need not have asked for the new one."""
    image = registry.image(released(manifests, release.version, target.container))
    found = running(kube, target.green_namespace, DEPLOYMENT, target.container)

    assert found != {}
    assert strangers_to(image, found) == {}
