"""Names of images: HOST/REPOSITORY:TAG or @DIGEST, as pods' specifications and nodes write them."""

import re
from dataclasses import dataclass

from noxgate.look.observation import shortened

DOCKER_HUB = "docker.io"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_HOST = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
# The hub under all of its names; an image of one word is in its library.
_HUBS = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}


@dataclass(frozen=True)
class ImageName:
    """The name of an image: HOST/REPOSITORY:TAG, or @DIGEST, which goes before a tag."""

    host: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def wanted(self) -> str:
        """The digest, or else the tag."""
        return self.digest or self.tag or "latest"

    @property
    def short(self) -> str:
        """Without the host."""
        return self.repository + (f"@{self.digest}" if self.digest else f":{self.wanted}")

    def __str__(self) -> str:
        return f"{self.host}/{self.short}"


def named(text: str) -> ImageName:
    """A name as in a pod's spec, or in its status' imageID. Raises AssertionError if it is not valid."""
    expected = "expected an image as HOST/NAME:TAG or HOST/NAME@sha256:…, saw"
    name = text.removeprefix("docker-pullable://").removeprefix("docker://")
    if DIGEST.fullmatch(name):
        raise AssertionError(f"{expected} {text} alone: the node did not pull it from a registry")
    name, _, digest = name.partition("@")
    head, slash, rest = name.partition("/")
    if not slash or not (set(".:[") & set(head) or head == "localhost" or head != head.lower()):
        head, rest = DOCKER_HUB, name
    head = hub(head.lower())
    if head == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    repository, colon, tag = rest.partition(":")
    is_fine = (
        _HOST.fullmatch(head)
        and _REPOSITORY.fullmatch(repository)
        and (not colon or _TAG.fullmatch(tag))
        and ("@" not in text or DIGEST.fullmatch(digest))
    )
    if not is_fine:
        raise AssertionError(f"{expected} {shortened(text, 120) or 'nothing'}")
    return ImageName(head, repository, tag or None, digest or None)


def hub(host: str) -> str:
    """One name for Docker's hub, which has several."""
    return DOCKER_HUB if host in _HUBS else host
