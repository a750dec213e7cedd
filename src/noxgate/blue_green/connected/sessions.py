"""Whose the sessions are that a server has: a pod is known by its name or by its address."""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.systems.kubernetes.workload import name

Json = Mapping[str, Any]


@dataclass(frozen=True)
class SeenSession:
    """Somebody's connection, as a server sees it: from which address, under which name, whether in use.

    `role` is as whom.
    """

    address: str
    called: str
    in_use: bool
    role: str = ""


def pods_without_session(
    blue: Sequence[Json], green: Sequence[Json], sessions: Collection[SeenSession] | None
) -> list[str] | None:
    """The pods of green that hold no session in use; None if sessions tell nothing, of blue either.

    A pod is known by its name, which programs may say, or by its address, which a proxy hides. Whether one of
    the two is told here is seen by blue, which is connected.
    """
    if sessions is None or not blue:
        return None
    addresses = _addresses([*blue, *green])
    if not all(any(_is_of(each, pod, addresses) for each in sessions) for pod in blue):
        return None
    used = [each for each in sessions if each.in_use]
    return sorted(name(pod) for pod in green if not any(_is_of(each, pod, addresses) for each in used))


def roles(blue: Sequence[Json], green: Sequence[Json], sessions: Collection[SeenSession]) -> list[str]:
    """As whom the pods of green ask, where sessions tell: the same place may have a user without rights."""
    addresses = _addresses([*blue, *green])
    return sorted({each.role for each in sessions for pod in green if _is_of(each, pod, addresses)} - {""})


def _is_of(session: SeenSession, pod: Json, addresses: Mapping[str, set[str]]) -> bool:
    named = re.search(rf"(?<![\w-]){re.escape(name(pod))}(?![\w-])", session.called) is not None
    return named or session.address in addresses[name(pod)]


def _addresses(pods: Sequence[Json]) -> dict[str, set[str]]:
    """The addresses that a pod has for itself: not its node's, not this machine's, not that of several."""
    found = {name(pod): set(_of_pod(pod)) for pod in pods}
    every = [address for several in found.values() for address in several]
    return {pod: {one for one in several if every.count(one) == 1} for pod, several in found.items()}


def _of_pod(pod: Json) -> Iterator[str]:
    status = pod.get("status") or {}
    given = {status.get("podIP"), *(each.get("ip") for each in status.get("podIPs") or [])}
    for address in given - {None, status.get("hostIP")}:
        if not ipaddress.ip_address(address).is_loopback:
            yield address
