"""Runbook 4, release tagging: the tag says what is released, and is the same for everybody."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import running_images
from noxgate.project.runbook import Release
from noxgate.systems.registry.answers import REVISION
from noxgate.systems.repository.repository import Repository, Tag


@pytest.mark.runbook("green.tag-annotated")
def test_tag_is_annotated(clients: Clients) -> None:
    """A lightweight tag is only a name: it has neither a signature nor a message."""
    release = clients.release
    tag = tag_of(clients.repository, release)

    assert tag.type == "tag"
    assert tag.message == f"NOX API v{release.version} Production Release"


@pytest.mark.runbook("green.tag-pushed")
def test_origin_has_the_same_tag(clients: Clients) -> None:
    """The same object, not only a tag of that name: `git push` keeps silent about one that differs."""
    release = clients.release
    tag = tag_of(clients.repository, release)
    remote = clients.repository.remote_tag(f"v{release.version}")

    assert remote == tag.object


@pytest.mark.runbook("green.tag-commit")
def test_tag_is_the_validated_commit(clients: Clients, staging: Clients) -> None:
    """The commit that the image which staging runs was built from, and it is on the remote's main."""
    repository = clients.repository
    tag = tag_of(repository, clients.release)
    images = set(running_images(staging.green).values())
    validated = {image: staging.registry.image(image).labels.get(REVISION) for image in images}
    main = repository.remote_head("main")

    assert validated != {}
    assert validated == dict.fromkeys(validated, tag.commit)
    assert main is not None
    assert repository.has(tag.commit, main), f"{tag.commit} is not on main"


def tag_of(repository: Repository, release: Release) -> Tag:
    """The release's tag, which has to be there."""
    tag = repository.tag(f"v{release.version}")
    assert tag is not None, f"no tag v{release.version}"
    return tag
