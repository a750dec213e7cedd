"""Runbook 3, rollback preparation: what would be put back is saved, and the server would take it."""

import pytest

from noxgate.blue_green import switching
from noxgate.blue_green.ingress_meaning import routes
from noxgate.blue_green.rollback_manifests import RollbackManifests, servers_fields
from noxgate.blue_green.saved_objects import twice
from noxgate.blue_green.switching import SwitchPoint, colours, differing, kept, switched
from noxgate.project.service.names import Service
from noxgate.project.target import Target


@pytest.mark.runbook("prep.rollback-manifests-complete")
def test_every_object_was_saved(
    rollback_manifests: RollbackManifests, target: Target, service: Service
) -> None:
    """`kubectl get all` leaves most kinds out, among them the Ingress, which the switch changes."""
    documents = rollback_manifests.documents()
    lacking = rollback_manifests.lacking(documents)
    outdated = rollback_manifests.outdated(documents)
    ingresses = [each.content for each in documents if (each.kind, each.name) == ("Ingress", service.ingress)]

    assert documents != ()
    assert lacking == []
    assert twice(documents, target.namespace) == []
    assert outdated == {}, f"not what is live, save them anew: {outdated}"
    assert [colours(ingress, service) for ingress in ingresses] == [{service.blue.service}]


@pytest.mark.runbook("prep.rollback-manifests-replay")
def test_saved_objects_would_be_accepted(rollback_manifests: RollbackManifests) -> None:
    """As they were saved they carry the versions of that moment: 409 as soon as anything has changed."""
    documents = rollback_manifests.documents()
    fields = servers_fields(documents)
    refused = rollback_manifests.refused(documents)

    assert documents != ()
    assert fields == {}
    assert refused == {}


@pytest.mark.runbook("prep.rollback-dry-run")
def test_rollback_leads_back(switch_point: SwitchPoint, service: Service) -> None:
    """While blue serves, the switch and the way back in one dry run; after it, the way back alone."""
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.blue.service)
    back = switching.back(switch_point, before)
    if colours(before, service) == {service.blue.service}:
        back = switching.together(switching.forth(switch_point, before), back)
    after = switching.dry_run(switch_point, back)

    assert colours(before, service) in ({service.blue.service}, {service.green.service})
    assert routes(after) != {}
    assert differing(after, switched(before, service, service.blue.service)) == {}
    assert kept(after) == kept(before)
