"""Runbook 4, rehearsed before the day: green's manifests, as a dry run on production's server."""

import pytest

from nox_service.clients import Clients


@pytest.mark.runbook("preflight.green-manifests")
def test_green_manifests_are_accepted(production: Clients) -> None:
    """Each document by itself: a refused one would stop the runbook's apply half way."""
    production_manifests = production.manifests
    elsewhere = [
        str(document)
        for document in production_manifests
        if document.namespace not in {None, production.target.green_namespace}
    ]
    refused = production.kube.refusals(production_manifests, production.target.green_namespace)

    assert production_manifests != ()
    assert refused == {}
    assert elsewhere == []
