"""Runbook 4, green is deployed: its manifests as a dry run, and the objects that came of them."""

import pytest

from nox_service.clients import Clients
from noxgate.systems.kubernetes.drift import drift_of


@pytest.mark.runbook("green.manifests-accepted")
def test_green_manifests_are_accepted(clients: Clients) -> None:
    """Those of the tag, each document by itself: a refused one would stop the runbook's apply half way."""
    manifests, release = clients.manifests, clients.release
    tag, head = clients.repository.tag(f"v{release.version}"), clients.repository.head()
    refused = clients.kube.refusals(manifests, clients.target.green_namespace)
    elsewhere = [
        str(each) for each in manifests if each.namespace not in {None, clients.target.green_namespace}
    ]

    assert manifests != ()
    assert tag is not None, f"no tag v{release.version}"
    assert head == tag.commit, f"the checkout is not at v{release.version}"
    assert elsewhere == []
    assert refused == {}


@pytest.mark.runbook("green.manifests-no-drift")
def test_green_is_what_its_manifests_say(clients: Clients) -> None:
    """What a dry run would still change, and what somebody added by hand."""
    found = drift_of(clients.kube, clients.manifests, clients.target.green_namespace)

    assert clients.manifests != ()
    assert found == {}
