"""Runbook 2, deploy to staging: the pods are there, ready, and all of this release."""

import pytest

from noxgate.blue_green.running import DEPLOYMENT, one_digest, pods_of, running
from noxgate.look.observation import Fact
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits, Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.workload import (
    condition,
    desired,
    living,
    restarts,
    strangers,
    unready,
    unsettled,
    versions,
)

PODS = "app=nox-api"


@pytest.mark.runbook("staging.rollout")
def test_every_pod_is_ready(kube: Kube, target: Target, limits: Limits, fact: Fact) -> None:
    """More than the runbook's `kubectl wait`: none is missing, none is left of another version."""

    def rolled_out() -> None:
        deployment = kube.need("Deployment", DEPLOYMENT, target.namespace)
        pods = pods_of(kube, deployment, PODS)

        assert unsettled(deployment) == {}
        assert unready(pods) == {}
        assert strangers(pods, deployment) == {}
        assert len(pods) == desired(deployment) >= limits["pods"]

    eventually(rolled_out, within=target.waiting(limits["within_seconds"]))
    for digest in one_digest(running(kube, target.namespace, DEPLOYMENT, target.container)):
        fact("image", digest)


@pytest.mark.runbook("staging.pod-restarts")
def test_no_container_restarted(kube: Kube, target: Target, limits: Limits) -> None:
    """A pod that died and came back is ready, too."""
    pods = living(kube.list("Pod", target.namespace, PODS))

    assert pods != []
    assert restarts(pods, limits["restarts"]) == {}


@pytest.mark.runbook("staging.deployment")
def test_deployment_is_available(kube: Kube, target: Target, release: Release) -> None:
    """The namespace is looked at by itself: a list in one that does not exist is empty, and no error."""
    namespace = kube.need("Namespace", target.namespace)
    deployment = kube.need("Deployment", DEPLOYMENT, target.namespace)

    assert namespace["status"]["phase"] == "Active"
    assert versions(deployment["spec"]["template"], target.container) != []
    assert set(versions(deployment["spec"]["template"], target.container)) == {release.version}
    assert deployment["status"].get("observedGeneration") == deployment["metadata"]["generation"]
    assert condition(deployment, "Available") == "True"
    assert condition(deployment, "Progressing") in {"True", "absent"}
