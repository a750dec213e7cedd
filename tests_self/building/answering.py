"""Small servers that answer over HTTP and WebSockets, and the clients that ask them."""

import base64
import hashlib
import socket
from typing import TYPE_CHECKING

from nox_service.api import ApiClient
from nox_service.together import Together
from noxgate.systems import settings
from noxgate.systems.http.session import ApiSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.look.observation import Observation

Answer = bytes | list[bytes]


def http(body: bytes = b"{}", *lines: str, status: str = "200 OK") -> bytes:
    """An HTTP answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *lines])
    return head.encode() + b"\r\n\r\n" + body


def request_of(connection: socket.socket) -> bytes:
    """Read one request with its body. Raises ConnectionError if the client goes away before its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += more_of(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = [
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    ]
    while len(body) < sum(length):
        body += more_of(connection)
    return head + b"\r\n\r\n" + body


def more_of(connection: socket.socket) -> bytes:
    if not (piece := connection.recv(65536)):
        raise ConnectionError
    return piece


class Looks:
    """A client, what it recorded, and what its server received."""

    def __init__(self, loopback: "Loopback", answer: Answer, *, rehearsal: bool = True) -> None:
        self.requests: list[bytes] = []
        self.observed: list[Observation] = []
        pieces = [answer] if isinstance(answer, bytes) else answer

        def talk(connection: socket.socket) -> None:
            self.requests.append(request_of(connection))
            for piece in pieces:
                connection.sendall(piece)

        self._setup(loopback, loopback.serve_tls(talk), rehearsal=rehearsal)

    def _setup(self, loopback: "Loopback", port: int, *, rehearsal: bool = True, plain_port: int = 9) -> None:
        self.target = loopback.target(port, rehearsal=rehearsal, plain_port=plain_port)
        api = settings.api(self.target)
        self.session = ApiSession(api)
        self.client = ApiClient(api, self.session, self.observed.append)
        self.together = Together(api, self.session, self.observed.append)

    @classmethod
    def at(cls, loopback: "Loopback", port: int, *, plain_port: int = 9) -> "Looks":
        """A client of a server that is there already."""
        looks = cls.__new__(cls)
        looks.requests, looks.observed = [], []
        looks._setup(loopback, port, plain_port=plain_port)  # noqa: SLF001
        return looks


def upgraded(connection: socket.socket) -> None:
    """Answer the upgrade as RFC 6455 has it."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (more := connection.recv(65536)):
            raise ConnectionError
        head += more
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    digest = hashlib.sha1(key.split(b": ")[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


def frame_of(connection: socket.socket) -> tuple[int, bytes]:
    """One short frame of a client: opcode and text."""
    head = connection.recv(2)
    mask = connection.recv(4)
    text = connection.recv(head[1] & 0x7F) if head[1] & 0x7F else b""
    return head[0] & 0x0F, bytes(one ^ mask[at % 4] for at, one in enumerate(text))


def frame(opcode: int, content: bytes) -> bytes:
    """One short frame of a server."""
    return bytes([0x80 | opcode, len(content)]) + content


def echoing(connection: socket.socket) -> None:
    """Send back, then answer the close with the same code."""
    upgraded(connection)
    _, text = frame_of(connection)
    connection.sendall(frame(1, b"you said " + text))
    _, code = frame_of(connection)
    connection.sendall(frame(8, code))


def refusing(connection: socket.socket) -> None:
    """No such path."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
