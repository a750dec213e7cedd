"""Runbook 6, hour 48: users still have the release, and blue is still there to return to."""

import pytest

from noxgate.clients.api import ApiClient
from noxgate.clients.ingress_meaning import services
from noxgate.clients.kube import Kube
from noxgate.clients.switching import GREEN, live_ingress
from noxgate.clients.watching import Watching
from noxgate.clients.workload import desired, living, name, strangers, unready
from noxgate.runbook import Release, Runbook
from noxgate.target import Target, UnreachableError

PODS = "app=nox-api"
DEPLOYMENT, OLD_DEPLOYMENT = "nox-api-deployment-green", "nox-api-deployment-blue"


@pytest.mark.runbook("window.checkpoint-48h-final")
def test_production_is_the_release_and_well(
    watching: Watching, api: ApiClient, kube: Kube, target: Target, release: Release, runbook: Runbook
) -> None:
    """As the first minutes looked at it, once more."""
    watching.window()
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    health, ready = api.get_often("/health"), api.get_often("/ready")
    versions = api.get_often("/version")
    deployment = kube.need("Deployment", DEPLOYMENT, target.green_namespace)
    green = living(kube.list("Pod", target.green_namespace, PODS))
    old = kube.need("Deployment", OLD_DEPLOYMENT, target.blue_namespace)
    blue = living(kube.list("Pod", target.blue_namespace, PODS))

    assert services(live_ingress(kube, target)) == {GREEN}
    assert {(answer.status, answer.field("status", str)) for answer in health} == {(200, "healthy")}
    assert {(answer.status, answer.field("status", str)) for answer in ready} == {(200, "ready")}
    assert {(answer.status, answer.field("version", str)) for answer in versions} == {(200, release.version)}
    assert len(green) >= runbook.lines["live.pods-within-target"].limits["pods"]
    assert unready(green) == {}
    assert strangers(green, deployment) == {}
    assert desired(old) >= runbook.lines["prep.blue-ready"].limits["pods"]
    assert len(blue) == desired(old), f"of blue there is left: {list(map(name, blue))}"
    assert unready(blue) == {}
