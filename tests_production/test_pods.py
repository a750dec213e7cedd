"""Runbook 5, pod status: green's pods through the first minutes."""

import pytest

from nox_service.clients import Clients
from nox_service.first_minutes import FirstMinutes
from noxgate.blue_green.running import application_pods, deployment_of
from noxgate.blue_green.steady import has_changed, looks_at, unsteady
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import restarts, unready, unsettled


@pytest.mark.runbook("live.pods-steady")
def test_green_pods_stay_ready(clients: Clients, first_minutes: FirstMinutes, limits: Limits) -> None:
    """At every look, and no pod in place of another: one that was replaced has no restarts to show.

    An autoscaler may add pods when users come, and take some away: then all that it wants are ready soon.
    """

    def scaled() -> None:
        pods = application_pods(clients.green)

        assert unsettled(deployment_of(clients.green)) == {}
        assert unready(pods) == {}
        assert restarts(pods, limits["restarts"]) == {}

    with first_minutes.pods() as pods:
        looks = looks_at(pods)
        assert looks != []
        assert unsteady(looks) == []
        assert restarts(list(looks[-1].values()), limits["restarts"]) == {}
        if has_changed(looks):
            eventually(scaled, within=clients.target.waiting(limits["within_seconds"]))
