"""Runbook 4 and rollback, tried before the day: the traffic switch and the way back, as dry runs."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green import switching
from noxgate.blue_green.ingress_meaning import routes
from noxgate.blue_green.switching import colours, differing, kept, switched


@pytest.mark.runbook("preflight.switch-dry-run")
def test_switch_changes_backends_only(clients: Clients, production: Clients) -> None:
    """Accepted by the server, and compared by meaning: what is accepted may still lose hosts and paths."""
    production_switch_point, service = production.switch_point, clients.service
    before = switching.live_ingress(production_switch_point)
    switching.show_runbooks_patch(production_switch_point, service.green.service)
    after = switching.dry_run(production_switch_point, switching.forth(production_switch_point, before))

    assert colours(before, service) == {service.blue.service}
    assert differing(after, switched(before, service, service.green.service)) == {}
    assert kept(after) == kept(before)


@pytest.mark.runbook("preflight.rollback-dry-run")
def test_rollback_leads_back(clients: Clients, production: Clients) -> None:
    """Blue serves before the day: the switch and the way back are tried in one dry run, one by one."""
    production_switch_point, service = production.switch_point, clients.service
    before = switching.live_ingress(production_switch_point)
    switching.show_runbooks_patch(production_switch_point, service.blue.service)
    forth = switching.forth(production_switch_point, before)
    back = switching.back(production_switch_point, before)
    after = switching.dry_run(production_switch_point, switching.together(forth, back))

    assert colours(before, service) == {service.blue.service}
    assert differing(after, routes(before)) == {}
    assert kept(after) == kept(before)
