"""Runbook 4, rehearsed before the day: green's manifests, as a dry run on production's server."""

import pytest

from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document


@pytest.mark.runbook("preflight.green-manifests")
def test_green_manifests_are_accepted(
    production_kube: Kube, production: Target, production_manifests: tuple[Document, ...]
) -> None:
    """Each document by itself: a refused one would stop the runbook's apply half way."""
    elsewhere = [
        str(document)
        for document in production_manifests
        if document.namespace not in {None, production.green_namespace}
    ]
    refused = production_kube.refusals(production_manifests, production.green_namespace)

    assert production_manifests != ()
    assert refused == {}
    assert elsewhere == []
