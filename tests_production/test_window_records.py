"""Runbook 6: who watches the 48 hours, and that each checkpoint was made when it was due."""

from datetime import timedelta

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.switch_time import Switch
from noxgate.blue_green.switching import colours, live_ingress
from noxgate.project.schedule import Made
from noxgate.window.watching import Watching

APART = timedelta(seconds=2)  # clocks are read to the second


@pytest.mark.runbook("window.opened")
def test_the_window_is_open(clients: Clients, watching: Watching, switch: Switch) -> None:
    """Counted from the switch that users live with: the Ingress says when that was, and where it leads."""
    window = watching.opened()
    ingress = live_ingress(clients.switch_point)

    assert window.watcher != ""
    assert window.promised == {name: each.due for name, each in window.checkpoints.items()}
    assert colours(ingress, clients.service) == {clients.service.green.service}
    changed = switch.at - window.shift
    assert abs(changed - window.switched) <= APART, (
        f"the window counts from {window.switched}, and the Ingress was last changed {changed}"
    )


@pytest.mark.runbook("window.checkpoint-1h-record")
def test_the_first_hour_was_recorded(watching: Watching) -> None:
    """On time: whoever looks an hour late has not watched."""
    assert late(watching.record("1h")) is None


@pytest.mark.runbook("window.checkpoint-6h-record")
def test_the_sixth_hour_was_recorded(watching: Watching) -> None:
    """On time, by whoever had the evening."""
    assert late(watching.record("6h")) is None


@pytest.mark.runbook("window.checkpoint-24h-record")
def test_the_first_day_was_recorded(watching: Watching) -> None:
    """On time, and not in the evening before, when the night was still to come."""
    assert late(watching.record("24h")) is None


@pytest.mark.runbook("window.checkpoint-48h-record")
def test_the_end_was_recorded(watching: Watching) -> None:
    """On time: blue may be cleaned up from then on."""
    assert late(watching.record("48h")) is None


def late(made: Made) -> str | None:
    """How late a record was made, and why; None if it was on time."""
    said = f"{made.minutes_late} minutes after it was due: {made.why or 'no reason given'}"
    return said if made.minutes_late else None
