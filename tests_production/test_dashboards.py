"""Runbook 5, performance monitoring: what people look at tonight is about green, and shows nothing new."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.switch_time import Switch
from noxgate.errors import UnreachableError
from noxgate.look.observation import shortened


@pytest.mark.runbook("live.grafana-dashboard")
def test_every_panel_has_data(clients: Clients) -> None:
    """With the values that its variables have for everybody who opens it, and not of blue alone.

    A panel that looks for errors may be empty, as long as there is something to look at.
    """
    target = clients.target
    panels = clients.grafana.panels()
    unjudged = [panel.unjudged for panel in panels if panel.unjudged]
    empty = [str(panel) for panel in panels if not panel.unjudged and not clients.grafana.has_data(panel)]

    assert panels != []
    assert empty == []
    of_blue = [panel for panel in panels if target.blue_namespace and target.blue_namespace in panel.query]
    assert [panel for panel in of_blue if target.green_namespace not in panel.query] == []
    if unjudged:
        named = shortened("; ".join(dict.fromkeys(unjudged)))
        raise UnreachableError(f"{len(unjudged)} of {len(panels)} queries are a person's to see: {named}")


@pytest.mark.runbook("live.sentry-issues")
def test_no_issue_is_new(clients: Clients, switch: Switch) -> None:
    """First seen since the switch, or come back since then, in production, and not resolved."""
    assert [str(issue) for issue in clients.sentry.new_issues(switch.at)] == []
