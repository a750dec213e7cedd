"""Runbook 6, hour 48: users still have the release, and blue is still there to return to."""

import pytest

from nox_service import faults
from nox_service.clients import Clients
from noxgate.blue_green.running import deployment_of, pods_of
from noxgate.blue_green.switching import colours, live_ingress
from noxgate.project.runbook import Runbook
from noxgate.systems.kubernetes.workload import desired_pods, name, strangers, unready
from noxgate.window.watching import Watching


@pytest.mark.runbook("window.checkpoint-48h-final")
def test_production_is_the_release_and_well(clients: Clients, watching: Watching, runbook: Runbook) -> None:
    """As the first minutes looked at it, once more."""
    api, blue, green = clients.api, clients.blue, clients.green
    watching.window()
    health = faults.health(api.get_often("/health"))
    ready = faults.ready(api.get_often("/ready"))
    versions = faults.version(api.get_often("/version"), clients.release.version)
    deployment, old = deployment_of(green), deployment_of(blue)
    pods = pods_of(green.kube, deployment, green.label)
    left = pods_of(blue.kube, old, blue.label)

    assert colours(live_ingress(clients.switch_point), clients.service) == {clients.service.green.service}
    assert health == []
    assert ready == []
    assert versions == []
    assert len(pods) >= runbook.lines["live.pods-within-target"].limits["pods"]
    assert unready(pods) == {}
    assert strangers(pods, deployment) == {}
    assert desired_pods(old) >= runbook.lines["prep.blue-ready"].limits["pods"]
    assert len(left) == desired_pods(old), f"of blue there is left: {list(map(name, left))}"
    assert unready(left) == {}
