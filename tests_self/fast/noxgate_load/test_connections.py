"""Connections that servers close, and TLS."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from tests_self.authority import Authority
from tests_self.loopback import Loopback

from noxgate.look.waiting import eventually
from noxgate_load.http.sessions import MORE, Sessions

from .conftest import Json, Run, answering, ok, patient, request, reset

RESTING = 0.2  # seconds: long enough for the engine to look before it sends


class Done:
    """What the engine waits for before it sends: however long a busy machine takes, the server was faster."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "done"
        self.file.touch()

    def once_more(self) -> None:
        with self.file.open("a") as file:
            file.write(".")

    def awaited(self) -> None:
        """Return once the engine has read its answer, and waits."""
        eventually(self._is_awaited, within=60, every=0.01)

    def _is_awaited(self) -> None:
        assert self.file.with_name("done.awaited").exists()

    def step(self, times: int, **more: str) -> Json:
        return {"after": [str(self.file), times], "pause": RESTING, **more}


class Closing:
    """A server that ends each connection after one answer: `how`, and when."""

    def __init__(
        self, how: Callable[[socket.socket], None], *, on_request: bool, done: Done | None = None
    ) -> None:
        self.how = how
        self.on_request = on_request
        self.done = done
        self.requests = 0

    def __call__(self, connection: socket.socket) -> None:
        """Answer, then close at once or in place of the next answer."""
        self.requests += bool(request(connection))
        connection.sendall(ok())
        if self.on_request:
            self.requests += bool(request(connection))
        self.how(connection)
        if self.done:
            self.done.once_more()


def leave(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("how", [leave, reset])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_closed_while_it_rested_costs_no_request(
    loopback: Loopback, run: Run, how: Callable[[socket.socket], None], method: str, tmp_path: Path
) -> None:
    done = Done(tmp_path)
    closing = Closing(how, on_request=False, done=done)
    first, *later = {"method": method}, done.step(1, method=method), done.step(2, method=method)
    result = run(f"http://localhost:{loopback.serve(closing)}", first, *later)
    assert [(sample["error"], sample["retried"]) for sample in result["samples"]] == [("", False)] * 3
    assert result["totals"]["found_closed"] == 2
    assert result["totals"]["connections"] == closing.requests == 3


@pytest.mark.parametrize("how", [leave, reset])
def test_a_get_on_a_connection_that_closes_under_it_is_sent_once_more(
    loopback: Loopback, run: Run, how: Callable[[socket.socket], None]
) -> None:
    closing = Closing(how, on_request=True)
    result = run(f"http://localhost:{loopback.serve(closing)}", {}, {})
    assert [(sample["error"], sample["retried"]) for sample in result["samples"]] == [("", False), ("", True)]
    assert result["samples"][1]["connect"] > 0
    assert result["totals"]["retried"] == 1
    assert closing.requests == 3


@pytest.mark.parametrize(("how", "error"), [(leave, "closed"), (reset, "reset")])
def test_a_post_is_never_sent_twice(
    loopback: Loopback, run: Run, how: Callable[[socket.socket], None], error: str
) -> None:
    closing = Closing(how, on_request=True)
    result = run(f"http://localhost:{loopback.serve(closing)}", {"method": "POST"}, {"method": "POST"})
    assert [sample["error"] for sample in result["samples"]] == ["", error]
    assert result["totals"]["retried"] == 0
    assert closing.requests == 2


def test_a_new_connection_that_closes_is_a_failure_at_once(loopback: Loopback, run: Run) -> None:
    seen: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        seen.append(request(connection))

    result = run(f"http://localhost:{loopback.serve(talk)}")
    assert [(sample["error"], sample["retried"]) for sample in result["samples"]] == [("closed", False)]
    assert len(seen) == 1


def test_a_request_is_sent_once_more_and_not_twice(loopback: Loopback, run: Run) -> None:
    numbers = iter(range(9))

    def talk(connection: socket.socket) -> None:
        first = next(numbers) == 0
        request(connection)
        if first:
            connection.sendall(ok())
            request(connection)

    result = run(f"http://localhost:{loopback.serve(talk)}", {}, {})
    assert [(sample["error"], sample["retried"]) for sample in result["samples"]] == [
        ("", False),
        ("closed", True),
    ]
    assert next(numbers) == 2


def test_half_an_answer_is_not_asked_for_again(loopback: Loopback, run: Run) -> None:
    port = loopback.serve(answering(ok(), b"HTTP/1.1 200 OK\r\n"))
    result = run(f"http://localhost:{port}", {}, {})
    assert [(sample["error"], sample["retried"]) for sample in result["samples"]] == [
        ("", False),
        ("truncated", False),
    ]


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request(
    loopback: Loopback, run: Run, tmp_path: Path
) -> None:
    done = Done(tmp_path)

    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(ok())
        if not done.file.stat().st_size:
            done.awaited()
            connection.sendall(ok(b"somebody else's"))
            done.once_more()
        request(connection)

    result = run(f"http://localhost:{loopback.serve(talk)}", {}, done.step(1, check="hello"))
    assert [sample["error"] for sample in result["samples"]] == ["", ""]
    assert result["totals"]["connections"] == 2


# ---------------------------------------------------------------- TLS


def test_tls_is_verified_and_kept(loopback: Loopback, authority: Authority, run: Run) -> None:
    port = loopback.serve_tls(patient(ok(b"x" * 300_000)))
    ca_file = str(authority.file.certificate)
    result = run(f"https://localhost:{port}", *[{"pause": RESTING}] * 3, ca_file=ca_file, users=3)
    assert [(sample["error"], sample["size"] > 300_000) for sample in result["samples"]] == [("", True)] * 9
    assert result["totals"]["connections"] == 3


def test_an_authority_that_nobody_named(loopback: Loopback, run: Run) -> None:
    result = run(f"https://localhost:{loopback.serve_tls(patient(ok()))}")
    assert [sample["error"] for sample in result["samples"]] == ["certificate"]


@pytest.mark.parametrize(
    ("name", "host", "days"), [("expired", "localhost", -1), ("other", "other.host", 30)]
)
def test_certificates_that_are_wrong(
    loopback: Loopback, authority: Authority, run: Run, name: str, host: str, days: float
) -> None:
    port = loopback.serve_tls(patient(ok()), authority.issue(f"load-{name}", host, days=days))
    result = run(f"https://localhost:{port}", {}, {}, ca_file=str(authority.file.certificate))
    assert [sample["error"] for sample in result["samples"]] == ["certificate"] * 2


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "tls"),
        (lambda connection: connection.recv(9999), "tls"),
        (reset, "reset"),
    ],
    ids=["plain HTTP", "closed", "reset"],
)
def test_handshakes_that_fail(
    loopback: Loopback, authority: Authority, run: Run, talk: Callable[[socket.socket], None], error: str
) -> None:
    result = run(f"https://localhost:{loopback.serve(talk)}", ca_file=str(authority.file.certificate))
    assert [sample["error"] for sample in result["samples"]] == [error]


def test_an_edge_that_ends_tls_for_want_of_a_certificate(
    loopback: Loopback, authority: Authority, run: Run
) -> None:
    """In TLS 1.3 the client learns of it from its first read."""
    port = loopback.serve_tls(lambda _: None, clients=True)
    (sample,) = run(f"https://localhost:{port}", ca_file=str(authority.file.certificate))["samples"]
    assert (sample["status"], sample["error"]) == (0, "client certificate")


def test_a_handshake_without_end(loopback: Loopback, authority: Authority, run: Run) -> None:
    port = loopback.serve(lambda _: loopback.over.wait(5))
    result = run(f"https://localhost:{port}", ca_file=str(authority.file.certificate), connect_timeout=0.4)
    assert [sample["error"] for sample in result["samples"]] == ["connect timeout"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_tls_connection_closed_while_it_rested(
    loopback: Loopback, authority: Authority, run: Run, version: ssl.TLSVersion, method: str, tmp_path: Path
) -> None:
    done = Done(tmp_path)

    def talk(connection: socket.socket) -> None:
        answering(ok())(connection)
        connection.close()
        done.once_more()

    port = loopback.serve_tls(talk, versions=(version, version))
    first, step = {"method": method}, done.step(1, method=method)
    result = run(f"https://localhost:{port}", first, step, ca_file=str(authority.file.certificate))
    assert [sample["error"] for sample in result["samples"]] == ["", ""]
    assert result["totals"]["found_closed"] == 1


def test_a_tls_answer_as_long_as_its_connection(loopback: Loopback, authority: Authority, run: Run) -> None:
    """Without TLS's goodbye it is unknown whether the body is whole."""

    def good(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        assert isinstance(connection, ssl.SSLSocket)
        connection.unwrap()

    ca_file = str(authority.file.certificate)
    result = run(f"https://localhost:{loopback.serve_tls(good)}", {"check": "hello"}, ca_file=ca_file)
    assert [sample["error"] for sample in result["samples"]] == [""]
    cut = loopback.serve_tls(answering(b"HTTP/1.1 200 OK\r\n\r\nhello"))
    result = run(f"https://localhost:{cut}", ca_file=ca_file)
    assert [sample["error"] for sample in result["samples"]] == ["truncated"]


def test_a_large_request_over_tls_meets_its_time_limit(
    loopback: Loopback, authority: Authority, run: Run
) -> None:
    port = loopback.serve_tls(lambda _: loopback.over.wait(5))
    step = {"method": "POST", "body": "x" * 20_000_000}
    result = run(f"https://localhost:{port}", step, ca_file=str(authority.file.certificate), timeout=0.5)
    assert [sample["error"] for sample in result["samples"]] == ["timeout"]


# ---------------------------------------------------------------- a real server


async def plain(request: Request) -> Response:
    return Response((await request.body()) or b"hello")


async def cookie(request: Request) -> Response:
    answer = Response(request.headers.get("cookie", "none"))
    answer.set_cookie("a", "b")
    return answer


ROUTES = [
    Route("/gzip", lambda _: Response(gzip.compress(b"hello"), headers={"content-encoding": "gzip"})),
    Route("/chunked", lambda _: StreamingResponse(iter([b"hel", b"lo"]))),
    Route("/empty", lambda _: Response(status_code=204)),
    Route("/unchanged", lambda _: Response(status_code=304)),
    Route("/away", lambda _: RedirectResponse("/")),
    Route("/cookie", cookie),
    Route("/close", lambda _: Response("hello", headers={"connection": "close"})),
    Route("/", plain, methods=["GET", "POST"]),
]


@pytest.fixture(params=["http", "https"])
def real(request: pytest.FixtureRequest, authority: Authority) -> Iterator[str]:
    """The address of a uvicorn that closes idle connections after two seconds."""
    pair = authority.good
    options: dict[str, Any] = {"timeout_keep_alive": 2, "log_config": None, "lifespan": "off", "ws": "none"}
    if request.param == "https":
        options |= {"ssl_certfile": pair.certificate, "ssl_keyfile": pair.key}
    config = uvicorn.Config(Starlette(routes=ROUTES), port=0, access_log=False, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()

    def started() -> int:
        assert server.started
        return int(server.servers[0].sockets[0].getsockname()[1])

    yield f"{request.param}://localhost:{eventually(started, within=60, every=0.05)}"
    server.should_exit = True
    thread.join(10)


def test_a_real_server(real: str, authority: Authority, run: Run) -> None:
    steps = [
        {"path": "/", "check": "hello"},
        {"path": "/gzip", "check": "hello"},
        {"path": "/chunked", "check": "hello"},
        {"path": "/", "method": "HEAD", "check": ""},
        {"path": "/empty", "expected": [204]},
        {"path": "/unchanged", "expected": [304]},
        {"path": "/away", "expected": [307]},
        {"path": "/cookie", "check": "none"},
        {"path": "/cookie", "check": "none"},
        {"path": "/", "method": "POST", "body": "x" * 300_000, "check": "x" * 300_000},
        {"path": "/close", "check": "hello"},
        {"path": "/", "check": "hello"},
        {"path": "/", "method": "POST", "body": "{}", "check": "{}", "pause": 5},
    ]
    result = run(real, *steps, ca_file=str(authority.file.certificate), users=4)
    assert {sample["error"] for sample in result["samples"]} == {""}
    assert len(result["samples"]) == 4 * len(steps)
    assert result["totals"]["connections"] == 12  # the first, after /close, after the rest
    assert result["totals"]["found_closed"] == 4
    assert result["totals"]["redirects"] == 8
    assert result["totals"]["retried"] == 0


def test_a_users_next_connection_goes_on_with_its_tls_session(
    authority: Authority, loopback: Loopback, run: Run
) -> None:
    """As a browser's does; that of another user does not."""
    resumed: list[bool | None] = []

    def talk(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        resumed.append(connection.session_reused)
        request(connection)
        connection.sendall(ok(b"hello", "connection: close"))

    url, trust = f"https://localhost:{loopback.serve_tls(talk)}", str(authority.file.certificate)
    for _ in range(2):
        result = run(url, {}, {}, {}, ca_file=trust)
        assert [sample["error"] for sample in result["samples"]] == [""] * 3
    assert resumed == [False, True, True] * 2


def test_users_go_on_with_one_session_and_begin_with_none(
    authority: Authority, loopback: Loopback, run: Run
) -> None:
    """One session is enough for all, but each user's first connection is that of somebody new."""
    resumed: list[bool | None] = []

    def talk(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        resumed.append(connection.session_reused)
        request(connection)
        connection.sendall(ok(b"hello", "connection: close"))

    url, trust = f"https://localhost:{loopback.serve_tls(talk)}", str(authority.file.certificate)
    result = run(url, {}, {"pause": 0.3}, {"pause": 0.3}, users=5, ca_file=trust)
    assert [sample["error"] for sample in result["samples"]] == [""] * 15
    assert resumed.count(False) == 5


@pytest.mark.parametrize("many", [1, 6])
def test_a_server_that_declines_sessions_is_offered_few(many: int) -> None:
    """What it went on with makes up for what it did not, one for one."""
    sessions, went_on = Sessions(), 0

    class Made:
        def __init__(self, *, began: bool) -> None:
            self.began_session = began

        def session(self) -> object:
            return object()

    def connect(*, declined: bool) -> bool:
        offered = sessions.next()
        sessions.made(cast("Any", Made(began=offered is None or declined)), offered)
        return offered is not None

    connect(declined=True)
    for _ in range(many):
        went_on += connect(declined=False)
    assert went_on == many
    assert sum(connect(declined=True) for _ in range(100)) == many + MORE + 1


def test_a_users_websocket_goes_on_with_the_session_of_its_kept_connection(
    authority: Authority, loopback: Loopback, run: Run
) -> None:
    resumed: list[bool | None] = []

    def talk(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        resumed.append(connection.session_reused)
        patient(ok(b"hello"))(connection)

    url = f"https://localhost:{loopback.serve_tls(talk)}"
    result = run(url, {}, {"ws": "open", "path": "/ws"}, {}, ca_file=str(authority.file.certificate))
    assert [sample["error"] for sample in result["samples"]] == ["", "upgrade", ""]
    assert resumed == [False, True]


def test_what_connecting_takes_beyond_a_second_counts(
    authority: Authority, loopback: Loopback, run: Run
) -> None:
    """A target that lets everybody wait at the door is not a fast one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.good)

    def talk(connection: socket.socket) -> None:
        threading.Event().wait(3)  # what a busy machine adds to the second request is less
        with context.wrap_socket(connection, server_side=True) as secure:
            patient(ok(b"hello"))(secure)

    url = f"https://localhost:{loopback.serve(talk)}"
    (first, second) = run(url, {}, {}, ca_file=str(authority.file.certificate))["samples"]
    assert first["connect"] >= 3
    assert 2 <= first["seconds"] < first["connect"]
    assert second["seconds"] < first["seconds"]
