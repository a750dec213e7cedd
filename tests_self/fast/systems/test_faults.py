"""Hostile and broken servers before each client: the right outcome, in one line, and little of this machine.

The same servers stand before the whole gate and the load test in `make faults` (docs/RELIABILITY.md).
"""

import base64
import functools
import hashlib
import json
import re
import socket
import tracemalloc
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests_self.authority import Authority
from tests_self.faults import http
from tests_self.faults.http import FAULTS, NO_ANSWER
from tests_self.loopback import Loopback

from nox_service.api import ApiClient
from nox_service.websocket import WebSocketClient
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Patience
from noxgate.project.target import Target
from noxgate.slo import run
from noxgate.systems import settings
from noxgate.systems.http import session as connections
from noxgate.systems.http.links import Links
from noxgate.systems.http.session import ApiSession
from noxgate.systems.http.tls import TlsClient
from noxgate.systems.http.tool_api import ToolApi
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.session import PrometheusSession
from noxgate.systems.redis import Cache, CacheSession

SHORT, LONG = 0.2, 60.0  # seconds that a look may take: where it is in vain, and where it must not matter
MOST = 120_000_000  # bytes that one look may hold at a time
KEPT = 20_000_000  # bytes that are left once it ended

Look = Callable[[Target, Patience, list[Observation]], object]


def api(target: Target, patience: Patience, seen: list[Observation]) -> object:
    """As most checks do: a good status, and a document."""
    session = ApiSession(settings.api(target))
    session.patience = patience
    with closing(session):
        answer = ApiClient(settings.api(target), session, seen.append).get("/version", who="test_token")
    if answer.status != 200:
        raise AssertionError(f"HTTP {answer.status}")
    return answer.json()


def prometheus(target: Target, patience: Patience, seen: list[Observation]) -> object:
    session = PrometheusSession(settings.prometheus(target))
    session.patience = patience
    with closing(session):
        return Prometheus(session, seen.append).value("up")


def tool(target: Target, patience: Patience, seen: list[Observation]) -> object:
    given = settings.grafana(target)
    api = ToolApi("Grafana", target.base_url, given.token, given.connection, seen.append)
    api._patience = patience  # noqa: SLF001
    return api.get("/api", {}, "a page", str)


def before_load(target: Target, patience: Patience, _: list[Observation]) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "Patience", lambda *_, **__: patience)
        return run.answered_version(target)


GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LOOKS: dict[str, Look] = {"api": api, "prometheus": prometheus, "tool": tool, "load": before_load}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("look", LOOKS)
def test_http(loopback: Loopback, look: str, name: str) -> None:
    """What is wrong with the API is a failure of it; a tool that answers wrongly tells nothing."""
    fault = FAULTS[name]
    seen: list[Observation] = []
    port = loopback.serve_tls(http.never_ending(fault.talk, loopback.over))
    target = with_prometheus(loopback.target(port))
    patience = Patience(target.base_url, look=SHORT if fault.says == NO_ANSWER else LONG)

    error = caught(lambda: LOOKS[look](target, patience, seen))

    if look == "api":
        assert isinstance(error, AssertionError if fault.outcome == "failed" else UnreachableError)
        assert re.search(fault.says, str(error))
    else:
        assert isinstance(error, UnreachableError)
    assert "\n" not in str(error)
    assert "token-of-the-user" not in f"{error}{seen}"
    assert look == "load" or seen != []


@pytest.mark.parametrize("name", [name for name in FAULTS if "gigabyte" in name or "brotli" in name])
@pytest.mark.parametrize("look", LOOKS)
def test_what_unpacks_to_gigabytes_is_never_held(loopback: Loopback, look: str, name: str) -> None:
    """Nor one piece of it: 64 kB may hold all."""
    fault = FAULTS[name]
    http.bomb(), http.nested_bomb(), http.brotli_bomb()
    port = loopback.serve_tls(http.never_ending(fault.talk, loopback.over))
    target = with_prometheus(loopback.target(port))
    tracemalloc.start()
    try:
        caught(lambda: LOOKS[look](target, Patience(target.base_url, look=LONG), []))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < MOST


def flood(first: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """A WebSocket whose frames never end."""

    def talk(connection: socket.socket) -> None:
        head = http.request(connection)
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key.split(b":")[1].strip() + GUID).digest())  # noqa: S324
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        with suppress(OSError):
            connection.sendall(first + http.PIECE)
            for _ in range(1_000):
                connection.sendall(piece + http.PIECE)

    return talk


LONG_FRAME = len(http.PIECE).to_bytes(8)


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"\x81\x7f" + (1_000_000_000).to_bytes(8), b""),
        (b"\x01\x7f" + LONG_FRAME, b"\x00\x7f" + LONG_FRAME),
    ],
    ids=["one frame of a gigabyte", "fragments without end"],
)
def test_websocket(loopback: Loopback, first: bytes, piece: bytes) -> None:
    """What a frame announces is not taken on trust."""
    target = loopback.target(loopback.serve_tls(flood(first, piece)))
    session = ApiSession(settings.api(target))
    session.patience = Patience(target.base_url, look=LONG)

    with pytest.raises(UnreachableError, match="expected at most 5000000 bytes, saw more"):
        WebSocketClient(settings.tls(target), session, lambda _: None).echo("/ws", "hello")


@pytest.mark.parametrize(
    ("first", "piece", "said"),
    [
        (b"$1000000000\r\n", http.PIECE, "expected at most 10000000 bytes, saw more"),
        (b"+", b"x" * 65_536, "expected at most 10000000 bytes, saw more"),
        (b"*90000000\r\n" + b"$3\r\nabc\r\n" * 1_000, b"$3\r\nabc\r\n" * 10_000, "expected at most"),
        (b"*1\r\n" * 200_000, b"", "expected an answer of Redis, saw another form"),
        (b"*1\r\n" * 900 + b":1\r\n", b"", "expected an answer of Redis, saw another form"),
        (b"$abc\r\n", b"", "expected an answer of Redis, saw another form"),
        (b":12x\r\n", b"", "expected an answer of Redis, saw another form"),
        (b"*-5\r\n", b"", "REDIS_URL"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", "Protocol Error"),
    ],
)
def test_redis(loopback: Loopback, first: bytes, piece: bytes, said: str) -> None:
    """Neither its length nor its depth is taken on trust, and the release is not charged with any of it."""
    observed: list[Observation] = []

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.recv(65_536)
            connection.sendall(first)
            for _ in range(2_000 if piece else 0):
                connection.sendall(piece)
            connection.recv(1)

    session = CacheSession(settings.cache(loopback.target(loopback.serve(talk, host="127.0.0.1"))))
    session.patience = Patience("Redis", look=LONG)
    tracemalloc.start()
    try:
        with pytest.raises(UnreachableError, match=said):
            Cache(session, observed.append).role()
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()
        session.close()

    assert [one.seen.startswith("could not look: ") for one in observed] == [True]


@pytest.mark.parametrize("look", ["api", "often", "tls"])
def test_slow_names(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, look: str) -> None:
    """A name server that says nothing costs as much as any other server."""
    target = loopback.target(9)
    session = ApiSession(settings.api(target))
    session.patience = Patience(target.base_url, look=SHORT)
    seen: list[Observation] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: loopback.over.wait())
    looks: dict[str, Callable[[], object]] = {
        "api": lambda: ApiClient(settings.api(target), session, seen.append).get("/x"),
        "often": lambda: ApiClient(settings.api(target), session, seen.append).get_often("/x"),
        "tls": lambda: TlsClient(settings.tls(target), session.patience, seen.append).facts(),
    }

    with pytest.raises(UnreachableError, match=r"no answer in 0\.2 s"):
        looks[look]()

    assert [one.seen.startswith("could not look: ") for one in seen] == [True]


@pytest.mark.parametrize("is_plain", [False, True])
def test_ports_keep_nobody_waiting_for_each_other(
    loopback: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    is_plain: bool,  # noqa: FBT001
) -> None:
    """Where one of the two never answers, the other is asked all the same."""
    well, ill = http.saying(http.BODY), http.silent()
    secure = loopback.serve_tls(http.never_ending(well if is_plain else ill, loopback.over))
    plain = loopback.serve(http.never_ending(ill if is_plain else well, loopback.over))
    target = loopback.target(secure, plain_port=plain)
    never = target.plain_url if is_plain else target.base_url
    monkeypatch.setattr(
        connections,
        "Patience",
        lambda address: Patience(address, look=SHORT if address == never else LONG, total=SHORT),
    )
    session = ApiSession(settings.api(target))
    client = ApiClient(settings.api(target), session, lambda _: None)
    ask, other = (client.get_plain, client.get) if is_plain else (client.get, client.get_plain)

    with closing(session):
        for words in (r"no answer in 0\.2 s", "not tried again"):
            with pytest.raises(UnreachableError, match=words):
                ask("/version")
        assert other("/version").status == 200


def test_links_are_followed_without_what_they_say(loopback: Loopback) -> None:
    """A redirect whose body has no end leads on all the same."""
    ends = loopback.serve(http.never_ending(http.saying(b"{}"), loopback.over))
    leads = http.head(f"Location: http://localhost:{ends}/", "Transfer-Encoding: chunked", status="302 Found")
    port = loopback.serve(http.never_ending(http.flooding(leads, http.CHUNK, None), loopback.over))

    assert (
        Links(settings.connection(loopback.target(9)), lambda _: None).problem(f"http://localhost:{port}/")
        is None
    )


def cluster(
    loopback: Loopback, authority: Authority, folder: Path, *answers: bytes
) -> tuple[KubeSession, list[bytes]]:
    """An API server that gives these answers, the last of them for good."""
    asked: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        while head := http.request(connection):
            asked.append(head)
            connection.sendall(answers[min(len(asked), len(answers)) - 1])

    return connected(loopback, authority, folder, talk), asked


def connected(
    loopback: Loopback, authority: Authority, folder: Path, talk: Callable[[socket.socket], None]
) -> KubeSession:
    """A session with an API server that talks like this."""
    port = loopback.serve_tls(talk)
    server = {
        "server": f"https://localhost:{port}",
        "certificate-authority": str(authority.file.certificate),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": server}],
        "users": [{"name": "it", "user": {"token": "a-token-of-the-cluster"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    target = replace(loopback.target(9), kubeconfig=str(folder / "kubeconfig"))
    session = KubeSession(settings.cluster(target))
    loopback.at_end.append(session.close)
    return session


def said(status: str, document: object, *lines: str) -> bytes:
    body = json.dumps(document).encode()
    return http.head(f"Content-Length: {len(body)}", *lines, status=status) + body


PODS = said("200 OK", {"kind": "PodList", "items": []})
BUSY = said("429 Too Many Requests", {"kind": "Status", "message": "try later"}, "Retry-After: 0")


def test_a_busy_cluster_is_asked_again(loopback: Loopback, authority: Authority, tmp_path: Path) -> None:
    """Where it says when: its priority and fairness does, and kubectl's user sees nothing of it."""
    session, asked = cluster(loopback, authority, tmp_path, BUSY, BUSY, PODS)

    assert session.ask("GET", "/api/v1/pods", {}).document["kind"] == "PodList"
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("answer", "times", "words"),
    [
        (BUSY, 4, "429: try later"),
        (BUSY.replace(b"Retry-After: 0", b"Retry-After: 3600"), 1, "429: try later"),
        (BUSY.replace(b"Retry-After: 0", b"X-Other: 0"), 1, "429: try later"),
        (said("500 It", {"kind": "Status", "message": "ill"}), 1, "500: ill"),
        (http.head("Content-Length: 2000") + b"[" * 2000, 1, "expected a Kubernetes object"),
    ],
    ids=["always", "an hour", "without a time", "500", "deep"],
)
def test_a_cluster_that_is_ill(
    loopback: Loopback, authority: Authority, tmp_path: Path, answer: bytes, times: int, words: str
) -> None:
    """It is not asked for ever, and nothing is known of it."""
    session, asked = cluster(loopback, authority, tmp_path, answer)

    with pytest.raises(UnreachableError, match=words):
        session.ask("GET", "/api/v1/pods", {})

    assert len(asked) == times


KUBERNETES_FLOODS = ("1 GB", "chunks without end", "a gigabyte in gzip", "a gigabyte in gzip in gzip")


@pytest.mark.parametrize("name", KUBERNETES_FLOODS)
def test_a_flood_of_a_cluster_is_let_go(
    loopback: Loopback, authority: Authority, tmp_path: Path, name: str
) -> None:
    """A run keeps the errors of its checks until it ends: they do not keep what was read."""
    http.bomb(), http.nested_bomb()
    talk = http.never_ending(FAULTS[name].talk, loopback.over)
    session = connected(loopback, authority, tmp_path, talk)
    errors: list[Exception] = []
    tracemalloc.start()
    try:
        for _ in range(3):
            with pytest.raises(
                UnreachableError, match="expected an answer of at most 50000000 bytes, saw more"
            ) as caught:
                session.ask("GET", "/api/v1/pods", {})
            errors.append(caught.value)
            assert tracemalloc.get_traced_memory()[0] < KEPT
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


def with_prometheus(target: Target) -> Target:
    object.__setattr__(target, "prometheus_url", target.base_url)
    return target


def caught(look: Callable[[], object]) -> Exception:
    """The one kind of error that a look may end in."""
    try:
        found = look()
    except (UnreachableError, AssertionError) as error:
        return error
    raise AssertionError(f"expected no answer, saw {found}")


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", "gzip, deflate"])
def test_packed_answers_are_read(loopback: Loopback, coding: str) -> None:
    """Servers pack in the ways that HTTP knows, though only gzip was asked for."""
    import gzip  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "x-gzip": gzip.compress,
        "deflate": zlib.compress,
        "identity": bytes,
    }
    body = functools.reduce(lambda body, one: pack[one](body), coding.lower().split(", "), http.BODY)
    port = loopback.serve_tls(
        http.never_ending(http.saying(body, f"Content-Encoding: {coding}"), loopback.over)
    )
    target = loopback.target(port)

    assert api(target, Patience("x", look=LONG), []) == {"version": "8.0.0", "status": "healthy"}


def test_gzip_of_several_members_is_read_whole(loopback: Loopback) -> None:
    """As RFC 1952 has it, and as a log that was rotated into one file is served."""
    import gzip  # noqa: PLC0415

    body = gzip.compress(http.BODY[:10]) + gzip.compress(http.BODY[10:])
    port = loopback.serve_tls(http.never_ending(http.saying(body, "Content-Encoding: gzip"), loopback.over))

    assert api(loopback.target(port), Patience("x", look=LONG), []) == {
        "version": "8.0.0", "status": "healthy"
    }  # fmt: skip
