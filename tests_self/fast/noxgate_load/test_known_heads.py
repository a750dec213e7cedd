"""HTTP/1.1, byte by byte: an answer whose head came before is read like any other."""

import socket

import pytest
from tests_self.loopback import Loopback

from noxgate_load.http.heads import Heads

from .conftest import Run, answering, ok, request, time_to_next


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
