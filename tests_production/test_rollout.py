"""Runbook 4, green is deployed: every pod is there, ready, of this release, and did not die on the way."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import (
    astray,
    deployment_of,
    labelled_pods,
    pods_of,
    release_image,
    running_images,
    strangers_to,
)
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import (
    desired_pods,
    restarts,
    strangers,
    unready,
    unsettled,
    versions,
)


@pytest.mark.runbook("green.rollout")
def test_every_green_pod_is_ready(clients: Clients, limits: Limits) -> None:
    """More than the runbook's `kubectl wait`: all are there, and all of this version."""
    green = clients.green

    def rolled_out() -> None:
        deployment = deployment_of(green)
        pods = pods_of(green.kube, deployment, green.label)

        assert set(versions(deployment["spec"]["template"], green.container)) == {clients.release.version}
        assert unsettled(deployment) == {}
        assert unready(pods) == {}
        assert strangers(pods, deployment) == {}
        assert len(pods) == desired_pods(deployment) >= limits["pods"]

    eventually(rolled_out, within=clients.target.waiting(limits["within_seconds"]))


@pytest.mark.runbook("green.pods-running")
def test_every_pod_of_the_namespace_runs(clients: Clients, limits: Limits) -> None:
    """All of the namespace, not of the application alone; one that has done its job has ended well.

    A pod that starts or ends in this moment, such as a CronJob's, is waited for.
    """
    green = clients.green

    def all_run() -> None:
        assert astray(green.kube, green.namespace) == {}

    eventually(all_run, within=clients.target.waiting(limits["within_seconds"]))


@pytest.mark.runbook("green.pod-restarts")
def test_no_container_of_green_restarted(clients: Clients, limits: Limits) -> None:
    """A pod that died and came back is ready, too."""
    pods = labelled_pods(clients.green)

    assert pods != []
    assert restarts(pods, limits["restarts"]) == {}


@pytest.mark.runbook("green.pod-image")
def test_every_green_pod_runs_the_published_bytes(clients: Clients) -> None:
    """By digest: a node that had an image under this tag already need not have asked for the new one."""
    image = clients.registry.image(release_image(clients.manifests, clients.release.version, clients.green))
    found = running_images(clients.green)

    assert found != {}
    assert strangers_to(image, found) == {}
