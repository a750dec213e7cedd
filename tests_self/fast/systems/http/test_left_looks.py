"""Looks that were given up still read their connection: it is closed after them."""

import _thread
import socket
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests_self.faults import http
from tests_self.loopback import Loopback

from noxgate.errors import UnreachableError
from noxgate.look.observation import Patience
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.http.session import ApiSession
from noxgate.systems.postgres.database import DatabaseSession
from noxgate.systems.prometheus.session import PrometheusSession
from noxgate.systems.redis import CacheSession
from noxgate.systems.registry.session import RegistrySession

HELLO = b"of another connection"
Session = ApiSession | PrometheusSession | RegistrySession
SESSIONS: list[Callable[[Target], Session]] = [
    lambda target: ApiSession(settings.api(target)),
    lambda target: PrometheusSession(settings.prometheus(target)),
    lambda target: RegistrySession(settings.registry(target)),
]


@pytest.mark.parametrize("made", SESSIONS, ids=["api", "prometheus", "registry"])
def test_another_connection_is_whole(loopback: Loopback, made: Callable[[Target], Session]) -> None:
    """It would get the number of the file that was closed, and lose what OpenSSL reads."""
    more = threading.Event()

    def talk(connection: socket.socket) -> None:
        http.request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx")
        more.wait(30)
        connection.sendall(b"y")
        loopback.over.wait(30)

    port = loopback.serve_tls(talk)
    session = made(loopback.target(port))
    session.patience = Patience("x", look=0.5)
    with pytest.raises(UnreachableError, match=r"no answer in 0\.5 s"):
        session.patience.run(lambda: session.http.get(f"https://localhost:{port}/"))

    session.close()

    pairs = [socket.socketpair() for _ in range(4)]
    for one, other in pairs:
        one.sendall(HELLO)
        other.sendall(HELLO)
    more.set()
    ended("look at x")
    ended("close x")
    assert [each.recv(99) for pair in pairs for each in pair] == [HELLO] * 8
    assert session.http.is_closed
    for pair in pairs:
        for each in pair:
            each.close()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_each_address_of_the_api(loopback: Loopback, scheme: str) -> None:
    """Behind port 80 somebody else may keep looks waiting."""
    target = replace(loopback.target(9), plain_url="http://localhost:9")
    session = ApiSession(settings.api(target))
    go = threading.Event()
    patience = session.patience_with(f"{scheme}://localhost:9/x")
    left_behind(patience, go)

    session.close()

    assert not session.http.is_closed
    go.set()
    ended(f"close {patience.address}")
    assert session.http.is_closed


@pytest.mark.parametrize("kind", ["database", "cache"])
def test_a_connection_that_is_asked(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """To PostgreSQL or Redis: it is closed when the look has ended, and at once without one."""
    target = loopback.target(9)
    session: DatabaseSession | CacheSession
    closed: list[str] = []
    if kind == "database":
        session = DatabaseSession(settings.database(target))
        monkeypatch.setattr(session, "_connection", Closing(closed))
    else:
        session = CacheSession(settings.cache(target))
        monkeypatch.setattr(session, "_redis", Closing(closed))
    session.patience = Patience("x")
    go = threading.Event()
    left_behind(session.patience, go)

    session.close()
    assert closed == []
    go.set()
    ended("close x")
    assert closed == ["closed"]
    session.close()
    assert closed == ["closed", "closed"]


def test_look_that_ctrl_c_left() -> None:
    """A run still writes its report then: an alert of the look would be written into that."""
    patience, go = Patience("x"), threading.Event()
    closed: list[str] = []

    def look() -> None:
        _thread.interrupt_main()
        go.wait(30)

    with pytest.raises(KeyboardInterrupt):
        patience.run(look)

    patience.close(Closing(closed).close)
    assert closed == []
    go.set()
    ended("close x")
    assert closed == ["closed"]


class Closing:
    def __init__(self, closed: list[str]) -> None:
        self._closed = closed

    def close(self) -> None:
        self._closed.append("closed")


def left_behind(patience: Patience, go: threading.Event) -> None:
    """A look that goes on after it was given up."""
    patience._look = 0.01  # noqa: SLF001
    with pytest.raises(UnreachableError, match="no answer"):
        patience.run(lambda: go.wait(30))


def ended(name: str) -> None:
    for each in threading.enumerate():
        if each.name == name:
            each.join(30)
