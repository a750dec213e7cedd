"""Runbook 5, application logs: every green pod, not the one that `kubectl logs deployment/…` picks."""

import pytest

from nox_service.access.tokens import MARK
from nox_service.clients import Clients
from noxgate.blue_green.running import application_pods
from noxgate.blue_green.switch_time import Switch
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.log_lines import allow_list, unexpected_events
from noxgate.systems.kubernetes.pod_logs import refuse_lost

SHOWN = 5  # errors of a log that a reason may quote
NO_LINE = "a log without any line says nothing"


@pytest.mark.runbook("live.log-errors")
def test_no_green_pod_logged_an_error(clients: Clients, limits: Limits, switch: Switch) -> None:
    """By the level that a line says, else by what it is (docs/LOGS.md); before a restart, too."""
    allowed = allow_list(clients.target.log_allow_list)
    pods = application_pods(clients.green)
    logs = [log for pod in pods for log in clients.pod_logs.of(pod, switch.at, int(limits["lines"]))]

    assert pods != []
    assert [log.pod for log in logs if not log.lines and not log.before] == [], NO_LINE
    found = {
        f"{log.pod} {log.container}{' before it restarted' * log.before}": unexpected_events(
            log.lines, allowed, MARK
        )
        for log in logs
    }
    shown = {where: lines[-SHOWN:] for where, lines in found.items() if lines}
    assert sum(map(len, found.values())) <= limits["errors"], f"errors in {shown}"
    refuse_lost(logs)  # after what was seen: an error is one, even if the rest is gone
