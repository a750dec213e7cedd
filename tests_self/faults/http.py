"""Servers of HTTP that are wrong in one way each: what is said on a connection once TLS stands."""

import functools
import gzip
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

Talk = Callable[[socket.socket, threading.Event], None]

DRIP = 1.0  # seconds between two bytes
PIECE = b"0" * 1_000_000
GIGABYTE = 1_000
BODY = b'{"version": "8.0.0", "status": "healthy"}'
ELSEWHERE = "https://elsewhere.invalid/"


@dataclass(frozen=True)
class HttpFault:
    """`outcome` of a look: `failed` where an answer is wrong, `unreachable` where no answer comes."""

    talk: Talk
    outcome: str
    says: str  # a regular expression that the one line of it has


def request(connection: socket.socket) -> bytes:
    """One request with its body; b"" at the end."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65_536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                if not (more := connection.recv(65_536)):
                    return b""
                body += more
    return head


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: application/json", *lines, "", ""]).encode()


def saying(body: bytes, *lines: str, status: str = "200 OK", length: int | None = None) -> Talk:
    """One answer to each request."""
    answer = head(f"Content-Length: {len(body) if length is None else length}", *lines, status=status) + body

    def talk(connection: socket.socket, _: threading.Event) -> None:
        while request(connection):
            connection.sendall(answer)
            if length is not None and length != len(body):
                return

    return talk


def silent(before: bytes = b"") -> Talk:
    """Say this, and then nothing, without an end."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(before)
        over.wait()

    return talk


def dripping(answer: bytes, rest: bytes, every: float = DRIP) -> Talk:
    """One byte after another, each in time."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(answer)
        for byte in rest:
            if over.wait(every):
                return
            connection.sendall(bytes([byte]))

    return talk


def reset(before: bytes = b"") -> Talk:
    """End the connection with RST."""

    def talk(connection: socket.socket, _: threading.Event) -> None:
        request(connection)
        connection.sendall(before)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # TLS would say goodbye first: the socket below is closed without it
        socket.socket(fileno=connection.detach()).close()

    return talk


def flooding(first: bytes, piece: bytes, times: int | None) -> Talk:
    """So many pieces, or pieces without end, for as long as somebody reads."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(first)
        sent = 0
        while not over.is_set() and sent != times:
            connection.sendall(piece)
            sent += 1

    return talk


def unpacking(pack: Callable[[], bytes], coding: str) -> Talk:
    """A small body that unpacks to gigabytes."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        body = pack()
        saying(body, f"Content-Encoding: {coding}")(connection, over)

    return talk


def _zeros(times: int) -> Iterator[bytes]:
    """A stream of gzip of so many megabytes, without being packed so many times."""
    packing = zlib.compressobj(9, wbits=31)
    start = packing.compress(b"0") + packing.flush(zlib.Z_FULL_FLUSH)
    piece = packing.compress(PIECE) + packing.flush(zlib.Z_FULL_FLUSH)
    yield start
    yield from [piece] * times
    yield packing.flush()


@functools.cache
def bomb() -> bytes:
    """A gigabyte in a megabyte."""
    return b"".join(_zeros(GIGABYTE))


@functools.cache
def nested_bomb() -> bytes:
    """The same packed once more: each kilobyte of it becomes a megabyte, and that a gigabyte."""
    return gzip.compress(bomb())


@functools.cache
def brotli_bomb() -> bytes:
    """Not asked for; brotli packs zeros far better than gzip."""
    import brotli  # type: ignore[import-untyped]  # noqa: PLC0415 (comes with Locust)

    packed: bytes = brotli.compress(PIECE * 200, quality=1)
    return packed


CHUNKED = head("Transfer-Encoding: chunked")
CHUNK = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
TOO_MUCH = "expected at most 5000000 bytes, saw more"
NO_ANSWER = "no answer in|timed out|not tried again"
NO_JSON = "expected JSON"

FAULTS: Mapping[str, HttpFault] = MappingProxyType(
    {
        "says nothing": HttpFault(silent(), "unreachable", NO_ANSWER),
        "says nothing after the head": HttpFault(
            silent(head("Content-Length: 100")), "unreachable", NO_ANSWER
        ),
        "says nothing in the body": HttpFault(
            silent(head("Content-Length: 100") + BODY), "unreachable", NO_ANSWER
        ),
        "one byte a second, of the head": HttpFault(
            dripping(b"", head("Content-Length: 2")), "unreachable", NO_ANSWER
        ),
        "one byte a second, of the body": HttpFault(
            dripping(head("Content-Length: 1000"), b"0" * 1000), "unreachable", NO_ANSWER
        ),
        "reset": HttpFault(reset(), "unreachable", "reset|EOF|disconnected|violation"),
        "reset in the body": HttpFault(
            reset(head("Content-Length: 100") + BODY), "unreachable", "reset|EOF|incomplete|without"
        ),
        "1 GB": HttpFault(
            flooding(head(f"Content-Length: {GIGABYTE * len(PIECE)}"), PIECE, GIGABYTE), "failed", TOO_MUCH
        ),
        "chunks without end": HttpFault(flooding(CHUNKED, CHUNK, None), "failed", TOO_MUCH),
        "a head without end": HttpFault(
            flooding(b"HTTP/1.1 200 OK\r\n", b"x-more: " + PIECE[:8_000] + b"\r\n", None), "unreachable", "."
        ),
        "a gigabyte in gzip": HttpFault(unpacking(bomb, "gzip"), "failed", TOO_MUCH),
        "a gigabyte in gzip in gzip": HttpFault(unpacking(nested_bomb, "gzip, gzip"), "failed", TOO_MUCH),
        "200 MB in brotli, unasked": HttpFault(
            unpacking(brotli_bomb, "br"), "unreachable", "expected gzip or nothing, saw .* br"
        ),
        "gzip that is cut": HttpFault(
            saying(gzip.compress(BODY)[:-9], "Content-Encoding: gzip"), "unreachable", "cut short"
        ),
        "a length too long": HttpFault(saying(BODY, length=100), "unreachable", "closed|incomplete"),
        "a length too short": HttpFault(saying(BODY, length=9), "failed", NO_JSON),
        "two lengths": HttpFault(
            saying(BODY, "Content-Length: 9"), "unreachable", "conflicting|Content-Length"
        ),
        "broken JSON": HttpFault(saying(BODY[:-1]), "failed", NO_JSON),
        "deep JSON": HttpFault(saying(b"[" * 200_000), "failed", NO_JSON),
        "invalid UTF-8": HttpFault(saying(b'\xff{"status": "healthy"}'), "failed", NO_JSON),
        "sent in a circle": HttpFault(saying(b"", "Location: /health", status="302 Found"), "failed", "302"),
        "sent to another host": HttpFault(
            saying(b"", f"Location: {ELSEWHERE}", status="307 Temporary Redirect"), "failed", "307"
        ),
        "429 with Retry-After": HttpFault(
            saying(b'{"error": "slow down"}', "Retry-After: 3600", status="429 Too Many Requests"),
            "failed",
            "429",
        ),
    }
)


def never_ending(talk: Talk, over: threading.Event) -> Callable[[socket.socket], None]:
    """For a server: whoever hangs up on it ends it."""

    def serve(connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            talk(connection, over)

    return serve
