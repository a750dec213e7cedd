"""Runbook 3, rollback preparation: what would be put back is saved, and the server would take it."""

import pytest

from noxgate.blue_green.ingress_meaning import routes
from noxgate.blue_green.rollback_manifests import RollbackManifests, servers_fields
from noxgate.blue_green.saved_objects import twice
from noxgate.blue_green.switching import (
    BLUE,
    GREEN,
    INGRESS,
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


@pytest.mark.runbook("prep.rollback-manifests-complete")
def test_every_object_was_saved(rollback_manifests: RollbackManifests) -> None:
    """`kubectl get all` leaves most kinds out, among them the Ingress, which the switch changes."""
    documents = rollback_manifests.documents()
    lacking = rollback_manifests.lacking(documents)
    outdated = rollback_manifests.outdated(documents)
    ingresses = [each.content for each in documents if (each.kind, each.name) == ("Ingress", INGRESS)]

    assert documents != ()
    assert lacking == []
    assert twice(documents) == []
    assert outdated == {}, f"not what is live, save them anew: {outdated}"
    assert [colours(ingress) for ingress in ingresses] == [{BLUE}]


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
def test_rollback_leads_back(kube: Kube, target: Target) -> None:
    """While blue serves, the switch and the way back in one dry run; after it, the way back alone."""
    before = live_ingress(kube, target)
    show_runbooks_patch(kube, target, BLUE)
    back = planned(target, before, GREEN, BLUE, target.rollback_patch)
    if colours(before) == {BLUE}:
        back = together(planned(target, before, BLUE, GREEN, target.switch_patch), back)
    after = dry_run(kube, target, back)

    assert colours(before) in ({BLUE}, {GREEN})
    assert routes(after) != {}
    assert differing(after, switched(before, BLUE)) == {}
    assert kept(after) == kept(before)
