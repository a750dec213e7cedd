"""The API client against servers that answer late or not at all."""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests_self.building.answering import Looks, request_of

from noxgate.errors import UnreachableError
from noxgate.look.observation import Patience

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


def wait(loopback: "Loopback") -> Callable[[socket.socket], None]:
    """Say nothing."""

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        loopback.over.wait(30)

    return talk


def drip(loopback: "Loopback") -> Callable[[socket.socket], None]:
    """One byte after another, each in time."""

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not loopback.over.wait(0.02):
            connection.sendall(b"x")

    return talk


@pytest.mark.parametrize("behave", [wait, drip])
def test_a_look_has_a_limit(
    loopback: "Loopback", behave: Callable[["Loopback"], Callable[[socket.socket], None]]
) -> None:
    """However the server spends the time."""
    looks = Looks.at(loopback, loopback.serve_tls(behave(loopback)))
    looks.session.patience = Patience(looks.target.base_url, look=0.3, total=10)
    started = time.monotonic()

    with pytest.raises(UnreachableError, match=r"^https://localhost:\d+: no answer in 0.3 s$"):
        looks.client.get("/x")

    assert time.monotonic() - started < 7  # a read alone may take eight, and all that drips twenty


def test_patience_ends(loopback: "Loopback", monkeypatch: pytest.MonkeyPatch) -> None:
    """After some looks in vain, further ones fail at once: forty checks must not wait forty times."""
    looks = Looks.at(loopback, loopback.serve_tls(wait(loopback)))
    looks.session.patience = Patience(looks.target.base_url, look=0.2, total=0.3)
    for _ in range(2):
        with pytest.raises(UnreachableError, match="no answer"):
            looks.client.get("/x")
    monkeypatch.setattr(looks.session, "http", None)  # whoever tries again needs it

    with pytest.raises(UnreachableError, match="not tried again: it kept earlier looks waiting"):
        looks.client.get("/x")


def test_patience_is_not_lost_on_answers() -> None:
    """Errors and answers that come at once cost nothing."""
    patience = Patience("x", look=5, total=0.01)

    for _ in range(20):
        with pytest.raises(ValueError, match="invalid literal"):
            patience.run(lambda: int("x"))
        assert patience.run(lambda: 1) == 1
