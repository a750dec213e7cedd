"""Runbook 4 and rollback, tried before the day: the traffic switch and the way back, as dry runs."""

import pytest

from noxgate.blue_green.ingress_meaning import routes
from noxgate.blue_green.switching import (
    BLUE,
    GREEN,
    colours,
    differing,
    dry_run,
    kept,
    live_ingress,
    planned,
    show_runbooks_patch,
    switched,
    together,
)
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube


@pytest.mark.runbook("preflight.switch-dry-run")
def test_switch_changes_backends_only(production_kube: Kube, production: Target) -> None:
    """Accepted by the server, and compared by meaning: what is accepted may still lose hosts and paths."""
    before = live_ingress(production_kube, production)
    show_runbooks_patch(production_kube, production, GREEN)
    after = dry_run(
        production_kube, production, planned(production, before, BLUE, GREEN, production.switch_patch)
    )

    assert colours(before) == {BLUE}
    assert differing(after, switched(before, GREEN)) == {}
    assert kept(after) == kept(before)


@pytest.mark.runbook("preflight.rollback-dry-run")
def test_rollback_leads_back(production_kube: Kube, production: Target) -> None:
    """Blue serves before the day: the switch and the way back are tried in one dry run, one by one."""
    before = live_ingress(production_kube, production)
    show_runbooks_patch(production_kube, production, BLUE)
    forth = planned(production, before, BLUE, GREEN, production.switch_patch)
    back = planned(production, before, GREEN, BLUE, production.rollback_patch)
    after = dry_run(production_kube, production, together(forth, back))

    assert colours(before) == {BLUE}
    assert differing(after, routes(before)) == {}
    assert kept(after) == kept(before)
