"""Runbook 6, hour 48: users still have the release, and blue is still there to return to."""

import pytest

from nox_service import answers as faults
from nox_service.api import ApiClient
from noxgate.blue_green.running import deployment_of, pods_of
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import SwitchPoint, colours, live_ingress
from noxgate.project.runbook import Release, Runbook
from noxgate.project.service.names import Service
from noxgate.systems.kubernetes.workload import desired, name, strangers, unready
from noxgate.window.watching import Watching


@pytest.mark.runbook("window.checkpoint-48h-final")
def test_production_is_the_release_and_well(
    watching: Watching,
    api: ApiClient,
    switch_point: SwitchPoint,
    blue: Side,
    green: Side,
    service: Service,
    release: Release,
    runbook: Runbook,
) -> None:
    """As the first minutes looked at it, once more."""
    watching.window()
    health = faults.health(api.get_often("/health"))
    ready = faults.ready(api.get_often("/ready"))
    versions = faults.version(api.get_often("/version"), release.version)
    deployment, old = deployment_of(green), deployment_of(blue)
    pods = pods_of(green.kube, deployment, green.label)
    left = pods_of(blue.kube, old, blue.label)

    assert colours(live_ingress(switch_point), service) == {service.green.service}
    assert health == []
    assert ready == []
    assert versions == []
    assert len(pods) >= runbook.lines["live.pods-within-target"].limits["pods"]
    assert unready(pods) == {}
    assert strangers(pods, deployment) == {}
    assert desired(old) >= runbook.lines["prep.blue-ready"].limits["pods"]
    assert len(left) == desired(old), f"of blue there is left: {list(map(name, left))}"
    assert unready(left) == {}
