"""Runbook 6, hour 48: users still have the release, and blue is still there to return to."""

import pytest

from nox_service import answers as faults
from nox_service.api import ApiClient
from noxgate.blue_green.running import DEPLOYMENT, OLD_DEPLOYMENT, PODS, pods_of
from noxgate.blue_green.switching import GREEN, colours, live_ingress
from noxgate.errors import UnreachableError
from noxgate.project.runbook import Release, Runbook
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.workload import desired, name, strangers, unready
from noxgate.window.watching import Watching


@pytest.mark.runbook("window.checkpoint-48h-final")
def test_production_is_the_release_and_well(
    watching: Watching, api: ApiClient, kube: Kube, target: Target, release: Release, runbook: Runbook
) -> None:
    """As the first minutes looked at it, once more."""
    watching.window()
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    health = faults.health(api.get_often("/health"))
    ready = faults.ready(api.get_often("/ready"))
    versions = faults.version(api.get_often("/version"), release.version)
    deployment = kube.need("Deployment", DEPLOYMENT, target.green_namespace)
    green = pods_of(kube, deployment, PODS)
    old = kube.need("Deployment", OLD_DEPLOYMENT, target.blue_namespace)
    blue = pods_of(kube, old, PODS)

    assert colours(live_ingress(kube, target)) == {GREEN}
    assert health == []
    assert ready == []
    assert versions == []
    assert len(green) >= runbook.lines["live.pods-within-target"].limits["pods"]
    assert unready(green) == {}
    assert strangers(green, deployment) == {}
    assert desired(old) >= runbook.lines["prep.blue-ready"].limits["pods"]
    assert len(blue) == desired(old), f"of blue there is left: {list(map(name, blue))}"
    assert unready(blue) == {}
