"""Runbook 4, traffic switch: tried as a dry run on the Ingress as it is now, and where it would lead."""

import pytest

from noxgate.blue_green import switching
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import Json, SwitchPoint, colours, differing, kept, switched
from noxgate.blue_green.traffic import Green, wrong_backends
from noxgate.project.service.names import Service


@pytest.mark.runbook("green.switch-dry-run")
def test_switch_still_changes_backends_only(switch_point: SwitchPoint, service: Service) -> None:
    """As in pre-flight: somebody may have changed the Ingress since."""
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.green.service)
    after = switch(switch_point, before)

    assert colours(before, service) in ({service.blue.service}, {service.green.service})
    assert differing(after, switched(before, service, service.green.service)) == {}
    assert kept(after) == kept(before)


@pytest.mark.runbook("green.switch-backends")
def test_switch_leads_to_ready_green_pods(switch_point: SwitchPoint, green: Side, service: Service) -> None:
    """The API server accepts any name: a Service of another namespace is out of an Ingress's reach."""
    after = switch(switch_point, switching.live_ingress(switch_point))

    assert colours(after, service) == {service.green.service}
    assert wrong_backends(green.kube, after, Green.of(green), service) == []


def switch(at: SwitchPoint, before: Json) -> Json:
    """What the planned switch would leave; once it is done, what the way back and it again would."""
    forth = switching.forth(at, before)
    if colours(before, at.service) == {at.service.green.service}:
        forth = switching.together(switching.back(at, before), forth)
    return switching.dry_run(at, forth)
