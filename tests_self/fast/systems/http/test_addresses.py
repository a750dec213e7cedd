"""A host with several addresses: what answers at one of them says nothing of the others."""

import json
import re
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.building.answering import echoing, http, refusing, request_of

from nox_service.api import LOOKS, ApiClient
from nox_service.edge import plain_http_faults, protocols
from nox_service.websocket import WebSocketClient, unalike
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Patience
from noxgate.systems import settings
from noxgate.systems.http import addresses as module
from noxgate.systems.http.addresses import Addresses, addresses, in_turn
from noxgate.systems.http.session import ApiSession
from noxgate.systems.http.tls import TlsClient, faults

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

HOST = "nox.example"
FIRST, SECOND, THIRD, SIXTH = "127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"
REAL = socket.getaddrinfo


def _has_ipv6() -> bool:
    """Whether this machine speaks it, if only with itself."""
    with suppress(OSError), socket.create_server((SIXTH, 0), family=socket.AF_INET6):
        return True
    return False


LAST = SIXTH if _has_ipv6() else THIRD


class Place:
    """A host of some addresses on one port, each with a server that answers with its own address."""

    def __init__(
        self, loopback: "Loopback", authority: "Authority", patch: pytest.MonkeyPatch, *hosts: str
    ) -> None:
        self.loopback, self.hosts = loopback, hosts
        self._connected: list[str] = []  # appended to by several threads at once
        self.asked: list[bytes] = []
        self.good = authority.issue("several", HOST, days=30)
        self.observed: list[Observation] = []
        self.port = 0
        patch.setattr(socket, "getaddrinfo", self._resolved)

    def serve(self, *hosts: str, **settings: Any) -> None:
        """Begin to answer there."""
        for host in hosts:

            def talk(connection: socket.socket, host: str = host) -> None:
                self._connected.append(host)
                self.asked.append(request_of(connection))
                connection.sendall(http(json.dumps({"version": host}).encode()))

            pair = settings.get("pair", self.good)
            self.port = self.loopback.serve_tls(talk, pair, host=host, port=self.port)

    @property
    def connections(self) -> Mapping[str, int]:
        return Counter(self._connected)

    def target(self) -> Any:
        target = self.loopback.target(self.port)
        object.__setattr__(target, "base_url", f"https://{HOST}:{self.port}")
        return target

    def api(self) -> ApiClient:
        session = ApiSession(settings.api(self.target()))
        session.patience = Patience("x", look=60)
        self.loopback.at_end.append(session.close)
        return ApiClient(settings.api(self.target()), session, self.observed.append)

    def websocket(self) -> WebSocketClient:
        session = ApiSession(settings.api(self.target()))
        session.patience = Patience("x", look=60)
        self.loopback.at_end.append(session.close)
        return WebSocketClient(settings.tls(self.target()), session, self.observed.append)

    def tls(self) -> TlsClient:
        return TlsClient(settings.tls(self.target()), Patience("x", look=60), self.observed.append)

    def _resolved(self, host: object, port: int, *args: Any, **settings: Any) -> Any:
        if host != HOST:
            return REAL(host, port, *args, **settings)  # type: ignore[arg-type]
        return [each for place in self.hosts for each in REAL(place, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def place(loopback: "Loopback", authority: "Authority", monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(loopback, authority, monkeypatch, FIRST, SECOND, LAST)


def test_samples_go_to_every_address_over_connections_of_their_own(place: Place) -> None:
    place.serve(FIRST, SECOND, LAST)

    answers = place.api().sample("/version", 30)

    assert {answer.field("version", str) for answer in answers} == {FIRST, SECOND, LAST}
    assert place.connections == {FIRST: 10, SECOND: 10, LAST: 10}
    host = f"\r\nhost: {HOST}:{place.port}\r\n".encode()
    assert [each for each in place.asked if host not in each.lower()] == []
    (observation,) = place.observed
    assert f"over 30 connections, to 3 addresses ({FIRST}, {SECOND}, {LAST}): " in observation.seen


def test_fewer_samples_than_addresses(place: Place) -> None:
    place.serve(FIRST, SECOND, LAST)

    assert len(place.api().sample("/version", 1)) == 3


def test_each_of_several_looks_has_its_own_connection(place: Place) -> None:
    place.serve(FIRST, SECOND, LAST)

    answers = place.api().get_often("/version")

    assert len(answers) == LOOKS == sum(place.connections.values())
    assert set(place.connections) == {FIRST, SECOND, LAST}
    assert any(f"--resolve {HOST}:{place.port}:{SECOND}" in each.repeat for each in place.observed)


@pytest.mark.parametrize("often", [True, False])
def test_address_that_refuses_is_what_users_see(place: Place, often: bool) -> None:  # noqa: FBT001
    place.serve(FIRST, LAST)
    api = place.api()

    with pytest.raises(AssertionError, match=rf"^2 of 3 addresses answer: .* at {SECOND}: .*refused"):
        api.get_often("/x") if often else api.sample("/x", 9)


def test_nobody_at_any_address_is_unreachable(place: Place) -> None:
    place.port = place.loopback.closed_port()

    with pytest.raises(UnreachableError, match="refused"):
        place.api().sample("/x", 9)


def test_host_of_another_family_alone(place: Place) -> None:
    place.hosts = (LAST,)
    place.serve(LAST)

    assert {answer.field("version", str) for answer in place.api().sample("/v", 3)} == {LAST}
    assert faults(place.tls().facts(), 14) == []


def test_family_without_a_route_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.serve(FIRST, SECOND)
    monkeypatch.setattr(module, "_is_routed", lambda _, there: there[0] != LAST)

    answers = place.api().sample("/version", 4)

    assert len(answers) == 4
    assert f"not looked at, for want of a route from here: {LAST}: 2 times" in place.observed[0].seen
    place.tls().facts()
    assert any(each.seen.startswith("8 looks, to 2 addresses") for each in place.observed)


def test_no_route_at_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_routed", lambda *_: False)

    with pytest.raises(UnreachableError, match=f"{HOST}: no route from here to {FIRST}, {SECOND}, {LAST}"):
        place.api().sample("/version", 4)


def test_route_is_asked_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*REAL(FIRST, 9), *REAL("192.0.2.1", 9)])

    assert FIRST in addresses("somewhere.example", 9).here


def test_this_machine_is_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` commonly has an IPv6 address, where a server of IPv4 does not listen."""
    with socket.create_server((FIRST, 0)) as listener:
        port = listener.getsockname()[1]
        resolved = [*REAL(SIXTH, port, type=socket.SOCK_STREAM), *REAL(FIRST, port, type=socket.SOCK_STREAM)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
        assert addresses("localhost", port) == Addresses((FIRST,))


def test_name_that_nobody_knows() -> None:
    with pytest.raises(UnreachableError, match=r"^nowhere\.invalid: "):
        addresses("nowhere.invalid", 443)


# ---------------------------------------------------------------- TLS


def test_expired_certificate_on_the_second_address(place: Place, authority: "Authority") -> None:
    place.serve(FIRST, LAST)
    place.serve(SECOND, pair=authority.issue("old", HOST, days=-1))

    assert faults(place.tls().facts(), 14) == [f"{SECOND}: certificate has expired"]
    assert place.observed[1].seen == f"{SECOND}: no handshake, certificate not valid: certificate has expired"
    assert f"-connect {SECOND}:{place.port} -servername {HOST}" in place.observed[1].repeat


def test_old_protocol_on_the_second_address(place: Place) -> None:
    place.serve(FIRST, LAST)
    old = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2)
    place.loopback.serve_tls(lambda _: None, place.good, old, SECOND, place.port)

    assert protocols(place.tls()) == ["TLSv1 is still spoken", "TLSv1_1 is still spoken"]


def cutting(connection: socket.socket) -> None:
    """As a load balancer does whose servers are all away."""
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_protocols_of_a_second_address_that_cuts_the_line(place: Place) -> None:
    """Users get there: it is said, as for any look at it."""
    place.serve(FIRST, LAST)
    place.loopback.serve(cutting, SECOND, place.port)

    (said,) = protocols(place.tls())

    assert said.startswith(f"2 of 3 addresses answer: {HOST}:{place.port}: ")


def test_protocols_of_a_second_address_that_speaks_old_ones_alone(place: Place) -> None:
    """Another address that speaks a new one does not make up for it."""
    place.serve(FIRST, LAST)
    old = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)
    place.loopback.serve_tls(lambda _: None, place.good, old, SECOND, place.port)

    assert protocols(place.tls()) == [
        "TLSv1_1 is still spoken",
        f"{SECOND}: neither TLSv1_2 nor TLSv1_3 is spoken",
    ]


def test_second_address_that_refuses(place: Place) -> None:
    place.serve(FIRST, LAST)

    with pytest.raises(AssertionError, match=f"2 of 3 addresses answer: {HOST}:.* at {SECOND}: .*refused"):
        place.tls().facts()


@pytest.mark.parametrize(
    ("through", "days", "said"),
    [
        (2.0, 90, ["2 days left of 'an intermediate', expected more than 14"]),
        (90.0, 2, ["2 days left, expected more than 14"]),
        (90.0, 90, ["30 days left of 'an authority', expected more than 31"]),
        (20.0, 25, []),
    ],
)
def test_each_certificate_of_the_chain_lasts(
    place: Place, authority: "Authority", through: float, days: float, said: list[str]
) -> None:
    place.hosts = (FIRST,)
    place.serve(FIRST, pair=authority.issue("chain", HOST, days=days, through=through))

    found = faults(place.tls().facts(), 31 if through == days else 14)
    # the authority is as old as this run of the tests
    assert [re.sub(r"^[\d.]+", lambda number: f"{float(number[0]):.0f}", one) for one in found] == said


def test_common_name_alone_is_a_fault(place: Place, authority: "Authority") -> None:
    """No browser believes it."""
    place.hosts = (FIRST,)
    place.serve(FIRST, pair=authority.issue("cn", HOST, days=90, alt=False))

    (said,) = faults(place.tls().facts(), 14)
    assert "Hostname mismatch" in said


# ---------------------------------------------------------------- without TLS


def test_somebody_listens_without_tls_at_one_address(place: Place) -> None:
    place.serve(FIRST, SECOND)

    assert place.api().open_without_tls(place.port) == [FIRST, SECOND]
    assert place.observed[0].seen.startswith(f"port {place.port} open at {FIRST}, {SECOND}, to 3 addresses")


def test_nobody_listens_without_tls(place: Place) -> None:
    place.serve(FIRST)

    assert place.api().open_without_tls(place.loopback.closed_port()) == []
    assert "open at no address" in place.observed[0].seen


def test_a_closed_port_of_a_host_that_is_away_tells_nothing(place: Place) -> None:
    """Nothing answers there at all: that plain HTTP is silent, too, does not prove a good edge."""
    place.hosts = (FIRST,)

    with pytest.raises(UnreachableError, match="connection refused"):
        plain_http_faults(place.api(), SimpleNamespace(plain_url=""))  # type: ignore[arg-type]


# ---------------------------------------------------------------- each pod behind each address


def test_each_pod_is_asked_over_connections_of_its_own(
    loopback: "Loopback", authority: "Authority", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several at a time, to each address, and recorded as one look with the token left out."""
    place = Place(loopback, authority, monkeypatch, FIRST, SECOND)
    place.serve(FIRST, SECOND)
    answers = place.api().at_each_pod("/me", who="test_token")

    assert sorted(answer.field("version", str) for answer in answers) == [FIRST] * 4 + [SECOND] * 4
    assert place.connections == {FIRST: 4, SECOND: 4}
    assert all(b"Bearer token-of-the-user" in request for request in place.asked)
    (observation,) = place.observed
    assert "8 samples" in observation.seen
    assert "over 8 connections, to 2 addresses" in observation.seen
    assert '-H "Authorization: Bearer ${TEST_TOKEN:?}"' in observation.repeat


def test_who_answered_before_and_does_not_now_is_a_fault() -> None:
    left = iter(["a", "b", "a"])

    def look(address: str) -> str:
        answered = next(left, None)
        if answered is None:
            raise UnreachableError(f"{address}: refused")
        return answered

    with pytest.raises(AssertionError, match=r"look \d of 8 had no answer: .*refused"):
        in_turn(Addresses((FIRST, SECOND)), look, 8)


def test_each_address_has_its_websocket(
    loopback: "Loopback", authority: "Authority", monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the host's name: its certificate counts there, too."""
    place = Place(loopback, authority, monkeypatch, FIRST, SECOND)
    place.port = loopback.serve_tls(echoing, place.good, host=FIRST)
    loopback.serve_tls(echoing, place.good, host=SECOND, port=place.port)

    echoes = place.websocket().echoes("/ws", "hello")

    assert [(echo.status, echo.received) for echo in echoes] == [(101, "you said hello")] * LOOKS


def test_an_address_that_does_not_upgrade_is_found(
    loopback: "Loopback", authority: "Authority", monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(loopback, authority, monkeypatch, FIRST, SECOND)
    place.port = loopback.serve_tls(echoing, place.good, host=FIRST)
    loopback.serve_tls(refusing, place.good, host=SECOND, port=place.port)

    echoes = place.websocket().echoes("/ws", "hello")

    assert unalike(echoes, "you said hello") == ["upgrade: expected HTTP 101, saw 404"]
    assert sum(echo.status == 101 for echo in echoes) == LOOKS / 2


@pytest.mark.parametrize("fault", ["closed", "other certificate"])
def test_a_websocket_that_one_address_has_not(
    loopback: "Loopback", authority: "Authority", monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    place = Place(loopback, authority, monkeypatch, FIRST, SECOND)
    place.port = loopback.serve_tls(echoing, place.good, host=FIRST)
    if fault == "other certificate":
        other = authority.issue("other-host", "elsewhere.example", days=30)
        loopback.serve_tls(echoing, other, host=SECOND, port=place.port)

    with pytest.raises(AssertionError, match="1 of 2 addresses answer: wss://nox"):
        place.websocket().echoes("/ws", "hello")


@pytest.mark.parametrize(("one_in", "other_days", "said"), [(3, 3, 1), (4, 3, 1), (3, -1, 1), (3, 20, 0)])
def test_one_of_several_servers_has_an_old_certificate(
    loopback: "Loopback",
    authority: "Authority",
    monkeypatch: pytest.MonkeyPatch,
    one_in: int,
    other_days: float,
    said: int,
) -> None:
    """Behind one address: it was renewed, and one of them has not read it yet."""
    place = Place(loopback, authority, monkeypatch, FIRST)
    contexts = []
    for days in (30, other_days):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(f"of-{days}-days", HOST, days=days))
        contexts.append(context)
    turn = count()

    def handshake(connection: socket.socket) -> None:
        with suppress(OSError), contexts[next(turn) % one_in == 1].wrap_socket(connection, server_side=True):
            pass

    place.port = loopback.serve(handshake, FIRST)
    found = place.tls().facts()

    assert len(found) == 2
    assert len(faults(found, 14)) == said
    assert len([each for each in place.observed if each.seen.startswith(f"{FIRST}: ")]) == 2
