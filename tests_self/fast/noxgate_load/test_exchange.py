"""HTTP/1.1, byte by byte: what must work, and how an answer is judged by its status and content."""

import gzip
import socket

import pytest
from tests_self.loopback import Loopback

from .conftest import CHUNKED, ZIPPED, Run, answering, chunks, ok, patient, request

BIG = b"x" * 300_000


@pytest.mark.parametrize("times", [1, 3])
def test_one_connection_is_kept_for_all_requests(loopback: Loopback, run: Run, times: int) -> None:
    result = run(f"http://localhost:{loopback.serve(patient(ok()))}", *[{}] * 5, users=times)
    assert result["totals"]["connections"] == times
    assert [sample["error"] for sample in result["samples"]] == [""] * 5 * times
    assert sum(sample["connect"] > 0 for sample in result["samples"]) == times
    assert {answer["body"] for answer in result["answers"]} == {"hello"}


GOOD = {
    "length": (ok(), "hello"),
    "empty": (ok(b""), ""),
    "big": (ok(BIG), BIG.decode()),
    "chunked": (CHUNKED + chunks(b"hel", b"lo", b""), "hello"),
    "chunk extensions and trailers": (CHUNKED + b"5;a=b\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n", "hello"),
    "gzip": (ok(ZIPPED, "Content-Encoding: gzip"), '{"status": "healthy"}'),
    "gzip, shouting": (ok(ZIPPED, "CONTENT-ENCODING: GZIP"), '{"status": "healthy"}'),
    "gzip, chunked": (
        CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\n" + chunks(ZIPPED[:9], ZIPPED[9:], b""),
        '{"status": "healthy"}',
    ),
    "gzip, two members": (
        ok(gzip.compress(b"hel") + gzip.compress(b"lo"), "content-encoding: gzip"),
        "hello",
    ),
    "gzip, empty": (ok(b"", "content-encoding: gzip"), ""),
    "identity": (ok(b"hello", "content-encoding: identity"), "hello"),
    "continue before it": (b"HTTP/1.1 100 Continue\r\n\r\n" + ok(), "hello"),
    "early hints before it": (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 3 + ok(), "hello"),
    "early hints that look zipped": (
        b"HTTP/1.1 103 Early Hints\r\ncontent-encoding: gzip\r\n\r\n" + ok(),
        "hello",
    ),
    "an empty line in the body": (ok(b"a\r\n\r\nb"), "a\r\n\r\nb"),
    "reason left out": (b"HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\nhello", "hello"),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("by_byte", [False, True], ids=["at once", "byte by byte"])
def test_good_answers(loopback: Loopback, run: Run, name: str, *, by_byte: bool) -> None:
    answer, body = GOOD[name]

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while request(connection):
            pieces = [answer[at : at + 1] for at in range(min(len(answer), 400))] if by_byte else []
            for piece in pieces:
                connection.sendall(piece)
            connection.sendall(answer[len(pieces) :])

    result = run(f"http://localhost:{loopback.serve(talk)}", {"check": body}, {"check": body})
    assert [sample["error"] for sample in result["samples"]] == ["", ""]
    assert [sample["size"] for sample in result["samples"]] == [len(answer)] * 2
    assert result["totals"]["connections"] == 1


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", 200),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200),
        ("HEAD", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304),
    ],
)
def test_answers_without_a_body_leave_the_connection_in_order(
    loopback: Loopback, run: Run, method: str, answer: bytes, status: int
) -> None:
    port = loopback.serve(answering(answer, answer, ok()))
    step = {"method": method, "expected": [status]}
    result = run(f"http://localhost:{port}", step, step, {"check": "hello"})
    assert [(sample["status"], sample["error"]) for sample in result["samples"]] == [
        (status, ""),
        (status, ""),
        (200, ""),
    ]
    assert result["totals"]["connections"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"hello", "connection: close"),
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n\r\nhello",  # its end is the end of the connection
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
    ],
)
def test_a_connection_that_ends_with_its_answer(loopback: Loopback, run: Run, answer: bytes) -> None:
    result = run(f"http://localhost:{loopback.serve(answering(answer))}", *[{"check": "hello"}] * 3)
    assert [sample["error"] for sample in result["samples"]] == [""] * 3
    assert result["totals"]["connections"] == 3
    assert result["totals"]["retried"] == result["totals"]["found_closed"] == 0


@pytest.mark.parametrize(
    ("status", "expected", "error"),
    [
        ("301 Moved", [200], "redirect"),
        ("302 Found", [302], ""),
        ("404 Not Found", [200], "status"),
        ("404 Not Found", [404], ""),
        ("429 Too Many Requests", [200], "status"),
        ("503 Service Unavailable", [200], "status"),
        ("200 OK", [202], "status"),
    ],
)
def test_statuses(loopback: Loopback, run: Run, status: str, expected: list[int], error: str) -> None:
    port = loopback.serve(patient(ok(b"", "location: /other", status=status)))
    result = run(f"http://localhost:{port}", {"expected": expected})
    (sample,) = result["samples"]
    assert (sample["status"], sample["error"]) == (int(status[:3]), error)
    assert result["totals"]["redirects"] == (status[0] == "3")
    assert len(result["answers"]) == 1


NGINX = b"<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("400 Bad Request", NGINX, "client certificate"),
        ("400 Bad Request", b'{"error": "no molecule"}', "status"),
        ("500 Internal Server Error", NGINX, "status"),
    ],
)
def test_an_edge_that_wants_a_certificate(
    loopback: Loopback, run: Run, status: str, body: bytes, error: str
) -> None:
    """The API was not asked: staging's checks decide by the same words."""
    port = loopback.serve(patient(ok(body, status=status)))
    (sample,) = run(f"http://localhost:{port}", {"expected": [200]})["samples"]

    assert (sample["status"], sample["error"]) == (int(status[:3]), error)


@pytest.mark.parametrize(
    ("check", "error"), [("hello", ""), ("goodbye", "check"), ("json", "check"), ("crash", "script")]
)
def test_checks(loopback: Loopback, run: Run, check: str, error: str) -> None:
    result = run(f"http://localhost:{loopback.serve(patient(ok()))}", {"check": check})
    assert [(sample["status"], sample["error"]) for sample in result["samples"]] == [(200, error)]
    assert bool(result["crashes"]) == (check == "crash")


def test_an_answer_nested_too_deep_is_a_wrong_one(loopback: Loopback, run: Run) -> None:
    port = loopback.serve(answering(ok(b"[" * 200_000)))
    result = run(f"http://localhost:{port}", {"check": "json"})
    assert [sample["error"] for sample in result["samples"]] == ["check"]
