"""The engine in a process of its own, and servers that are wrong in one way each."""

import gzip
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LONGEST = 60  # seconds that one job may take
ZIPPED = gzip.compress(b'{"status": "healthy"}')
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

Json = dict[str, Any]
Run = Callable[..., Json]


@pytest.fixture(scope="session")
def process() -> Iterator[subprocess.Popen[str]]:
    """The engine's process: one for all tests."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("runner.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as running:
        yield running
        assert running.stdin
        running.stdin.close()
        running.wait(timeout=60)


@pytest.fixture
def run(process: subprocess.Popen[str]) -> Run:
    """Let the engine take steps; every request that was sent has one sample, also if it failed."""

    def job(url: str, *steps: Json, **options: Any) -> Json:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"url": url, "steps": steps or [{}], **options}) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], LONGEST)
        assert ready, f"the engine did not finish within {LONGEST} s"
        result: Json = json.loads(process.stdout.readline())
        totals = result["totals"]
        assert totals["sent"] == totals["recorded"] == len(result["samples"])
        assert totals["failed"] == sum(bool(sample["error"]) for sample in result["samples"])
        return result

    return job


def request(connection: socket.socket) -> bytes:
    """Read one request: its head and the body that it announces; b"" at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                if not (more := connection.recv(65_536)):
                    return b""
                body += more
    return head + b"\r\n\r\n" + body


def answering(*answers: bytes, seen: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """A server that gives one answer after another on each connection, then closes it."""

    def talk(connection: socket.socket) -> None:
        for answer in answers:
            asked = request(connection)
            if not asked:
                return
            if seen is not None:
                seen.append(asked)
            connection.sendall(answer)

    return talk


def patient(answer: bytes) -> Callable[[socket.socket], None]:
    """A server that gives one answer to each request for as long as it is asked."""

    def talk(connection: socket.socket) -> None:
        while request(connection):
            connection.sendall(answer)

    return talk


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ok(body: bytes = b"hello", *headers: str, status: str = "200 OK") -> bytes:
    """An answer that is right."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def time_to_next() -> None:
    threading.Event().wait(0.05)
