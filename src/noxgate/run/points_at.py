"""What credentials point at: host, port, database, cluster. No user's name and no password is in it.

A profile may name it, in `[points_at]`: then a credential that leads elsewhere makes no GO, and a run that
says so is no evidence. What is not named is sealed all the same, for whoever asks later.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.database_url import database_places
from noxgate.look.places import redis_place
from noxgate.project.keys.evidence import CLUSTER
from noxgate.project.kubeconfig import DEFAULT, clusters
from noxgate.project.target import Target


def points_at(target: Target) -> dict[str, str]:
    """Credential -> where it leads; without those that are not set or cannot be read."""
    found: dict[str, str] = {}
    for role, place in (("database_url", database_places), ("redis_url", redis_place)):
        try:
            found[role] = place(target.credential(role).reveal())
        except (UnreachableError, ValueError):
            continue
    files = target.kubeconfig or str(Path(DEFAULT).expanduser())
    if server := clusters(files.split(os.pathsep)).get(target.context):
        found[CLUSTER] = cluster_place(server)
    return {role: place for role, place in found.items() if place}


def cluster_place(server: str) -> str:
    """An API server's address without the user that it may name."""
    return re.sub(r"//[^/]*@", "//", server).lower().rstrip("/")


def elsewhere(wanted: Mapping[str, str], seen: Mapping[str, str]) -> Iterator[str]:
    """Where credentials lead elsewhere than a profile names, each in one line."""
    for role, place in wanted.items():
        if seen.get(role) != place:
            yield f"{role} points at {seen.get(role, 'nothing')}, and points_at names {place}"
