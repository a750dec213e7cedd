"""How long a request may take and how it is timed, from its connection to its last byte."""

import socket
import threading
import time
from collections.abc import Callable

import pytest
from tests_self.loopback import Loopback

from .conftest import Run, ok, patient, request, time_to_next


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
