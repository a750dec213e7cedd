"""Runbook 2, deploy to staging: the pods are there, ready, and all of this release."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import deployment_of, labelled_pods, one_digest, pods_of, running_images
from noxgate.look.observation import Fact
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import (
    condition,
    desired_pods,
    restarts,
    strangers,
    unready,
    unsettled,
    versions,
)


@pytest.mark.runbook("staging.rollout")
def test_every_pod_is_ready(clients: Clients, limits: Limits, fact: Fact) -> None:
    """More than the runbook's `kubectl wait`: all are there, and all of this version."""
    green = clients.green

    def rolled_out() -> None:
        deployment = deployment_of(green)
        pods = pods_of(green.kube, deployment, green.label)

        assert unsettled(deployment) == {}
        assert unready(pods) == {}
        assert strangers(pods, deployment) == {}
        assert len(pods) == desired_pods(deployment) >= limits["pods"]

    eventually(rolled_out, within=clients.target.waiting(limits["within_seconds"]))
    for digest in one_digest(running_images(green)):
        fact("image", digest)


@pytest.mark.runbook("staging.pod-restarts")
def test_no_container_restarted(clients: Clients, limits: Limits) -> None:
    """A pod that died and came back is ready, too."""
    pods = labelled_pods(clients.green)

    assert pods != []
    assert restarts(pods, limits["restarts"]) == {}


@pytest.mark.runbook("staging.deployment")
def test_deployment_is_available(clients: Clients) -> None:
    """The namespace is looked at by itself: a list in one that does not exist is empty, and no error."""
    green = clients.green
    namespace = green.kube.need("Namespace", green.namespace)
    deployment = deployment_of(green)
    shipped = versions(deployment["spec"]["template"], green.container)

    assert namespace["status"]["phase"] == "Active"
    assert set(shipped) == {clients.release.version}
    assert deployment["status"].get("observedGeneration") == deployment["metadata"]["generation"]
    assert condition(deployment, "Available") == "True"
    assert condition(deployment, "Progressing") in {"True", "absent"}
