"""Runbook 4, green is deployed: every pod is there, ready, of this release, and did not die on the way."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import deployment_of, labelled_pods, pods_of, released, running, strangers_to
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
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
        assert len(pods) == desired(deployment) >= limits["pods"]

    eventually(rolled_out, within=clients.target.waiting(limits["within_seconds"]))


@pytest.mark.runbook("green.pods-running")
def test_every_pod_of_the_namespace_runs(clients: Clients) -> None:
    """All of the namespace, not of the application alone; one that has done its job has ended well."""
    pods = clients.green.kube.list("Pod", clients.green.namespace)

    assert living(pods) != []
    assert {pod: phase for pod, phase in phases(pods).items() if phase not in {"Running", "Succeeded"}} == {}


@pytest.mark.runbook("green.pod-restarts")
def test_no_container_of_green_restarted(clients: Clients, limits: Limits) -> None:
    """A pod that died and came back is ready, too."""
    pods = labelled_pods(clients.green)

    assert pods != []
    assert restarts(pods, limits["restarts"]) == {}


@pytest.mark.runbook("green.pod-image")
def test_every_green_pod_runs_the_published_bytes(clients: Clients) -> None:
    """By digest: a node that had an image under this tag already need not have asked for the new one."""
    image = clients.registry.image(released(clients.manifests, clients.release.version, clients.green))
    found = running(clients.green)

    assert found != {}
    assert strangers_to(image, found) == {}
