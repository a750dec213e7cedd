"""Runbook 5, pod status: green's pods through the first minutes."""

import pytest

from nox_service.first_minutes import FirstMinutes
from noxgate.project.runbook import Runbook
from noxgate.systems.kubernetes.workload import living, name, phases, restarts, unready


@pytest.mark.runbook("live.pods-steady")
def test_green_pods_stay_ready(first_minutes: FirstMinutes, runbook: Runbook) -> None:
    """At every look, and the same pods each time: one that was replaced has no restarts to show."""
    limit = runbook.lines["live.pods-steady"].limits["restarts"]
    looks = [living(pods) for pods in first_minutes.pods()]

    assert [look for look in looks if not look] == []
    assert [unready(pods) for pods in looks if unready(pods)] == []
    assert [phases(pods) for pods in looks if set(phases(pods).values()) != {"Running"}] == []
    over = {where: count for where, count in restarts(looks[-1]).items() if count is None or count > limit}
    assert over == {}
    assert {name(pod) for pod in looks[-1]} == {name(pod) for pod in looks[0]}
