"""What credentials point at: host, port, database, cluster. It holds neither user names nor passwords.

A profile may name it, in `[points_at]`: then a credential that leads elsewhere makes no GO, and a run that
says so is not evidence. What is not named is sealed all the same, for those who ask later.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from noxgate.errors import UnreachableError
from noxgate.look.database_url import database_places
from noxgate.look.places import redis_place
from noxgate.project.keys.evidence import CLUSTER_KEY
from noxgate.project.kubeconfig import DEFAULT, Cluster, clusters
from noxgate.project.profile_values import is_loopback
from noxgate.project.target import Target


def points_at(target: Target) -> dict[str, str]:
    """Credential -> where it leads; without those that are not set or cannot be read."""
    found: dict[str, str] = {}
    given = {} if target.rehearsal else os.environ
    places = {"database_url": lambda url: database_places(url, given), "redis_url": redis_place}
    for role, place in places.items():
        try:
            found[role] = place(target.credential(role).reveal())
        except (UnreachableError, ValueError):
            continue
    files = target.kubeconfig or str(Path(DEFAULT).expanduser())
    if cluster := clusters(files.split(os.pathsep)).get(target.context):
        found[CLUSTER_KEY] = cluster_place(cluster)
    return {role: place for role, place in found.items() if place}


def cluster_place(cluster: Cluster) -> str:
    """An API server's address without the user that it may name; and the proxy that is asked for it.

    Who believes a kubeconfig's own authority believes whoever that proxy is.
    """
    server = _without_user(cluster.server)
    if is_loopback(server):
        return server
    proxies = {} if proxy_bypass(urlsplit(server).hostname or "") else getproxies()
    proxy = cluster.proxy or proxies.get("https") or proxies.get("all")
    return f"{server} by way of {_without_user(proxy)}" if proxy else server


def _without_user(address: str) -> str:
    return re.sub(r"//[^/]*@", "//", address).lower().rstrip("/")


def elsewhere(wanted: Mapping[str, str], seen: Mapping[str, str]) -> Iterator[str]:
    """Where credentials lead elsewhere than a profile names, each in one line."""
    for role, place in wanted.items():
        if seen.get(role) != place:
            yield f"{role} points at {seen.get(role, 'nothing')}, and points_at names {place}"
