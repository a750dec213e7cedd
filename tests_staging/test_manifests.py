"""Runbook 2, deploy to staging: the manifests as a dry run, and the objects that came of them."""

from collections import Counter

import pytest

from nox_service.clients import Clients
from noxgate.systems.kubernetes.drift import drift_of


@pytest.mark.runbook("staging.manifests-accepted")
def test_manifests_are_accepted(clients: Clients) -> None:
    """Each document by itself: a refused one would stop the runbook's apply half way."""
    refused = clients.kube.refusals(clients.manifests, clients.target.namespace)

    assert clients.manifests != ()
    assert refused == {}


@pytest.mark.runbook("staging.manifests-unique")
def test_no_object_is_defined_twice(clients: Clients) -> None:
    """The last definition would win, silently; and nothing is meant for another namespace."""
    manifests, target = clients.manifests, clients.target
    counts = Counter(document.of(target.namespace) for document in manifests)
    elsewhere = [str(each) for each in manifests if each.namespace not in {None, target.namespace}]

    assert manifests != ()
    twice = [str(each) for each in manifests if counts[each.of(target.namespace)] > 1]
    assert twice == []
    assert elsewhere == []


@pytest.mark.runbook("staging.manifests-no-drift")
def test_live_objects_are_what_the_manifests_say(clients: Clients) -> None:
    """What a dry run would still change, and what somebody added by hand."""
    found = drift_of(clients.kube, clients.manifests, clients.target.namespace)

    assert clients.manifests != ()
    assert found == {}
