"""Runbook 4, traffic switch: tried as a dry run on the Ingress as it is now, and where it would lead."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green import switching
from noxgate.blue_green.switching import Json, SwitchPoint, colours, differing, kept, switched
from noxgate.blue_green.traffic import Green, wrong_backends


@pytest.mark.runbook("green.switch-dry-run")
def test_switch_still_changes_backends_only(clients: Clients) -> None:
    """As in pre-flight: somebody may have changed the Ingress since."""
    switch_point, service = clients.switch_point, clients.service
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.green.service)
    after = switch(switch_point, before)

    assert colours(before, service) in ({service.blue.service}, {service.green.service})
    assert differing(after, switched(before, service, service.green.service)) == {}
    assert kept(after) == kept(before)


@pytest.mark.runbook("green.switch-backends")
def test_switch_leads_to_ready_green_pods(clients: Clients) -> None:
    """The API server accepts any name: a Service of another namespace is out of an Ingress's reach."""
    service = clients.service
    after = switch(clients.switch_point, switching.live_ingress(clients.switch_point))

    assert colours(after, service) == {service.green.service}
    assert wrong_backends(clients.green.kube, after, Green.of(clients.green), service) == []


def switch(at: SwitchPoint, before: Json) -> Json:
    """What the planned switch would leave; once it is done, what the way back and it again would."""
    forth = switching.forth(at, before)
    if colours(before, at.service) == {at.service.green.service}:
        forth = switching.together(switching.back(at, before), forth)
    return switching.dry_run(at, forth)
