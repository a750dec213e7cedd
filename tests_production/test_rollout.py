"""Runbook 4, green is deployed: every pod is there, ready, of this release, and did not die on the way."""

import pytest

from noxgate.blue_green.running import deployment_of, labelled_pods, pods_of, released, running, strangers_to
from noxgate.blue_green.side import Side
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits, Release
from noxgate.project.target import Target
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


@pytest.mark.runbook("green.rollout")
def test_every_green_pod_is_ready(green: Side, target: Target, limits: Limits, release: Release) -> None:
    """More than the runbook's `kubectl wait`: all are there, and all of this version."""

    def rolled_out() -> None:
        deployment = deployment_of(green)
        pods = pods_of(green.kube, deployment, green.label)

        assert set(versions(deployment["spec"]["template"], green.container)) == {release.version}
        assert unsettled(deployment) == {}
        assert unready(pods) == {}
        assert strangers(pods, deployment) == {}
        assert len(pods) == desired(deployment) >= limits["pods"]

    eventually(rolled_out, within=target.waiting(limits["within_seconds"]))


@pytest.mark.runbook("green.pods-running")
def test_every_pod_of_the_namespace_runs(green: Side) -> None:
    """All of the namespace, not of the application alone; one that has done its job has ended well."""
    pods = green.kube.list("Pod", green.namespace)

    assert living(pods) != []
    assert {pod: phase for pod, phase in phases(pods).items() if phase not in {"Running", "Succeeded"}} == {}


@pytest.mark.runbook("green.pod-restarts")
def test_no_container_of_green_restarted(green: Side, limits: Limits) -> None:
    """A pod that died and came back is ready, too."""
    pods = labelled_pods(green)

    assert pods != []
    assert restarts(pods, limits["restarts"]) == {}


@pytest.mark.runbook("green.pod-image")
def test_every_green_pod_runs_the_published_bytes(
    green: Side, registry: Registry, manifests: tuple[Document, ...], release: Release
) -> None:
    """By digest: a node that had an image under this tag already need not have asked for the new one."""
    image = registry.image(released(manifests, release.version, green))
    found = running(green)

    assert found != {}
    assert strangers_to(image, found) == {}
