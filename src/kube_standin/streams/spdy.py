"""SPDY/3.1 frames, as far as kubectl's port-forward uses them: streams with headers, data, pings."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CONTROL = 0x8000
VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 0x01
HEAD = 8  # bytes before each frame's payload
LARGEST_DATA = 32 * 1024

# The words that SPDY/3's header compression starts from, each with its length before it, then its last text
_WORDS = """
    options head post put delete trace accept accept-charset accept-encoding accept-language
    accept-ranges age allow authorization cache-control connection content-base content-encoding
    content-language content-length content-location content-md5 content-range content-type date etag
    expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since
    last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer
    retry-after server te trailer transfer-encoding upgrade user-agent vary via warning
    www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive
    origin
"""
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
_DICTIONARY_WORDS = [word.replace("_", " ").encode() for word in _WORDS.split()]  # one has a space in it
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word for word in _DICTIONARY_WORDS) + _TEXT.encode()


@dataclass(frozen=True)
class Frame:
    """One frame. `kind` is 0 for data; `stream` is 0 for frames about the connection."""

    kind: int
    stream: int = 0
    fin: bool = False
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Codec:
    """One connection's two directions: header compression has a memory."""

    def __init__(self) -> None:
        self._buffer = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Raises ValueError if they make no sense."""
        self._buffer += data
        while len(self._buffer) >= HEAD:
            length = int.from_bytes(self._buffer[5:8], "big")
            if len(self._buffer) < HEAD + length:
                return
            head, payload = self._buffer[:HEAD], self._buffer[HEAD : HEAD + length]
            self._buffer = self._buffer[HEAD + length :]
            yield self._frame(head, payload)

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """Data of a stream, in as many frames as it takes; `fin` ends this direction."""
        chunks = [data[at : at + LARGEST_DATA] for at in range(0, len(data), LARGEST_DATA)] or [b""]
        last = len(chunks) - 1
        return b"".join(
            struct.pack(">II", stream, (FIN if fin and at == last else 0) << 24 | len(chunk)) + chunk
            for at, chunk in enumerate(chunks)
        )

    def reply(self, stream: int) -> bytes:
        """Accept a stream."""
        return self._control(SYN_REPLY, struct.pack(">I", stream) + self._packed({}))

    def open(self, stream: int, headers: Mapping[str, str]) -> bytes:
        """Begin a stream."""
        head = struct.pack(">IIH", stream, 0, 0)
        return self._control(SYN_STREAM, head + self._packed(headers))

    def reset(self, stream: int, status: int = 5) -> bytes:
        """Break a stream off."""
        return self._control(RST_STREAM, struct.pack(">II", stream, status))

    def ping(self, number: bytes) -> bytes:
        """Answer a ping with the number that it carried."""
        return self._control(PING, number)

    def _frame(self, head: bytes, payload: bytes) -> Frame:
        first, second, flags = struct.unpack(">HHB", head[:5])
        fin = bool(flags & FIN)
        if not first & CONTROL:
            return Frame(0, int.from_bytes(head[:4], "big"), fin, payload)
        if first & ~CONTROL != VERSION:
            raise ValueError(f"SPDY version {first & ~CONTROL}")
        stream = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        match second:
            case 1:
                return Frame(SYN_STREAM, stream, fin, headers=self._unpacked(payload[10:]))
            case 2 | 8:
                return Frame(second, stream, fin, headers=self._unpacked(payload[4:]))
            case 6:
                return Frame(PING, data=payload)
            case _:
                return Frame(second, stream if second == RST_STREAM else 0)

    def _control(self, kind: int, payload: bytes) -> bytes:
        return struct.pack(">HHI", CONTROL | VERSION, kind, len(payload)) + payload

    def _packed(self, headers: Mapping[str, str]) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                block += struct.pack(">I", len(text)) + text
        return self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def _unpacked(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block)
            texts = list(_texts(plain))
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise ValueError(f"SPDY headers: {error}") from None
        return dict(zip(texts[::2], texts[1::2], strict=False))


def _texts(plain: bytes) -> Iterator[str]:
    (count,) = struct.unpack_from(">I", plain)
    at = 4
    for _ in range(2 * count):
        (length,) = struct.unpack_from(">I", plain, at)
        yield plain[at + 4 : at + 4 + length].decode()
        at += 4 + length
