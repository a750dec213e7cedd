"""HTTP/1.1, byte by byte: every way in which an answer can be wrong, too big or missing."""

import gzip
import socket
import tracemalloc

import pytest
from tests_self.loopback import Loopback

from noxgate_load.http.exchange import Reader
from noxgate_load.http.heads import Heads
from noxgate_load.samples import WireError

from .conftest import CHUNKED, ZIPPED, Run, answering, chunks, ok, request, reset, time_to_next

BAD = {
    "garbage": (b"what?\r\n\r\n", "malformed"),
    "status line": (b"HTTP/1.1 2xx OK\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "header": (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "malformed"),
    "space before the colon": (b"HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n", "malformed"),
    "null in a header": (b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n", "malformed"),
    "two lengths": (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", "malformed"),
    "length that is no number": (b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello", "malformed"),
    "length and chunks": (CHUNKED[:-2] + b"content-length: 5\r\n\r\n0\r\n\r\n", "malformed"),
    "chunk size": (CHUNKED + b"zz\r\nhello\r\n", "malformed"),
    "chunk longer than it says": (CHUNKED + b"3\r\nhello\r\n0\r\n\r\n", "malformed"),
    "a head without end": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, "malformed"),
    "interim answers without end": (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 4_000, "malformed"),
    "an upgrade": (b"HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "malformed"),
    "nothing": (b"", "closed"),
    "half a head": (b"HTTP/1.1 200 OK\r\ncontent-le", "truncated"),
    "an interim answer only": (b"HTTP/1.1 100 Continue\r\n\r\n", "truncated"),
    "half a body": (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", "truncated"),
    "half a chunk": (CHUNKED + b"5\r\nhel", "truncated"),
    "no last chunk": (CHUNKED + chunks(b"hello"), "truncated"),
    "more than its length": (ok() + b" and more", "surplus"),
    "two answers": (ok() + ok(), "surplus"),
    "204 with a body": (b"HTTP/1.1 204 No Content\r\n\r\nhello", "surplus"),
    "unknown encoding": (ok(b"hello", "content-encoding: br"), "encoding"),
    "transfer encoding": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nhello", "encoding"),
    "gzip that is none": (ok(b"hello", "content-encoding: gzip"), "encoding"),
    "gzip cut short": (ok(ZIPPED[:-9], "content-encoding: gzip"), "encoding"),
    "gzip with a wrong sum": (ok(ZIPPED[:-8] + b"\0" * 8, "content-encoding: gzip"), "encoding"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_answers_are_one_failure_each(loopback: Loopback, run: Run, name: str) -> None:
    answer, error = BAD[name]
    result = run(f"http://localhost:{loopback.serve(answering(answer))}", {}, {})
    assert [sample["error"] for sample in result["samples"]] == [error, error]
    assert result["totals"]["connections"] == 2, "a connection in disorder was used again"
    assert result["totals"]["retried"] == 0


def test_head_with_a_body(loopback: Loopback, run: Run) -> None:
    result = run(f"http://localhost:{loopback.serve(answering(ok()))}", {"method": "HEAD"})
    assert [sample["error"] for sample in result["samples"]] == ["surplus"]


BOMB = gzip.compress(b"\0" * 50_000_000)


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"x" * 100_001),
        CHUNKED + chunks(*[b"x" * 1000] * 101),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_001,
        ok(BOMB, "content-encoding: gzip"),
    ],
    ids=["length", "chunked", "to the end", "unzipped"],
)
def test_bodies_are_bounded(loopback: Loopback, run: Run, answer: bytes) -> None:
    result = run(f"http://localhost:{loopback.serve(answering(answer))}", most_bytes=100_000)
    assert [sample["error"] for sample in result["samples"]] == ["too big"]
    fits = run(f"http://localhost:{loopback.serve(answering(ok(b'x' * 100_000)))}", most_bytes=100_000)
    assert [sample["error"] for sample in fits["samples"]] == [""]


@pytest.mark.parametrize("head", ["length", "chunked"])
def test_a_body_too_big_is_let_go(head: str) -> None:
    """Of each user, who keeps the reader for as long as the next request waits."""
    piece = b"x" * 100_000
    begin, one = {
        "length": (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", piece),
        "chunked": (CHUNKED, chunks(piece)),
    }[head]
    readers = [Reader(5_000_000, Heads()) for _ in range(4)]

    def flood(reader: Reader) -> None:
        reader.feed(begin)
        for _ in range(100):
            reader.feed(bytes(one))

    tracemalloc.start()
    try:
        for reader in readers:
            with pytest.raises(WireError, match="more than 5000000 bytes"):
                flood(reader)
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"])
def test_reset(loopback: Loopback, run: Run, sent: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(sent)
        time_to_next()
        reset(connection)

    result = run(f"http://localhost:{loopback.serve(talk)}")
    assert [sample["error"] for sample in result["samples"]] == ["reset"]


def test_refused(loopback: Loopback, run: Run) -> None:
    result = run(f"http://localhost:{loopback.closed_port()}", {}, {})
    assert [sample["error"] for sample in result["samples"]] == ["refused", "refused"]
    assert result["totals"]["connections"] == 0


def test_a_name_that_is_none(run: Run) -> None:
    result = run("http://name.invalid", timeout=10)
    assert [sample["error"] for sample in result["samples"]] == ["dns"]
