"""An API that speaks HTTP/2 alone, and answers that come in pieces or packed."""

import gzip
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
from tests_self.building.answering import Looks, http

from noxgate.errors import UnreachableError
from noxgate.look.observation import Patience

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback


PIECES = b'9\r\n{"version\r\nb;x=y\r\n": "8.0.0"}\r\n0\r\n\r\n'


def speaks_http2(connection: socket.socket) -> None:
    """Answer with the path that was asked for; HTTP/1.1 is not understood."""
    talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    talk.initiate_connection()
    connection.sendall(talk.data_to_send())
    while data := connection.recv(65536):
        try:
            events = talk.receive_data(data)
        except h2.exceptions.ProtocolError:
            connection.sendall(talk.data_to_send())
            return
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                path = dict(event.headers)[b":path"]
                talk.send_headers(event.stream_id, [(":status", "200"), ("x-path", path.decode())])
                talk.send_data(event.stream_id, b'{"version": "8.0.0"}', end_stream=True)
        connection.sendall(talk.data_to_send())


def test_http2_alone(loopback: "Loopback") -> None:
    """Over one connection, and over connections of their own."""
    looks = Looks.at(loopback, loopback.serve_tls(speaks_http2, alpn=("h2",)))
    loopback.at_end.append(looks.session.close)

    answer = looks.client.get("/version?a=b")

    assert (answer.status, answer.headers["x-path"]) == (200, "/version?a=b")
    assert {one.field("version", str) for one in looks.client.sample("/version", 5)} == {"8.0.0"}
    assert {one.status for one in looks.client.get_often("/version")} == {200}


def test_server_that_refuses_by_an_alert(loopback: "Loopback", authority: "Authority") -> None:
    """It is asked by HTTP/2 then: this one never answers, and that is said."""
    port = loopback.closed_port()
    pair = authority.good
    command = ["openssl", "s_server", "-quiet", "-alpn", "h2", "-accept", f"127.0.0.1:{port}"]
    command += ["-cert", str(pair.certificate), "-key", str(pair.key), "-naccept", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            looks = Looks.at(loopback, port)
            loopback.at_end.append(looks.session.close)
            looks.session.http.timeout = 1
            looks.session.patience = Patience("x", look=2)
            with pytest.raises(UnreachableError) as said:
                looks.client.get("/version")
            assert "application protocol" not in str(said.value).lower()
        finally:
            server.kill()


def test_no_http_at_all(loopback: "Loopback") -> None:
    looks = Looks.at(loopback, loopback.serve_tls(lambda connection: connection.sendall(b"\x15nonsense")))
    loopback.at_end.append(looks.session.close)

    with pytest.raises(UnreachableError, match="localhost"):
        looks.client.get("/version")


@pytest.mark.parametrize(
    "answer",
    [
        http(gzip.compress(b'{"version": "8.0.0"}'), "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + PIECES,
    ],
    ids=["packed", "in pieces"],
)
def test_packed_or_in_pieces(loopback: "Loopback", answer: bytes) -> None:
    assert Looks(loopback, answer).client.get("/version").field("version", str) == "8.0.0"


def test_alpn_of_the_websocket_is_left_alone(loopback: "Loopback") -> None:
    """What httpx says of itself in a context, the WebSocket must not say."""
    looks = Looks.at(loopback, loopback.serve_tls(speaks_http2, alpn=("h2",)))
    loopback.at_end.append(looks.session.close)
    before = looks.session.context

    looks.client.get("/version")

    assert looks.session.context is before
    assert isinstance(before, ssl.SSLContext)
