"""Runbook 2, deploy to staging: the manifests as a dry run, and the objects that came of them."""

from collections import Counter

import pytest

from noxgate.project.target import Target
from noxgate.systems.kubernetes.drift import drifted
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document


@pytest.mark.runbook("staging.manifests-accepted")
def test_manifests_are_accepted(kube: Kube, target: Target, manifests: tuple[Document, ...]) -> None:
    """Each document by itself: a refused one would stop the runbook's apply half way."""
    refused = kube.refusals(manifests, target.namespace)

    assert manifests != ()
    assert refused == {}


@pytest.mark.runbook("staging.manifests-unique")
def test_no_object_is_defined_twice(manifests: tuple[Document, ...], target: Target) -> None:
    """The last definition would win, silently; and nothing is meant for another namespace."""
    counts = Counter(document.of(target.namespace) for document in manifests)
    elsewhere = [str(each) for each in manifests if each.namespace not in {None, target.namespace}]

    assert manifests != ()
    twice = [str(each) for each in manifests if counts[each.of(target.namespace)] > 1]
    assert twice == []
    assert elsewhere == []


@pytest.mark.runbook("staging.manifests-no-drift")
def test_live_objects_are_what_the_manifests_say(
    kube: Kube, target: Target, manifests: tuple[Document, ...]
) -> None:
    """What a dry run would still change, and what somebody added by hand."""
    found = drifted(kube, manifests, target.namespace)

    assert manifests != ()
    assert found == {}
