"""The TLS and WebSocket clients against servers of many qualities."""

import gc
import re
import socket
import ssl
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.building.answering import echoing, frame, frame_of, refusing, upgraded

from nox_service.edge import protocols
from nox_service.websocket import Echo, WebSocketClient
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Patience
from noxgate.look.waiting import eventually
from noxgate.systems import settings
from noxgate.systems.http.session import ApiSession
from noxgate.systems.http.tls import TlsClient

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

V1, V1_1, V1_2, V1_3 = (
    ssl.TLSVersion.TLSv1,
    ssl.TLSVersion.TLSv1_1,
    ssl.TLSVersion.TLSv1_2,
    ssl.TLSVersion.TLSv1_3,
)


def tls_client(loopback: "Loopback", port: int, observed: list[Observation]) -> TlsClient:
    """A client of the server at that port."""
    return TlsClient(settings.tls(loopback.target(port)), Patience("x", look=60), observed.append)


def silent(connection: socket.socket) -> None:
    """Say goodbye."""
    connection.unwrap() if isinstance(connection, ssl.SSLSocket) else None


# ---------------------------------------------------------------- TLS


def test_good_certificate(loopback: "Loopback", authority: "Authority") -> None:
    """Version, no problem, days left; and the command."""
    observed: list[Observation] = []
    port = loopback.serve_tls(silent, authority.issue("fresh", "localhost", days=29))

    (facts,) = tls_client(loopback, port, observed).facts()

    assert (facts.version, facts.problem) == ("TLSv1.3", None)
    assert facts.days_left is not None
    assert 28.9 < facts.days_left < 29.1
    assert observed[0].seen == "TLSv1.3, certificate valid, 29.0 days left"
    assert observed[0].repeat == (
        f"openssl s_client -connect localhost:{port} -servername localhost "
        f"-CAfile {authority.file.certificate} -verify_return_error -verify_hostname localhost </dev/null"
    )


@pytest.mark.parametrize(
    ("host", "days", "own", "problem"),
    [
        ("localhost", 30, True, "self-signed certificate"),
        ("localhost", -1, False, "certificate has expired"),
        ("other.example.com", 30, False, "Hostname mismatch, certificate is not valid for 'localhost'."),
        ("localhost.example.com", 30, False, "Hostname mismatch, certificate is not valid for 'localhost'."),
        ("*.localhost", 30, False, "Hostname mismatch, certificate is not valid for 'localhost'."),
    ],
)
def test_bad_certificate_is_a_fact(
    loopback: "Loopback",
    authority: "Authority",
    host: str,
    days: int,
    own: bool,  # noqa: FBT001
    problem: str,
) -> None:
    """We looked: it is wrong. No days are told of a certificate that is not valid."""
    observed: list[Observation] = []
    pair = authority.issue("tls-" + host.replace("*", "any") + f"{days}{own}", host, days=days, own=own)

    (facts,) = tls_client(loopback, loopback.serve_tls(silent, pair), observed).facts()

    assert (facts.problem, facts.days_left) == (problem, None)
    assert observed[0].seen == f"no handshake, certificate not valid: {problem}"


def test_few_days_left(loopback: "Loopback", authority: "Authority") -> None:
    """As a fraction: the check compares."""
    pair = authority.issue("few", "localhost", days=1.5)

    (facts,) = tls_client(loopback, loopback.serve_tls(silent, pair), []).facts()

    assert facts.days_left == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize(
    ("spoken", "accepted"),
    [
        ((V1, V1), [V1]),
        ((V1, V1_1), [V1, V1_1]),
        ((V1_2, V1_3), [V1_2, V1_3]),
        ((V1_3, V1_3), [V1_3]),
        ((V1, V1_3), [V1, V1_1, V1_2, V1_3]),
    ],
    ids=["1.0", "1.0-1.1", "1.2-1.3", "1.3", "all"],
)
def test_greetings_tell_each_version(
    loopback: "Loopback", spoken: tuple[ssl.TLSVersion, ssl.TLSVersion], accepted: list[ssl.TLSVersion]
) -> None:
    """An old version that is spoken is found out: "refused" is not our own inability."""
    observed: list[Observation] = []
    client = tls_client(loopback, loopback.serve_tls(silent, versions=spoken), observed)

    assert [each.version for each in client.greetings((V1, V1_1, V1_2, V1_3)) if each.spoken] == accepted

    words = ["accepted" if version in accepted else "refused" for version in (V1, V1_1, V1_2, V1_3)]
    assert [observation.seen.split()[-1] for observation in observed] == words


def test_our_own_inability_is_unreachable(loopback: "Loopback") -> None:
    """No OpenSSL of today speaks SSL 3: that must not count as a server that refuses it."""
    client = tls_client(loopback, loopback.serve_tls(silent), [])

    with pytest.raises(UnreachableError, match="this machine's OpenSSL does not offer SSLv3"):
        client.greetings([ssl.TLSVersion.SSLv3])


def nothing(_: socket.socket) -> None:
    """Close without a word."""


def cut(connection: socket.socket) -> None:
    """Close by a reset, as a load balancer without servers does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_and_cut(connection: socket.socket) -> None:
    connection.recv(1000)
    cut(connection)


def not_tls(connection: socket.socket) -> None:
    """An HTTP server, for example."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def alert(code: int) -> Callable[[socket.socket], None]:
    """A server that answers every greeting with this alert of TLS."""

    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(bytes([21, 3, 1, 0, 2, 2, code]))

    talk.__name__ = f"alert{code}"
    return talk


NO_SUCH_NAME = alert(112)  # unrecognized_name
INTERNAL = alert(80)  # what a server without a certificate for the host may say


@pytest.mark.parametrize("talk", [nothing, cut, read_and_cut, not_tls, NO_SUCH_NAME, INTERNAL])
def test_no_tls_at_all(loopback: "Loopback", talk: Callable[[socket.socket], None]) -> None:
    """Nothing was learned of its versions nor of its certificate: neither is charged to the release."""
    observed: list[Observation] = []
    client = tls_client(loopback, loopback.serve(talk), observed)

    with pytest.raises(UnreachableError, match=r"^localhost:\d+(?: at 127\.0\.0\.1)?: "):
        protocols(client)
    assert observed
    assert all(re.search(r" no handshake: localhost:|^could not look: ", each.seen) for each in observed)
    with pytest.raises(UnreachableError, match=r"^localhost:\d+(?: at 127\.0\.0\.1)?: "):
        client.facts()
    assert observed[-1].seen.startswith("could not look: localhost:")


def close_and_cut(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    cut(connection)


def expect_reset(connection: socket.socket) -> None:
    with suppress(OSError):
        raise AssertionError(connection.getpeername())


@pytest.mark.parametrize("talk", [cut, close_and_cut])
def test_reset_before_our_greeting(
    loopback: "Loopback", monkeypatch: pytest.MonkeyPatch, talk: Callable[[socket.socket], None]
) -> None:
    """Python then wraps what has had no handshake, or forgets to close it."""
    connect = socket.create_connection

    def late(*where: Any, **how: Any) -> socket.socket:
        connection = connect(*where, **how)
        eventually(lambda: expect_reset(connection), within=30, every=0.01)
        return connection

    monkeypatch.setattr(socket, "create_connection", late)
    test_no_tls_at_all(loopback, talk)
    gc.collect()  # what was forgotten is complained about here


class OldCut:
    """A server of new versions in front of which something cuts the line of old greetings.

    `at_first` of them alone; later ones get through.
    """

    def __init__(self, context: ssl.SSLContext, talk: Callable[[socket.socket], None], at_first: int) -> None:
        self._context = context
        self._talk = talk
        self._left = at_first

    def __call__(self, connection: socket.socket) -> None:
        greeting = connection.recv(2000, socket.MSG_PEEK)
        is_new = greeting[9:11] == b"\x03\x03"  # what the greeting itself says: 1.2, and 1.3 behind it
        if not is_new and self._left:
            self._left -= 1
            self._talk(connection)
            return
        with self._context.wrap_socket(connection, server_side=True) as secure:
            secure.unwrap()


def served(authority: "Authority", least: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.good)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = least
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("talk", [nothing, cut, read_and_cut, not_tls, INTERNAL])
def test_old_ones_are_refused_by_cutting_the_line(
    loopback: "Loopback", authority: "Authority", talk: Callable[[socket.socket], None]
) -> None:
    """As firewalls do: a refusal, since the same host speaks a newer one in the same check."""
    observed: list[Observation] = []
    server = OldCut(served(authority, V1_2), talk, at_first=1000)

    assert protocols(tls_client(loopback, loopback.serve(server), observed)) == []
    assert [each.seen.split(": ")[0] for each in observed] == [
        "TLSv1 no handshake",
        "TLSv1.1 no handshake",
        "TLSv1.2 accepted",
        "TLSv1.3 accepted",
    ]


def test_one_cut_is_no_refusal(loopback: "Loopback", authority: "Authority") -> None:
    """By chance, at the first greeting: the version is spoken all the same."""
    server = OldCut(served(authority, V1), cut, at_first=1)

    assert protocols(tls_client(loopback, loopback.serve(server), [])) == [
        "TLSv1 is still spoken",
        "TLSv1_1 is still spoken",
    ]


@pytest.mark.parametrize(
    ("code", "spoken"), [(70, "protocol_version"), (40, "handshake_failure"), (71, "insufficient_security")]
)
def test_refused_in_tls_is_learned(loopback: "Loopback", code: int, spoken: str) -> None:
    """A server that answers in TLS, in versions other than these, is wrong."""
    client = tls_client(loopback, loopback.serve(alert(code)), [])

    assert protocols(client) == ["neither TLSv1_2 nor TLSv1_3 is spoken"], spoken


def test_old_ones_alone(loopback: "Loopback") -> None:
    """Learned, although new greetings come to nothing."""
    client = tls_client(loopback, loopback.serve_tls(silent, versions=(V1, V1_1)), [])

    assert protocols(client) == [
        "TLSv1 is still spoken",
        "TLSv1_1 is still spoken",
        "neither TLSv1_2 nor TLSv1_3 is spoken",
    ]


@pytest.mark.parametrize(
    "ask", [TlsClient.facts, lambda client: client.greetings([V1_2])], ids=["facts", "greetings"]
)
def test_refused_and_silent_are_unreachable(loopback: "Loopback", ask: Callable[[TlsClient], object]) -> None:
    """A refused connection does not refuse a version, nor does one that hangs; both are recorded."""
    observed: list[Observation] = []
    refused = tls_client(loopback, loopback.closed_port(), observed)
    hanging = TlsClient(
        settings.tls(loopback.target(loopback.serve(lambda _: loopback.over.wait(30)))),
        Patience("localhost", look=0.3),
        observed.append,
    )

    with pytest.raises(UnreachableError, match="connection refused"):
        ask(refused)
    with pytest.raises(UnreachableError, match=r"no answer in 0\.3 s"):
        ask(hanging)
    assert [observation.seen[:15] for observation in observed] == ["could not look:"] * 2


# ---------------------------------------------------------------- WebSocket


def chatting(connection: socket.socket) -> None:
    """Send back, and twice more; a ping between them is not a message."""
    upgraded(connection)
    _, text = frame_of(connection)
    connection.sendall(frame(1, text) + frame(1, b"and") + frame(9, b"") + frame(2, b"so on"))
    _, code = frame_of(connection)
    frame_of(connection)  # the pong
    connection.sendall(frame(8, code))


def closing_oddly(connection: socket.socket) -> None:
    """Answer, then close with 1011, internal error."""
    upgraded(connection)
    _, text = frame_of(connection)
    connection.sendall(frame(1, text) + frame(8, (1011).to_bytes(2, "big")))
    frame_of(connection)


def vanishing(connection: socket.socket) -> None:
    """Answer, then go without a close."""
    upgraded(connection)
    _, text = frame_of(connection)
    connection.sendall(frame(1, text))


def page(connection: socket.socket) -> None:
    """An ingress that does not pass the upgrade on."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def redirecting(connection: socket.socket) -> None:
    """Elsewhere."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: wss://localhost/\r\nContent-Length: 0\r\n\r\n")


def websocket(loopback: "Loopback", port: int, observed: list[Observation]) -> WebSocketClient:
    """A client of the server at that port."""
    target = loopback.target(port)
    session = ApiSession(settings.api(target))
    session.patience = Patience(target.base_url, look=60)
    return WebSocketClient(settings.tls(target), session, observed.append)


@pytest.mark.parametrize(
    ("talk", "echo"),
    [
        (echoing, Echo(101, "you said hello", 1000)),
        (chatting, Echo(101, "hello", 1000, ("and", "so on"))),
        (closing_oddly, Echo(101, "hello", 1011)),
        (vanishing, Echo(101, "hello", None)),
        (refusing, Echo(404, None, None)),
        (page, Echo(200, None, None)),
    ],
)
def test_echo_tells_what_came(
    loopback: "Loopback", authority: "Authority", talk: Callable[[socket.socket], None], echo: Echo
) -> None:
    """Status of the upgrade, the answer, the code of the close: the check judges."""
    observed: list[Observation] = []
    port = loopback.serve_tls(talk)

    assert websocket(loopback, port, observed).echo("/ws", "hello") == echo
    (observation,) = observed
    besides = ", and besides 'and', 'so on'" if echo.more else ""
    assert observation.seen == (
        f"upgrade HTTP {echo.status}, received {echo.received!r}, close code {echo.close_code}{besides}"
    )
    trust = f"WEBSOCKET_CLIENT_CA_BUNDLE={authority.file.certificate} "
    assert observation.repeat == f"{trust}wsdump wss://localhost:{port}/ws --text hello"


def mute(connection: socket.socket) -> None:
    """Upgrade, then go without an answer."""
    upgraded(connection)
    frame_of(connection)


@pytest.mark.parametrize("talk", [nothing, mute, redirecting])
def test_no_answer_is_unreachable(loopback: "Loopback", talk: Callable[[socket.socket], None]) -> None:
    """In one line, recorded."""
    observed: list[Observation] = []

    with pytest.raises(UnreachableError, match=r"^wss://localhost:\d+/ws: "):
        websocket(loopback, loopback.serve_tls(talk), observed).echo("/ws", "hello")

    assert observed[0].seen.startswith("could not look: wss://localhost:")


def test_refused_websocket(loopback: "Loopback") -> None:
    """As everywhere."""
    with pytest.raises(UnreachableError, match="connection refused"):
        websocket(loopback, loopback.closed_port(), []).echo("/ws", "hello")


def test_websocket_to_a_stranger_is_unreachable(loopback: "Loopback", authority: "Authority") -> None:
    """A certificate that is not valid is not accepted here either."""
    port = loopback.serve_tls(echoing, authority.issue("ws-own", "localhost", days=30, own=True))

    with pytest.raises(UnreachableError, match="certificate verify failed"):
        websocket(loopback, port, []).echo("/ws", "hello")
