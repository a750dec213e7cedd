"""The WebSocket user against a real server, and against servers that are wrong in one way each."""

import base64
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests_self.authority import Authority
from tests_self.loopback import Loopback
from websockets.sync.server import ServerConnection, serve

from noxgate_load.http.duplex import WebSocketClient
from noxgate_load.http.endpoint import Endpoint
from noxgate_load.samples import Totals

from .conftest import Run, answering, ok, request, reset

Talk = Callable[[socket.socket], object]
OPEN = {"ws": "open", "path": "/ws"}
ECHO = {"ws": "echo", "path": "/ws", "say": "hello"}
END = {"ws": "end", "path": "/ws"}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def echo(connection: ServerConnection) -> None:
    connection.ping()
    for message in connection:
        connection.send(message)


@pytest.fixture(params=["http", "https"])
def real(request: pytest.FixtureRequest, authority: Authority) -> Iterator[str]:
    """The address of a server of the package websockets."""
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.good)
    with serve(echo, "localhost", 0, ssl=context) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"{request.param}://localhost:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(10)


def test_a_real_server(real: str, authority: Authority, run: Run) -> None:
    large = {**ECHO, "say": "é" * 300_000}
    steps = [OPEN, ECHO, large, ECHO, END] * 2
    result = run(real, *steps, users=4, ca_file=str(authority.file.certificate))
    assert {sample["error"] for sample in result["samples"]} == {""}
    assert len(result["samples"]) == 40
    first, *others = sorted(result["samples"], key=lambda sample: sample["began"])[:1] + [
        sample for sample in result["samples"] if sample["method"] != "WS OPEN"
    ]
    assert (first["method"], first["status"]) == ("WS OPEN", 101)
    assert first["connect"] > 0
    assert {sample["status"] for sample in others} == {101}
    assert all(sample["connect"] == 0 for sample in others)


def frame(code: int, payload: bytes, *, final: bool = True) -> bytes:
    """A frame as servers send it."""
    head = bytes([code | (0x80 if final else 0)])
    size = len(payload)
    return head + (bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)) + payload


def heard(connection: socket.socket, kinds: tuple[int, ...] = (TEXT, CLOSE)) -> bool:
    """Wait for a frame of one of these kinds; False at the end. The engine's frames are short here."""
    while len(head := connection.recv(2, socket.MSG_WAITALL)) == 2:
        connection.recv(4 + (head[1] & 0x7F), socket.MSG_WAITALL)
        if head[0] & 0x0F in kinds:
            return True
    return False


def upgraded(*after: bytes, before: bytes = b"", then: Talk | None = None) -> Talk:
    """A server that upgrades, then answers each text or close with the next of these bytes."""

    def talk(connection: socket.socket) -> None:
        head = request(connection)
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        digest = hashlib.sha1(
            key.split(b": ")[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False
        ).digest()
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-accept: " + base64.b64encode(digest) + b"\r\n\r\n" + before
        )
        for answer in after:
            if not heard(connection):
                return
            connection.sendall(answer)
        if then:
            then(connection)

    return talk


CLOSED = frame(CLOSE, struct.pack(">H", 1000))


def test_frames_in_pieces_and_pings_between_them(loopback: Loopback, run: Run) -> None:
    pieces = frame(TEXT, b"hel", final=False) + frame(PING, b"") + frame(0, b"lo")
    order: list[bool] = []

    def talk(connection: socket.socket) -> None:
        upgraded(before=frame(PING, b"there?"))(connection)
        order.extend(heard(connection, (kind,)) for kind in (TEXT, PONG))
        connection.sendall(pieces)
        order.extend(heard(connection, (kind,)) for kind in (PONG, CLOSE))
        connection.sendall(CLOSED)

    result = run(f"http://localhost:{loopback.serve(talk)}", OPEN, ECHO, END)
    assert [sample["error"] for sample in result["samples"]] == ["", "", ""]
    assert order == [True] * 4


def test_a_close_that_comes_before_the_next_message(loopback: Loopback, run: Run) -> None:
    port = loopback.serve(upgraded(frame(TEXT, b"hello") + CLOSED + frame(PING, b"")))
    result = run(f"http://localhost:{port}", OPEN, ECHO, ECHO, OPEN, ECHO, END)
    assert [sample["error"] for sample in result["samples"]] == ["", "", "closed", "", "", "closed"]


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (ok(b"no", status="403 Forbidden"), 403, "upgrade"),
        (ok(b"No required SSL certificate was sent", status="400 Bad Request"), 400, "client certificate"),
        (ok(b"", status="200 OK"), 200, "upgrade"),
        (ok(b"", "location: /", status="302 Found"), 302, "upgrade"),
        (b"HTTP/1.1 503 Busy\r\n\r\nbody to the end", 503, "upgrade"),
        (b"HTTP/1.1 101 S\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", 0, "malformed"),
        (b"what?\r\n\r\n", 0, "malformed"),
        (b"", 0, "closed"),
        (b"HTTP/1.1 101", 0, "truncated"),
    ],
)
def test_upgrades_that_fail(loopback: Loopback, run: Run, answer: bytes, status: int, error: str) -> None:
    result = run(f"http://localhost:{loopback.serve(answering(answer))}", OPEN, ECHO, OPEN)
    assert [sample["error"] for sample in result["samples"]] == [error, "closed", error]
    assert [sample["status"] for sample in result["samples"]] == [status, 0, status]


class Pieces:
    """A connection whose bytes come as they are given, and then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self._left = [*pieces]

    def send(self, _: bytes) -> None:
        pass

    def receive(self) -> bytes:
        return self._left.pop(0) if self._left else b""

    def close(self) -> None:
        pass


class InPieces(WebSocketClient):
    """A user of such a connection."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(Endpoint("http://localhost:9"), lambda _: None, Totals())
        self._pieces: Any = Pieces(*pieces)

    def _connect(self) -> Any:
        self._stream = self._pieces
        return self._pieces


@pytest.mark.parametrize(
    ("length", "said", "error"),
    [
        ("content-length: 36\r\n", b"No required SSL certificate was sent", "client certificate"),
        ("", b"No required SSL certificate was sent", "client certificate"),
        (
            "transfer-encoding: chunked\r\n",
            b"24\r\nNo required SSL certificate was sent\r\n0\r\n\r\n",
            "client certificate",
        ),
        ("content-length: 36\r\n", b"expected a token of this user        ", "upgrade"),
        ("content-length: 99\r\n", b"cut", "upgrade"),
        ("content-length: 99999\r\n", b"x" * 99_999, "upgrade"),
    ],
)
def test_who_refused_may_be_said_after_the_head(length: str, said: bytes, error: str) -> None:
    """An edge's own refusal is not the API's, also where its body comes in pieces."""
    head = f"HTTP/1.1 400 Bad Request\r\n{length}\r\n".encode()
    client = InPieces(head, *(said[at : at + 12] for at in range(0, len(said), 12)))

    answer = client.open("/ws")

    client.close()
    assert (answer.status, answer.error) == (400, error)


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (upgraded(frame(TEXT, b"goodbye")), "check"),
        (upgraded(frame(BINARY, b"goodbye")), "check"),
        (upgraded(CLOSED), "closed"),
        (upgraded(b""), "closed"),
        (upgraded(frame(TEXT, b"hello")[:4]), "truncated"),
        (upgraded(b"\xff\xff\xff"), "malformed"),
        (upgraded(frame(TEXT, b"\xff\xfe")), "malformed"),
        (upgraded(b"", then=reset), "reset"),
        (upgraded(*[b""] * 9), "timeout"),
        (upgraded(*[frame(TEXT, b"x" * 60_000)], then=lambda c: c.recv(99)), "too big"),
        (upgraded(frame(PING, b"") * 20_000), "too big"),
    ],
    ids=[
        *("another text", "another kind", "close", "end", "half a frame", "no frame", "no text", "reset"),
        *("silent", "big", "pings without end"),
    ],
)
def test_echoes_that_fail(loopback: Loopback, run: Run, talk: Talk, error: str) -> None:
    limit = 2 if error == "timeout" else 20
    result = run(f"http://localhost:{loopback.serve(talk)}", OPEN, ECHO, timeout=limit, most_bytes=9_000)
    assert [sample["error"] for sample in result["samples"]] == ["", error]
    assert [sample["status"] for sample in result["samples"]] == [101, 101], "a wrong answer, not none"


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (upgraded(frame(CLOSE, struct.pack(">H", 1011))), "malformed"),
        (upgraded(frame(CLOSE, b"")), "malformed"),
        (upgraded(b""), "closed"),
        (upgraded(*[b""] * 9), "timeout"),
    ],
    ids=["another code", "no code", "end", "silent"],
)
def test_closes_that_fail(loopback: Loopback, run: Run, talk: Talk, error: str) -> None:
    limit = 2 if error == "timeout" else 20
    result = run(f"http://localhost:{loopback.serve(talk)}", OPEN, END, timeout=limit)
    assert [sample["error"] for sample in result["samples"]] == ["", error]


def test_refused(loopback: Loopback, run: Run) -> None:
    result = run(f"http://localhost:{loopback.closed_port()}", OPEN)
    assert [sample["error"] for sample in result["samples"]] == ["refused"]
