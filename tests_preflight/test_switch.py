"""Runbook 4 and rollback, tried before the day: the traffic switch and the way back, as dry runs."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green import switching
from noxgate.blue_green.switching import colours, unwanted_changes


@pytest.mark.runbook("preflight.switch-dry-run")
def test_switch_changes_backends_only(clients: Clients, production: Clients) -> None:
    """Accepted by the server, and compared by meaning: what is accepted may still lose hosts and paths."""
    switch_point, service = production.switch_point, clients.service
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.green.service)
    patch = switching.forth(switch_point, before, production.switch_patch)
    after = switching.dry_run(switch_point, patch)

    assert colours(before, service) == {service.blue.service}
    assert unwanted_changes(after, before, service, service.green.service) == {}


@pytest.mark.runbook("preflight.rollback-dry-run")
def test_rollback_leads_back(clients: Clients, production: Clients) -> None:
    """Blue serves before the day: the switch and the way back are tried in one dry run, one by one."""
    switch_point, service = production.switch_point, clients.service
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.blue.service)
    forth = switching.forth(switch_point, before, production.switch_patch)
    back = switching.back(switch_point, before, production.rollback_patch)
    after = switching.dry_run(switch_point, switching.together(forth, back))

    assert colours(before, service) == {service.blue.service}
    assert unwanted_changes(after, before, service, service.blue.service) == {}
