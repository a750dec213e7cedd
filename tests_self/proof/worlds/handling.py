"""How the tests of worlds ask one, wait for it, and start one in another process."""

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPMessage, HTTPSConnection

from nox_rehearsal.world import leftovers, lifecycle
from nox_rehearsal.world.folder import folder_of
from nox_rehearsal.world.lifecycle import World

PARTS = [
    "prometheus",
    "postgres",
    "registry",
    "redis",
    "redis-production",
    "ingress",
    "kubernetes",
    "nox-api-green-1",
    "nox-api-green-2",
    "nox-api-green-3",
    "nox-api-blue-1",
    "nox-api-blue-2",
    "pages",
    "controllers",
    "containers",
    "nox-worker",
    "visitors",
]


@contextmanager
def running(name: str) -> Iterator[World]:
    with lifecycle.running(name, say=lambda _: None) as here:
        yield here


def fetch(here: World, path: str, token: str = "") -> tuple[int, str, HTTPMessage]:
    """GET through the ingress with its certificate verified: status, body, headers."""
    with closing(connect(here)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers


def connect(here: World) -> HTTPSConnection:
    context = ssl.create_default_context(cafile=str(here.ca_file))
    return HTTPSConnection("localhost", here.port, timeout=30, context=context)


def family(pid: int) -> list[int]:
    """A process and all that descend from it; there are more of them than parts."""
    pids = [pid]
    for one in pids:
        pids += leftovers.children(one)
    assert len(pids) > len(PARTS)
    return pids


def expect_gone(pids: list[int]) -> None:
    assert [pid for pid in pids if leftovers.look(pid) is not None] == []


def expect_nothing_left(name: str, pids: list[int]) -> None:
    """Neither the processes that were seen, nor others of that world, nor its folder."""
    expect_gone(pids)
    assert leftovers.all_of(folder_of(name)) == []
    assert not folder_of(name).exists()
