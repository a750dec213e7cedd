"""A WebSocket user: a real upgrade, messages there and back, a clean close; each of them is one sample."""

from collections.abc import Mapping
from typing import Any

from load.client import Check, Session
from load.exchange import Answer, Call
from load.samples import Reason
from load.wire import WireError
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import ProtocolError

UPGRADED = 101  # the status of all samples here that had an answer
AGREED = frozenset({UPGRADED})


_CLOSED_BY_SERVER = (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)


class WebSocketClient(Session):
    """One WebSocket at a time. After a failure it is closed; `open` begins anew."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._protocol: WSConnection | None = None
        self._events: list[Event] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._message = ""

    @property
    def is_open(self) -> bool:
        return self._protocol is not None

    def open(
        self,
        path: str,
        *,
        group: str = "",
        headers: Mapping[str, str] | None = None,
        intended: float | None = None,
    ) -> Answer:
        """Upgrade; status 101 where the server agreed."""
        if self.is_open:
            raise ValueError("this WebSocket is open")
        self._headers = [(key.encode(), value.encode()) for key, value in (headers or {}).items()]
        return self._measure(
            Call(path, group, "WS OPEN", path.encode(), AGREED), self._upgrade, None, intended
        )

    def echo(self, message: str, check: Check | None = None, *, path: str, group: str = "") -> Answer:
        """Send a text and wait for the next message. Without a check, it must be the same text."""
        self._message = message
        return self._measure(Call(path, group, "WS ECHO", b"", AGREED), self._said, check or self._same)

    def end(self, *, path: str, group: str = "") -> Answer:
        """Close, and wait for the server's close: its code must be ours."""
        answer = self._measure(Call(path, group, "WS CLOSE", b"", AGREED), self._goodbye)
        self._hang_up()
        return answer

    def _upgrade(self, what: Call) -> Answer:
        stream = self._connect()
        protocol = WSConnection(ConnectionType.CLIENT)
        self._events = []
        request = Request(
            host=self._endpoint.authority, target=what.message.decode(), extra_headers=self._headers
        )
        self._sent = True
        stream.send(protocol.send(request))
        while True:
            event = self._next(protocol)
            if isinstance(event, AcceptConnection):
                self._protocol = protocol
                return Answer(UPGRADED)
            if isinstance(event, RejectConnection):
                self._hang_up()
                return Answer(event.status_code, error=Reason.UPGRADE)

    def _said(self, _: Call) -> Answer:
        protocol = self._say(TextMessage(data=self._message))
        parts: list[bytes] = []
        while True:
            event = self._next(protocol)
            match event:
                case TextMessage(data=data):
                    parts.append(data.encode())
                case BytesMessage(data=data):
                    parts.append(bytes(data))
                case CloseConnection():
                    raise WireError(Reason.CLOSED, f"code {event.code}")
                case _:
                    continue
            if sum(map(len, parts)) > self._most_bytes:
                raise WireError(Reason.TOO_BIG, f"more than {self._most_bytes} bytes")
            if event.message_finished:
                return Answer(UPGRADED, b"", b"".join(parts))

    def _goodbye(self, _: Call) -> Answer:
        protocol = self._say(CloseConnection(code=CloseReason.NORMAL_CLOSURE))
        while True:
            event = self._next(protocol)
            if isinstance(event, CloseConnection):
                if event.code != CloseReason.NORMAL_CLOSURE:
                    raise WireError(Reason.MALFORMED, f"close code {event.code}")
                return Answer(UPGRADED)

    def _next(self, protocol: WSConnection) -> Event:
        """The next event; pings are answered on the way."""
        assert self._stream is not None
        while True:
            while self._events:
                event = self._events.pop(0)
                if not isinstance(event, Ping):
                    return event
                if protocol.state is ConnectionState.OPEN:  # after a close nothing may be sent
                    self._stream.send(protocol.send(event.response()))
            data = self._stream.receive()
            self._size += len(data)
            if self._size > 2 * self._most_bytes:
                raise WireError(Reason.TOO_BIG, "frames without end")
            if not data:
                raise WireError(Reason.TRUNCATED if self._size else Reason.CLOSED)
            try:
                protocol.receive_data(data)
                self._events.extend(protocol.events())
            except ProtocolError as error:
                raise WireError(Reason.MALFORMED, str(error)) from None
            last = self._events[-1] if self._events else None
            if isinstance(last, CloseConnection) and protocol.state not in _CLOSED_BY_SERVER:
                raise WireError(Reason.MALFORMED, last.reason or "")  # wsproto's own word, not the server's

    def _same(self, answer: Answer) -> None:
        assert answer.text == self._message

    def _say(self, event: Event) -> WSConnection:
        if self._protocol is None or self._stream is None or self._protocol.state is not ConnectionState.OPEN:
            raise WireError(Reason.CLOSED, "the WebSocket is not open")
        self._sent = True
        self._stream.send(self._protocol.send(event))
        return self._protocol

    def _hang_up(self) -> None:
        super()._hang_up()
        self._protocol = None
