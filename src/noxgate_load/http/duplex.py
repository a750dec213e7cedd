"""A WebSocket user: a real upgrade, messages there and back, a clean close; each of them is one sample."""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from noxgate.look.http import wants_a_certificate
from noxgate_load.http.client import Check, Session
from noxgate_load.http.exchange import MOST_HEAD, Answer, Call, call
from noxgate_load.http.frames import (
    BINARY,
    CLOSE,
    HEADERS,
    NORMAL,
    PING,
    PONG,
    TEXT,
    UPGRADED,
    Frames,
    Message,
    Upgrade,
    close_code,
    frame,
)
from noxgate_load.samples import Reason, WireError

AGREED = frozenset({UPGRADED})  # the status of all samples here that had an answer


class WebSocketClient(Session):
    """One WebSocket at a time. After a failure it is closed; `open` begins anew."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._frames: Frames | None = None
        self._messages: list[Message] = []
        self._message = ""
        self._opening: dict[tuple[str, str], Call] = {}  # those without headers of their own

    @property
    def is_open(self) -> bool:
        return self._frames is not None

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
        what = None if headers else self._opening.get((path, group))
        if what is None:
            request = call(self._endpoint, "GET", path, headers={**HEADERS, **(headers or {})})
            what = Call(path, group, "WS OPEN", request.message, AGREED)
            if not headers:
                self._opening[path, group] = what
        return self._measure(what, self._upgrade, None, intended)

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
        upgrade = Upgrade(what.message)
        self._sent = True
        stream.send(upgrade.request)
        while not upgrade.feed(self._more()):
            pass
        if upgrade.status != UPGRADED:
            self._hear_out(upgrade)
            self._hang_up()
            is_of_edge = wants_a_certificate(upgrade.status, upgrade.rest)
            return Answer(upgrade.status, error=Reason.NO_CERTIFICATE if is_of_edge else Reason.UPGRADE)
        frames = Frames(self._most_bytes)
        self._messages = frames.feed(upgrade.rest)
        self._frames = frames
        return Answer(UPGRADED)

    def _hear_out(self, upgrade: Upgrade) -> None:
        """Take the body where it says who refused: it may come after the head, in a piece of its own."""
        with suppress(WireError, OSError):
            while upgrade.status == HTTPStatus.BAD_REQUEST and not upgrade.whole and self._size < MOST_HEAD:
                upgrade.feed(self._more())

    def _said(self, _: Call) -> Answer:
        frames = self._say(TEXT, self._message.encode())
        while True:
            kind, payload = self._next(frames)
            if kind in {TEXT, BINARY}:
                return Answer(UPGRADED, b"", payload)
            if kind == CLOSE:
                raise WireError(Reason.CLOSED, f"code {close_code(payload)}")
            if kind == PING and not frames.closed:
                self._say(PONG, payload)

    def _goodbye(self, _: Call) -> Answer:
        frames = self._say(CLOSE, NORMAL.to_bytes(2, "big"))
        while True:
            kind, payload = self._next(frames)
            if kind == CLOSE:
                if close_code(payload) != NORMAL:
                    raise WireError(Reason.MALFORMED, f"close code {close_code(payload)}")
                return Answer(UPGRADED)

    def _next(self, frames: Frames) -> Message:
        while not self._messages:
            self._messages = frames.feed(self._more())
        return self._messages.pop(0)

    def _more(self) -> bytes:
        assert self._stream is not None
        data = self._stream.receive()
        self._size += len(data)
        if self._size > 2 * self._most_bytes:
            raise WireError(Reason.TOO_BIG, "frames without end")
        if not data:
            raise WireError(Reason.TRUNCATED if self._size else Reason.CLOSED)
        return data

    def _answered(self) -> int:
        """Once it was agreed to, a WebSocket that fails is a wrong answer, not none."""
        return UPGRADED if self._frames is not None else 0

    def _same(self, answer: Answer) -> None:
        assert answer.text == self._message

    def _say(self, kind: int, payload: bytes) -> Frames:
        frames = self._frames
        if frames is None or self._stream is None or frames.closed:
            raise WireError(Reason.CLOSED, "the WebSocket is not open")
        self._sent = True
        self._stream.send(frame(kind, payload))
        return frames

    def _hang_up(self) -> None:
        super()._hang_up()
        self._frames = None
