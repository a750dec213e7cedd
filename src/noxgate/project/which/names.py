"""What a target calls its namespaces, and its peer in production: the commands of a `next` name these."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from noxgate.errors import ProfileError
from noxgate.project.profile import read_document
from noxgate.project.target import Target
from noxgate.project.which.called import called

NAMESPACES = ("namespace", "green_namespace", "blue_namespace")
PEER = "production"


def names_of(root: Path, target: Target) -> dict[str, str]:
    """Of a target, as its run found it."""
    own = {key: getattr(target, key) or "" for key in NAMESPACES}
    return {"target": target.called, **_told(own), **_peers(root, target.path, target.production, own)}


def names_in(root: Path, name: str) -> dict[str, str]:
    """Of a profile that no run was made of; of one that cannot be read, its name alone."""
    try:
        path, document = read_document(root, name)
    except ProfileError:
        return {"target": name}
    own = _namespaces(document)
    return {"target": called(root, path), **_told(own), **_peers(root, path, document.get(PEER), own)}


def _peers(root: Path, path: Path, peer: str | None, own: Mapping[str, str]) -> dict[str, str]:
    """What production calls them, seen from staging; a profile without that peer is production."""
    found = own
    if peer is not None:
        found = {}
        with suppress(ProfileError):
            where = str(path.parent / peer) if peer.endswith(".toml") else peer
            found = _namespaces(read_document(root, where)[1])
    return {f"{PEER}_{key}": value for key, value in _told(found).items()}


def _namespaces(document: Mapping[str, Any]) -> dict[str, str]:
    """As a profile has them: without green's, green is where the rest is."""
    found = {key: str(document[key]) for key in NAMESPACES if key in document}
    return {"green_namespace": found["namespace"], **found} if "namespace" in found else found


def _told(found: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if value}
