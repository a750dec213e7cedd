"""The API's WebSocket: upgrade, one message there and back, a clean close."""

from dataclasses import dataclass
from typing import Literal

from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import connect

from noxgate.clients.api import ApiSession, reason
from noxgate.clients.observation import Observation, Observe, shortened
from noxgate.target import Target, UnreachableError


@dataclass(frozen=True)
class Echo:
    """`status` of the upgrade (101 when it worked), what came back, and the code of the close."""

    status: int
    received: str | None
    close_code: int | None


class WebSocketClient:
    """Opens one connection for each look."""

    def __init__(self, target: Target, session: ApiSession, observe: Observe) -> None:
        self._url = "wss" + target.base_url.removeprefix("https")
        self._rehearsal = target.rehearsal
        self._context = session.context
        self._patience = session.patience
        self._observe = observe

    def echo(self, path: str, message: str) -> Echo:
        """Send `message` to `path` and wait for the answer, then close."""
        url = self._url + path
        repeat = f"python -m websockets {url}"
        try:
            echo = self._patience.run(lambda: self._echo(url, message))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        seen = f"upgrade HTTP {echo.status}, received {echo.received!r}, close code {echo.close_code}"
        self._observe(Observation(shortened(seen), repeat))
        return echo

    def _echo(self, url: str, message: str) -> Echo:
        proxy: Literal[True] | None = None if self._rehearsal else True
        received: str | bytes | None = None
        try:
            with connect(
                url, ssl=self._context, open_timeout=5, close_timeout=3, max_size=1_000_000, proxy=proxy
            ) as socket:
                socket.send(message)
                received = socket.recv(timeout=5)
        except InvalidStatus as refused:
            return Echo(refused.response.status_code, None, None)
        except InvalidHandshake as error:
            raise AssertionError(f"{url}: not a WebSocket upgrade: {reason(error)}") from None
        except TimeoutError as error:
            raise UnreachableError(f"{url}: {reason(error)}") from None
        except (OSError, WebSocketException) as error:
            if received is None:
                raise UnreachableError(f"{url}: {reason(error)}") from None
        text = received.decode("utf-8", "replace") if isinstance(received, bytes) else received
        return Echo(101, text, socket.protocol.close_rcvd.code if socket.protocol.close_rcvd else None)
