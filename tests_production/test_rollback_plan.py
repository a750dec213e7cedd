"""Runbook 3, rollback preparation: what would be put back is saved, and the server would take it."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green import switching
from noxgate.blue_green.ingress_meaning import routes
from noxgate.blue_green.rollback_manifests import servers_fields
from noxgate.blue_green.saved_objects import twice
from noxgate.blue_green.switching import colours, unwanted_changes


@pytest.mark.runbook("prep.rollback-manifests-complete")
def test_every_object_was_saved(clients: Clients) -> None:
    """`kubectl get all` leaves most kinds out, among them the Ingress, which the switch changes."""
    rollback_manifests, service = clients.rollback_manifests, clients.service
    documents = rollback_manifests.documents()
    lacking = rollback_manifests.lacking(documents)
    outdated = rollback_manifests.outdated(documents)
    ingresses = [each.content for each in documents if (each.kind, each.name) == ("Ingress", service.ingress)]

    assert documents != ()
    assert lacking == []
    assert twice(documents, clients.target.namespace) == []
    assert outdated == {}, f"not what is live, save them anew: {outdated}"
    assert [colours(ingress, service) for ingress in ingresses] == [{service.blue.service}]


@pytest.mark.runbook("prep.rollback-manifests-replay")
def test_saved_objects_would_be_accepted(clients: Clients) -> None:
    """As they were saved they carry the versions of that moment: 409 as soon as anything has changed."""
    documents = clients.rollback_manifests.documents()
    fields = servers_fields(documents)
    refused = clients.rollback_manifests.refused(documents)

    assert documents != ()
    assert fields == {}
    assert refused == {}


@pytest.mark.runbook("prep.rollback-dry-run")
def test_rollback_leads_back(clients: Clients) -> None:
    """While blue serves, the switch and the way back in one dry run; after it, the way back alone."""
    switch_point, service = clients.switch_point, clients.service
    before = switching.live_ingress(switch_point)
    switching.show_runbooks_patch(switch_point, service.blue.service)
    back = switching.back(switch_point, before, clients.rollback_patch)
    if colours(before, service) == {service.blue.service}:
        back = switching.together(switching.forth(switch_point, before, clients.switch_patch), back)
    after = switching.dry_run(switch_point, back)

    assert colours(before, service) in ({service.blue.service}, {service.green.service})
    assert routes(after) != {}
    assert unwanted_changes(after, before, service, service.blue.service) == {}
