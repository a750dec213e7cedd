"""Runbook 5, pod status: green's pods through the first minutes."""

import pytest

from nox_service.first_minutes import FirstMinutes
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import living, name, phases, restarts, unready


@pytest.mark.runbook("live.pods-steady")
def test_green_pods_stay_ready(first_minutes: FirstMinutes, limits: Limits) -> None:
    """At every look, and the same pods each time: one that was replaced has no restarts to show."""
    looks = [living(pods) for pods in first_minutes.pods()]

    assert [look for look in looks if not look] == []
    assert [unready(pods) for pods in looks if unready(pods)] == []
    assert [phases(pods) for pods in looks if set(phases(pods).values()) != {"Running"}] == []
    assert restarts(looks[-1], limits["restarts"]) == {}
    assert {name(pod) for pod in looks[-1]} == {name(pod) for pod in looks[0]}
