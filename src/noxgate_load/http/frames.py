"""WebSocket as bytes, for a client (RFC 6455): the upgrade and its answer, frames there and back.

Of the protocol this is all that a load test needs: no extension, no subprotocol, one frame for each message
that is sent. What comes is held to every rule of the standard.
"""

import hashlib
import os
import struct
from binascii import b2a_base64

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from noxgate_load.samples import Reason, WireError

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
UPGRADED = 101
MOST_HEAD = 65_536
NORMAL = 1000  # the code of a close that nothing was wrong with
HEADERS = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13"}

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FINAL, _RESERVED, _KIND, _MASKED = 0x80, 0x70, 0x0F, 0x80
_SHORT, _TWO_BYTES, _LONG = 125, 126, 127  # lengths: as such, in the two bytes that follow, in eight
_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))  # that a close may have

Message = tuple[int, bytes]  # its kind, and what it says: of a close the code and the reason


class Upgrade:
    """One upgrade. `status` is what was answered, and 0 until then; `rest` are bytes after a 101's head.

    Of a refusal `rest` is as much of its body as came, and `whole` says whether that is all of it.
    """

    def __init__(self, head: bytes) -> None:
        """`head` is a request with HEADERS, encoded; this upgrade's own key is put at its end."""
        self._key = b2a_base64(os.urandom(16), newline=False)
        self.request = b"%bsec-websocket-key: %b\r\n\r\n" % (head[:-2], self._key)
        self.status = 0
        self.rest = b""
        self.whole = False
        self._parser = HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._size = 0

    def feed(self, data: bytes) -> int:
        """Take bytes; the status as soon as it is known.

        Raises WireError if a 101 does not answer this key.
        """
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._agree()
            self.rest = data[upgrade.args[0] :]
        except HttpParserError as error:
            if self.status in {0, UPGRADED}:  # of a refusal the head is enough
                raise WireError(Reason.MALFORMED, str(error)) from None
            self.whole = True  # as far as it can be read
        else:
            if self.status == UPGRADED:
                raise WireError(Reason.MALFORMED, "101 without the headers of an upgrade")
        if not self.status and self._size > MOST_HEAD:
            raise WireError(Reason.MALFORMED, "a head without end")
        return self.status

    def _agree(self) -> None:
        found = dict(self._headers)
        if found.get(b"upgrade", b"").lower() != b"websocket":
            raise WireError(Reason.MALFORMED, "an upgrade to something else")
        digest = hashlib.sha1(self._key + _GUID, usedforsecurity=False).digest()
        if found.get(b"sec-websocket-accept") != b2a_base64(digest, newline=False):
            raise WireError(Reason.MALFORMED, "sec-websocket-accept is not of this key")
        for name in (b"sec-websocket-extensions", b"sec-websocket-protocol"):
            if found.get(name):
                raise WireError(Reason.MALFORMED, f"{name.decode()} that nobody asked for")

    # What llhttp calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value.strip()))

    def on_body(self, data: bytes) -> None:
        self.rest += data

    def on_message_complete(self) -> None:
        self.whole = self.status != 0

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 or status == UPGRADED:  # noqa: PLR2004 (others announce the answer)
            self.status = self.status or status
        else:
            self._headers.clear()


class Frames:
    """What a server sends after its 101. Once its close has come (`closed`) nothing that follows counts."""

    __slots__ = ("_data", "_kind", "_most", "_parts", "_size", "closed")

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._data = bytearray()
        self._kind = 0  # of the message that has begun
        self._parts: list[bytes] = []
        self._size = 0
        self.closed = False

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes; the messages and control frames that are whole now."""
        buffer = self._data
        buffer += data
        found: list[Message] = []
        start, end = 0, len(buffer)
        while end - start >= 2 and not self.closed:  # noqa: PLR2004 (a frame's shortest head)
            first, size = buffer[start], buffer[start + 1]
            body = start + 2
            if size > _SHORT:
                body, size = _long(buffer, start, size)
                if body > end:
                    break
            self._allow(first, size)
            if end - body < size:
                break
            start = body + size
            self._take(first, bytes(buffer[body:start]), found)
        del buffer[:start]
        return found

    def _allow(self, first: int, size: int) -> None:
        """What can be said of a frame before all of it has come."""
        kind = first & _KIND
        if first & _RESERVED:
            raise WireError(Reason.MALFORMED, "a reserved bit is set")
        if kind in {CLOSE, PING, PONG}:
            if not first & _FINAL or size > _SHORT:
                raise WireError(Reason.MALFORMED, "a control frame in pieces, or of more than 125 bytes")
            return
        if kind > BINARY:
            raise WireError(Reason.MALFORMED, f"a frame of the kind {kind}")
        if (kind == 0) != bool(self._kind):
            raise WireError(Reason.MALFORMED, "pieces of a message in no order")
        if self._size + size > self._most:
            raise WireError(Reason.TOO_BIG, f"more than {self._most} bytes")

    def _take(self, first: int, payload: bytes, found: list[Message]) -> None:
        kind = first & _KIND
        if kind == CLOSE:
            _check_close(payload)
            self.closed = True
        elif kind <= BINARY:
            if not first & _FINAL or kind == 0:
                self._kind = self._kind or kind
                self._parts.append(payload)
                self._size += len(payload)
                if not first & _FINAL:
                    return
                kind, payload = self._kind, b"".join(self._parts)
                self._kind, self._parts, self._size = 0, [], 0
            if kind == TEXT:
                _check_text(payload)
        found.append((kind, payload))


def frame(kind: int, payload: bytes) -> bytes:
    """One frame as clients send it: masked, its length in the fewest bytes."""
    size = len(payload)
    if size <= _SHORT:
        head = bytes((_FINAL | kind, _MASKED | size))
    elif size < 1 << 16:
        head = struct.pack(">BBH", _FINAL | kind, _MASKED | _TWO_BYTES, size)
    else:
        head = struct.pack(">BBQ", _FINAL | kind, _MASKED | _LONG, size)
    key = os.urandom(4)
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    return head + key + (int.from_bytes(payload, "little") ^ mask).to_bytes(size, "little")


def close_code(payload: bytes) -> int:
    """The code of a close; 1005 without one, as the standard has it."""
    return int.from_bytes(payload[:2], "big") if payload else 1005


def _long(buffer: bytearray, start: int, size: int) -> tuple[int, int]:
    """Where the body of a frame begins, and its size, where its second byte does not say that."""
    if size & _MASKED:
        raise WireError(Reason.MALFORMED, "a masked frame")
    body = start + (4 if size == _TWO_BYTES else 10)
    if body > len(buffer):
        return body, 0
    size, shortest = int.from_bytes(buffer[start + 2 : body], "big"), 126 if size == _TWO_BYTES else 1 << 16
    if not shortest <= size < 1 << 63:
        raise WireError(Reason.MALFORMED, "a length in more bytes than it needs")
    return body, size


def _check_close(payload: bytes) -> None:
    code = close_code(payload)
    if payload and (len(payload) == 1 or not any(code in codes for codes in _CODES)):
        raise WireError(Reason.MALFORMED, f"a close with the code {code}")
    _check_text(payload[2:])


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise WireError(Reason.MALFORMED, f"text that is not UTF-8: {error.reason}") from None
