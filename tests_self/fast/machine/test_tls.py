"""A TLS context with which many threads connect at once."""

import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from tests_self.building.answering import http, request_of

from noxgate.machine import tls

if TYPE_CHECKING:
    import socket

    from tests_self.authority import Authority
    from tests_self.loopback import Loopback


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Each list of protocols that reached OpenSSL."""
    found: list[tuple[str, ...]] = []
    real = ssl.SSLContext.set_alpn_protocols

    def recorded(self: ssl.SSLContext, protocols: Iterable[str]) -> None:
        found.append(tuple(protocols))
        real(self, protocols)

    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", recorded)
    return found


def test_threads_replace_nothing_under_each_other(
    said: list[tuple[str, ...]], loopback: "Loopback", authority: "Authority"
) -> None:
    """Httpcore sets the protocols for each connection, while another may be copying them."""
    offered: list[str | None] = []

    def answer(connection: "socket.socket") -> None:
        assert isinstance(connection, ssl.SSLSocket)
        offered.append(connection.selected_alpn_protocol())
        request_of(connection)
        connection.sendall(http())

    port = loopback.serve_tls(answer)
    context = tls.trusting(authority.file.certificate)

    def look(_: int) -> int:
        with httpx.Client(verify=context, trust_env=False, timeout=60) as client:
            return client.get(f"https://localhost:{port}/").status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(look, range(24))) == {200}

    assert len(offered) == 24
    assert said == [tls.HTTP1]


def test_other_protocols_need_another_context(said: list[tuple[str, ...]]) -> None:
    """The context is the standard one in all else."""
    context = tls.trusting(None, tls.HTTP1_AND_2)
    assert type(context) is ssl.SSLContext
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED

    context.set_alpn_protocols(["http/1.1", "h2"])
    with pytest.raises(
        ValueError, match=r"^expected a context of its own for \('h2',\), saw one that offers"
    ):
        context.set_alpn_protocols(["h2"])

    assert said == [tls.HTTP1_AND_2]
