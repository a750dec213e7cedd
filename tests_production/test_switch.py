"""Runbook 4, traffic switch: tried as a dry run on the Ingress as it is now, and where it would lead."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green import switching
from noxgate.blue_green.switching import Json, PatchFile, SwitchPoint, colours, unwanted_changes
from noxgate.blue_green.traffic import ExpectedPods, wrong_backends


@pytest.mark.runbook("green.switch-dry-run")
def test_switch_still_changes_backends_only(clients: Clients) -> None:
    """As in pre-flight: somebody may have changed the Ingress since."""
    switch_point, service = clients.switch_point, clients.service
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.green.service)
    after = switch(switch_point, before, clients.switch_patch, clients.rollback_patch)

    assert colours(before, service) in ({service.blue.service}, {service.green.service})
    assert unwanted_changes(after, before, service, service.green.service) == {}


@pytest.mark.runbook("green.switch-backends")
def test_switch_leads_to_ready_green_pods(clients: Clients) -> None:
    """The API server accepts any name: a Service of another namespace is out of an Ingress's reach."""
    switch_point, service = clients.switch_point, clients.service
    before = switching.live_ingress(switch_point)
    after = switch(switch_point, before, clients.switch_patch, clients.rollback_patch)

    assert colours(after, service) == {service.green.service}
    assert wrong_backends(clients.green.kube, after, ExpectedPods.of(clients.green), service) == []


def switch(at: SwitchPoint, before: Json, there: PatchFile, back: PatchFile) -> Json:
    """What the planned switch would leave; once it is done, what the way back and it again would."""
    forth = switching.forth(at, before, there)
    if colours(before, at.service) == {at.service.green.service}:
        forth = switching.together(switching.back(at, before, back), forth)
    return switching.dry_run(at, forth)
