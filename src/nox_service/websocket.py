"""The API's WebSocket: upgrade, one message there and back, a clean close."""

import secrets
import shlex
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nox_service.api import LOOKS
from noxgate.errors import UnreachableError
from noxgate.look.http import MOST_BYTES, NO_CERTIFICATE, reason, wants_a_certificate
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.machine.late import late
from noxgate.systems.http.addresses import in_turn
from noxgate.systems.http.session import ApiSession
from noxgate.systems.settings import TlsSettings

if TYPE_CHECKING:
    import websocket
else:
    websocket = late("websocket")

MOST_FRAMES = 20
SECONDS = 5  # for each step
UPGRADED, NORMAL = 101, 1000


@dataclass(frozen=True)
class Echo:
    """`status` of the upgrade (101 when it worked), what came back, the code of the server's close.

    `more` are the messages between the answer and the close.
    """

    status: int
    received: str | None
    close_code: int | None
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        seen = f"upgrade HTTP {self.status}, received {self.received!r}, close code {self.close_code}"
        return seen + (f", and besides {', '.join(map(repr, self.more))}" if self.more else "")


def new_message() -> str:
    """A message that was never sent before."""
    return f"noxgate looks {secrets.token_hex(8)}"


def no_echo(client: "WebSocketClient", path: str) -> list[str]:
    """Why a message does not come back as it was sent, from each pod behind the host."""
    message = new_message()
    return unalike(client.echoes(path, message), message)


def unalike(echoes: Sequence[Echo], message: str) -> list[str]:
    """Why some of these are not an echo, each reason once; without any, that too."""
    if not echoes:
        return ["expected an echo, saw none"]
    return list(dict.fromkeys(fault for echo in echoes for fault in unlike(echo, message)))


def unlike(echo: Echo, message: str) -> list[str]:
    """Why it is not an echo: no upgrade, another message or more than one, no normal close (RFC 6455)."""
    if echo.status != UPGRADED:
        return [f"upgrade: expected HTTP {UPGRADED}, saw {echo.status}"]
    if (echo.received, echo.more) != (message, ()):
        more = f", and then {', '.join(echo.more)}" if echo.more else ""
        return [f"expected {message!r} and no more, saw {echo.received!r}{more}"]
    return [] if echo.close_code == NORMAL else [f"close code {echo.close_code}, expected {NORMAL}"]


class WebSocketClient:
    """Opens one connection for each look."""

    def __init__(self, settings: TlsSettings, session: ApiSession, observe: Observe) -> None:
        self._url = "wss" + settings.base_url.removeprefix("https")
        self._trust = (
            f"WEBSOCKET_CLIENT_CA_BUNDLE={shlex.quote(str(settings.ca_file))} " if settings.ca_file else ""
        )
        self._session = session
        self._context = session.context
        self._patience = session.patience
        self._observe = observe

    def echo(self, path: str, message: str) -> Echo:
        """Send `message` to `path` and wait for the answer, then close."""
        return self._looked(path, message, "")

    def echoes(self, path: str, message: str) -> list[Echo]:
        """The same so often that each pod behind each address of the host has had its turn."""
        try:
            places = self._session.addresses()
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", self._repeat(path, message)))
            raise
        return in_turn(places, lambda address: self._looked(path, message, address), LOOKS)

    def _repeat(self, path: str, message: str) -> str:
        return f"{self._trust}wsdump {shlex.quote(self._url + path)} --text {shlex.quote(message)}"

    def _looked(self, path: str, message: str, address: str) -> Echo:
        url, repeat = self._url + path, self._repeat(path, message)
        try:
            echo = self._patience.run(lambda: self._echo(url, message, address))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except AssertionError as error:
            self._observe(Observation(str(error), repeat))
            raise
        self._observe(Observation(shortened(str(echo)), repeat))
        return echo

    def _echo(self, url: str, message: str, address: str) -> Echo:
        started = time.monotonic()
        try:
            at = self._at(url, address)
            return talk(url, message, {"context": self._context}, at)
        except (OSError, websocket.WebSocketException) as error:
            raise self._unreachable(url, error, started) from None

    def _at(self, url: str, address: str) -> ssl.SSLSocket | None:
        """A connection to this one address; None if the host's name leads to no other."""
        parts = urlsplit(url)
        if address in {"", parts.hostname}:
            return None
        plain = socket.create_connection((address, parts.port or 443), timeout=SECONDS)
        return self._context.wrap_socket(plain, server_hostname=parts.hostname)

    def _unreachable(self, url: str, error: BaseException, started: float) -> UnreachableError:
        if isinstance(error, TimeoutError | websocket.WebSocketTimeoutException):
            self._patience.lost(time.monotonic() - started)
            return UnreachableError(f"{url}: timed out")
        return UnreachableError(f"{url}: {reason(error)}")


def talk(
    url: str, message: str, tls: Mapping[str, Any] | None = None, over: ssl.SSLSocket | None = None
) -> Echo:
    """Say one thing and close; an OSError or a WebSocketException says why there was no talk.

    `over` is a connection that there is already.
    """
    try:
        # Not websockets.sync: it reads and writes one TLS connection from two threads, which OpenSSL does
        # not allow; on Python before 3.13 one connection in some hundreds hung.
        connection = websocket.create_connection(
            url, timeout=SECONDS, sslopt=dict(tls or {}), redirect_limit=0, socket=over
        )
    except websocket.WebSocketBadStatusException as refused:
        if wants_a_certificate(refused.status_code, refused.resp_body or b""):
            raise websocket.WebSocketException(NO_CERTIFICATE) from None
        return Echo(refused.status_code, None, None)
    _limit(connection)
    try:
        connection.send(message)
        received = connection.recv()
    finally:
        close_code, more = _close(connection)
    return Echo(UPGRADED, _text(received), close_code, more)


def _limit(connection: "websocket.WebSocket") -> None:
    """Of all frames together: the library takes what a frame announces, and fragments without end."""
    frames = connection.frame_buffer
    read, taken = frames.recv_strict, 0

    def limited(size: int) -> bytes:
        nonlocal taken
        taken += size
        if taken > MOST_BYTES:
            raise websocket.WebSocketPayloadException(f"expected at most {MOST_BYTES} bytes, saw more")
        return read(size)

    frames.recv_strict = limited  # type: ignore[method-assign, assignment]


def _text(received: str | bytes) -> str:
    return received.decode("utf-8", "replace") if isinstance(received, bytes) else received


def _close(connection: "websocket.WebSocket") -> tuple[int | None, tuple[str, ...]]:
    """Close as RFC 6455 7.1.2 has it.

    The code of the server's answer, or None if it gave none, and the messages that came before it.
    """
    more: list[str] = []
    code = None
    try:
        connection.settimeout(3)
        connection.send_close(NORMAL)
        for _ in range(MOST_FRAMES):
            opcode, content = connection.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(content[:2], "big") if len(content) >= 2 else None  # noqa: PLR2004
                break
            if opcode in {websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY}:
                more.append(_text(content))
    except (OSError, websocket.WebSocketException):
        pass
    finally:
        connection.shutdown()  # type: ignore[no-untyped-call]
    return code, tuple(more)
