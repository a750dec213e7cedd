"""Runbook 4, container images: the bytes that staging validated, built from the tag, and scanned."""

import pytest

from noxgate.blue_green.running import released, running, strangers_to
from noxgate.blue_green.side import Side
from noxgate.look.observation import Fact
from noxgate.project.runbook import Limits, Release
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.registry.answers import REVISION
from noxgate.systems.registry.client import Registry
from noxgate.systems.registry.vulnerabilities import Vulnerabilities
from noxgate.systems.repository import Repository


@pytest.mark.runbook("green.image-published")
def test_registry_has_the_image(
    registry: Registry, manifests: tuple[Document, ...], release: Release, green: Side
) -> None:
    """Under the release's tag, and for the platform of the nodes; it says itself which version it is."""
    image = registry.image(released(manifests, release.version, green))

    assert image.layers != ()


@pytest.mark.runbook("green.image-digest")
def test_image_is_what_staging_runs(
    registry: Registry,
    manifests: tuple[Document, ...],
    release: Release,
    green: Side,
    staging_green: Side,
    fact: Fact,
) -> None:
    """By digest: an image that was built again after staging has the same tag, and was not tested."""
    image = registry.image(released(manifests, release.version, green))
    validated = running(staging_green)
    fact("image", image.digest)
    fact("image-manifest", image.manifest_digest)

    assert validated != {}
    assert strangers_to(image, validated) == {}


@pytest.mark.runbook("green.image-revision")
def test_image_is_built_from_the_tag(
    registry: Registry,
    repository: Repository,
    manifests: tuple[Document, ...],
    release: Release,
    green: Side,
) -> None:
    """By the label that the build leaves in the image."""
    image = registry.image(released(manifests, release.version, green))
    tag = repository.tag(f"v{release.version}")

    assert tag is not None, f"no tag v{release.version}"
    assert image.labels.get(REVISION) == tag.commit


@pytest.mark.runbook("green.image-scan")
def test_scan_has_no_critical_finding(
    registry: Registry,
    manifests: tuple[Document, ...],
    vulnerabilities: Vulnerabilities,
    release: Release,
    green: Side,
    limits: Limits,
) -> None:
    """Of these bytes: a report of another build, or of last week, says nothing of what ships tonight."""
    report = vulnerabilities.report()
    image = registry.image(released(manifests, release.version, green))

    assert report.scan.identity.contradiction(image) is None
    assert report.age_hours <= limits["age_hours"]
    assert (report.database_hours or 0) <= limits["database_hours"]
    assert len(report.scan.critical) <= limits["critical"], f"critical: {', '.join(report.scan.critical)}"
