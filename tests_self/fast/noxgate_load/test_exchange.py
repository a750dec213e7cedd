"""HTTP/1.1, byte by byte: what must work, and every way in which an answer can be wrong."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from tests_self.loopback import Loopback

from noxgate_load.http.exchange import Reader
from noxgate_load.http.heads import Heads
from noxgate_load.samples import WireError

from .conftest import Run, answering, ok, patient, request, reset

BIG = b"x" * 300_000
ZIPPED = gzip.compress(b'{"status": "healthy"}')
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


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


def test_what_is_sent(loopback: Loopback, run: Run) -> None:
    seen: list[bytes] = []
    port = loopback.serve(answering(ok(b"hello", "set-cookie: a=b"), ok(), seen=seen))
    run(
        f"http://localhost:{port}",
        {"path": "/a?b=c"},
        {"method": "POST", "path": "/jobs", "body": "{}", "headers": {"authorization": "Bearer t"}},
    )
    first, second = seen
    start = "HTTP/1.1\r\nhost: localhost:{}\r\nuser-agent: noxgate\r\naccept-encoding: gzip\r\n"
    assert first.decode() == "GET /a?b=c " + start.format(port) + "\r\n"
    kind, length = "content-type: application/json\r\n", "content-length: 2\r\n"
    expected = f"POST /jobs HTTP/1.1\r\n{kind}" + start.format(port)[10:]
    assert second.decode() == f"{expected}authorization: Bearer t\r\n{length}\r\n{{}}"


def test_paths_are_below_the_targets_own(loopback: Loopback, run: Run) -> None:
    seen: list[bytes] = []
    run(f"http://localhost:{loopback.serve(answering(ok(), seen=seen))}/nox/", {"path": "/a?b=c"})
    assert seen[0].startswith(b"GET /nox/a?b=c HTTP/1.1\r\n")


@pytest.mark.parametrize("step", [{"path": "/a b"}, {"path": "/a\r\nx: y"}, {"headers": {"x": "y\r\nz: w"}}])
def test_a_request_is_one_request(loopback: Loopback, run: Run, step: dict[str, Any]) -> None:
    result = run(f"http://localhost:{loopback.closed_port()}", step)
    assert "no line break or space" in result["crashes"][0]


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


def drip(connection: socket.socket) -> None:
    """A byte now and then: no single wait is long."""
    request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time_to_next()


def drip_head(connection: socket.socket) -> None:
    request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        connection.sendall(b"x: y\r\n")
        time_to_next()


def silent(connection: socket.socket) -> None:
    while request(connection):
        pass


def time_to_next() -> None:
    threading.Event().wait(0.05)


@pytest.mark.parametrize("talk", [drip, drip_head, silent])
def test_the_time_limit_is_for_the_whole_request(
    loopback: Loopback, run: Run, talk: Callable[[socket.socket], None]
) -> None:
    result = run(f"http://localhost:{loopback.serve(talk)}", {}, {}, timeout=1)
    for sample in result["samples"]:
        assert sample["error"] == "timeout"
        assert 0.99 < sample["seconds"] + sample["connect"] < 4, "what drips takes five seconds"
    assert result["totals"]["connections"] == 2
    assert result["totals"]["retried"] == 0


def test_a_time_limit_ends_with_its_request(loopback: Loopback, run: Run) -> None:
    result = run(f"http://localhost:{loopback.serve(patient(ok()))}", *[{"pause": 0.6}] * 4, timeout=1.5)
    assert [sample["error"] for sample in result["samples"]] == [""] * 4


def test_sending_has_its_time_limit_too(loopback: Loopback, run: Run) -> None:
    def deaf(_: socket.socket) -> None:
        loopback.over.wait(5)

    step = {"method": "POST", "body": "x" * 20_000_000}
    result = run(f"http://localhost:{loopback.serve(deaf)}", step, timeout=0.4)
    assert [sample["error"] for sample in result["samples"]] == ["timeout"]


def test_a_large_request_arrives(loopback: Loopback, run: Run) -> None:
    seen: list[bytes] = []
    port = loopback.serve(answering(ok(), seen=seen))
    result = run(f"http://localhost:{port}", {"method": "POST", "body": "x" * 5_000_000})
    assert [sample["error"] for sample in result["samples"]] == [""]
    assert seen[0].endswith(b"\r\n\r\n" + b"x" * 5_000_000)


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


def test_connecting_has_a_time_limit_of_its_own(run: Run) -> None:
    """A full backlog drops the SYN, as a firewall would."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)  # noqa: FBT003 (socket's own signature)
            each.connect_ex(address)
        result = run(f"http://127.0.0.1:{address[1]}", connect_timeout=0.4)
        for each in waiting:
            each.close()
    (sample,) = result["samples"]
    assert sample["error"] == "connect timeout"
    assert 0.39 < sample["seconds"] < 4, "a request that was never sent is no fast answer"


def test_seconds_are_from_send_to_last_byte(loopback: Loopback, run: Run) -> None:
    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel")
        threading.Event().wait(0.2)
        connection.sendall(b"lo")

    url = f"http://localhost:{loopback.serve(talk)}"
    at, started = time.time(), time.monotonic()
    (sample,) = run(url, {"late": 1.5, "group": "science"})["samples"]
    whole = time.monotonic() - started  # with what a busy machine adds, and little more than it measures
    assert 0.19 < sample["seconds"] < whole
    assert 0 < sample["connect"] < whole - sample["seconds"]
    assert sample["ended"] - sample["began"] == pytest.approx(sample["seconds"] + sample["connect"], abs=1e-3)
    assert 1.5 <= sample["late"] < 1.5 + whole
    assert sample["group"] == "science"
    assert at - 2 < sample["began"] < time.time()


def test_a_killed_request_is_recorded(loopback: Loopback, run: Run) -> None:
    result = run(f"http://localhost:{loopback.serve(silent)}", users=3, kill_after=2)
    assert [sample["error"] for sample in result["samples"]] == ["killed"] * 3


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


@pytest.mark.parametrize(
    ("last", "error", "body"),
    [
        ([ok(b"world")], "", "world"),
        ([ok(b"world")[:-2], b"ld"], "", "world"),
        ([ok(b"world")[:9], ok(b"world")[9:]], "", "world"),
        ([ok(b"world") + b"x"], "surplus", ""),
        ([ok(b"world") + ok(b"again")], "surplus", ""),
        ([ok(b"world")[:-1]], "truncated", ""),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"world")], "", "world"),
        ([ok(b"world", "transfer-encoding: chunked")], "malformed", ""),
        ([ok(b"")], "", ""),
        ([b"\r\n" + ok(b"world")], "", "world"),
    ],
    ids=[
        "same", "in two", "head in two", "a byte more", "two", "a byte less", "interim", "chunked as well",
        "no body", "an empty line before",
    ],
)  # fmt: skip
def test_a_head_that_is_known(loopback: Loopback, run: Run, last: list[bytes], error: str, body: str) -> None:
    """The third answer is read as the first is, with any head that two had before it."""

    def talk(connection: socket.socket) -> None:
        for answer in (ok(), ok()):
            request(connection)
            connection.sendall(answer)
        request(connection)
        for piece in last:
            connection.sendall(piece)
            time_to_next()

    result = run(f"http://localhost:{loopback.serve(talk)}", *[{"method": "POST"}] * 3)
    assert [sample["error"] for sample in result["samples"]] == ["", "", error]
    assert result["answers"][2]["body"] == body
    assert result["totals"]["connections"] == 1


def test_the_answer_to_a_head_request_is_no_other(loopback: Loopback, run: Run) -> None:
    """HEAD and GET have one head: of the one no body follows."""
    talk = answering(ok(), ok()[:-5], ok(), ok())
    result = run(f"http://localhost:{loopback.serve(talk)}", {}, {"method": "HEAD"}, {}, {"method": "HEAD"})
    assert [sample["error"] for sample in result["samples"]] == ["", "", "", "surplus"]


def test_heads_that_all_differ_are_let_go() -> None:
    """A number for each answer in its head, as many APIs have it: some are kept, and no more."""
    heads = Heads()
    for number in range(100_000):
        heads.learn(200, b"HTTP/1.1 200 OK\r\nx-request-id: %d" % number, 0)
    assert heads.split(b"HTTP/1.1 200 OK\r\nx-request-id: 99999\r\n\r\n") is not None
    assert heads.split(b"HTTP/1.1 200 OK\r\nx-request-id: 1\r\n\r\n") is None
