"""Runbook 5, performance monitoring: what people look at tonight is about green, and shows nothing new."""

import pytest

from noxgate.clients.grafana import Grafana
from noxgate.clients.ingress_meaning import changed_at
from noxgate.clients.kube import Kube
from noxgate.clients.sentry import Sentry
from noxgate.clients.switching import live_ingress
from noxgate.target import Target


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
def test_no_issue_is_new(sentry: Sentry, kube: Kube, target: Target) -> None:
    """First seen since the switch, and not resolved."""
    since = changed_at(live_ingress(kube, target))

    assert since is not None, "nothing says when the Ingress was switched"
    assert [str(issue) for issue in sentry.new_issues(since)] == []
