"""Runbook 4, container images: the bytes that staging validated, built from the tag, and scanned."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import release_image, running_images, strangers_to
from noxgate.look.observation import Fact
from noxgate.project.runbook import Limits
from noxgate.systems.registry.answers import REVISION


@pytest.mark.runbook("green.image-published")
def test_registry_has_the_image(clients: Clients) -> None:
    """Under the release's tag, and for the platform of the nodes; it says itself which version it is."""
    image = clients.registry.image(release_image(clients.manifests, clients.release.version, clients.green))

    assert image.layers != ()


@pytest.mark.runbook("green.image-digest")
def test_image_is_what_staging_runs(clients: Clients, staging: Clients, fact: Fact) -> None:
    """By digest: an image that was built again after staging has the same tag, and was not tested."""
    image = clients.registry.image(release_image(clients.manifests, clients.release.version, clients.green))
    validated = running_images(staging.green)
    fact("image", image.digest)
    fact("image-manifest", image.manifest_digest)

    assert validated != {}
    assert strangers_to(image, validated) == {}


@pytest.mark.runbook("green.image-revision")
def test_image_is_built_from_the_tag(clients: Clients) -> None:
    """By the label that the build leaves in the image."""
    release = clients.release
    image = clients.registry.image(release_image(clients.manifests, release.version, clients.green))
    tag = clients.repository.tag(f"v{release.version}")

    assert tag is not None, f"no tag v{release.version}"
    assert image.labels.get(REVISION) == tag.commit


@pytest.mark.runbook("green.image-scan")
def test_scan_has_no_critical_finding(clients: Clients, limits: Limits) -> None:
    """Of these bytes: a report of another build, or of last week, says nothing of what ships tonight."""
    report = clients.vulnerabilities.report()
    image = clients.registry.image(release_image(clients.manifests, clients.release.version, clients.green))

    assert report.scan.identity.contradiction(image) is None
    assert report.age_hours <= limits["age_hours"]
    assert (report.database_hours or 0) <= limits["database_hours"]
    assert len(report.scan.critical) <= limits["critical"], f"critical: {', '.join(report.scan.critical)}"
