"""HTTP/1.1, byte by byte: what is sent."""

from typing import Any

import pytest
from tests_self.loopback import Loopback

from .conftest import Run, answering, ok


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


def test_a_large_request_arrives(loopback: Loopback, run: Run) -> None:
    seen: list[bytes] = []
    port = loopback.serve(answering(ok(), seen=seen))
    result = run(f"http://localhost:{port}", {"method": "POST", "body": "x" * 5_000_000})
    assert [sample["error"] for sample in result["samples"]] == [""]
    assert seen[0].endswith(b"\r\n\r\n" + b"x" * 5_000_000)
