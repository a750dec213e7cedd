"""Runbook 5, performance monitoring: what people look at tonight is about green, and shows nothing new."""

import pytest

from noxgate.blue_green.switch_time import Switch
from noxgate.project.target import Target
from noxgate.systems.http.grafana import Grafana
from noxgate.systems.http.sentry import Sentry


@pytest.mark.runbook("live.grafana-dashboard")
def test_every_panel_has_data(grafana: Grafana, target: Target) -> None:
    """With the values that its variables have for everybody who opens it, and not of blue alone."""
    panels = grafana.panels()
    empty = [panel.title for panel in panels if not grafana.has_data(panel)]

    assert panels != []
    assert empty == []
    of_blue = [panel for panel in panels if target.blue_namespace and target.blue_namespace in panel.query]
    assert [panel for panel in of_blue if target.green_namespace not in panel.query] == []


@pytest.mark.runbook("live.sentry-issues")
def test_no_issue_is_new(sentry: Sentry, switched: Switch) -> None:
    """First seen since the switch, and not resolved."""
    assert [str(issue) for issue in sentry.new_issues(switched.at)] == []
