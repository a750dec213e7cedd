"""Runbook 4, green is deployed: its manifests as a dry run, and the objects that came of them."""

import pytest

from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems.kubernetes.drift import drifted
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.repository import Repository


@pytest.mark.runbook("green.manifests-accepted")
def test_green_manifests_are_accepted(
    kube: Kube,
    target: Target,
    manifests: tuple[Document, ...],
    repository: Repository,
    release: Release,
) -> None:
    """Those of the tag, each document by itself: a refused one would stop the runbook's apply half way."""
    tag, head = repository.tag(f"v{release.version}"), repository.head()
    refused = kube.refusals(manifests, target.green_namespace)
    elsewhere = [str(each) for each in manifests if each.namespace not in {None, target.green_namespace}]

    assert manifests != ()
    assert tag is not None, f"no tag v{release.version}"
    assert head == tag.commit, f"the checkout is not at v{release.version}"
    assert elsewhere == []
    assert refused == {}


@pytest.mark.runbook("green.manifests-no-drift")
def test_green_is_what_its_manifests_say(kube: Kube, target: Target, manifests: tuple[Document, ...]) -> None:
    """What a dry run would still change, and what somebody added by hand."""
    found = drifted(kube, manifests, target.green_namespace)

    assert manifests != ()
    assert found == {}
