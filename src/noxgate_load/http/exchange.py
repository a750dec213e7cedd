"""HTTP/1.1 as bytes: a request that is encoded once, and the reading of its answer (llhttp)."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from noxgate_load.http.endpoint import Endpoint
from noxgate_load.http.heads import Heads
from noxgate_load.samples import Reason, WireError

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
MOST_HEAD = 65_536
SUCCESS = range(200, 300)
REDIRECTS = range(300, 400)
END_OF_HEAD = b"\r\n\r\n"
_decoder: Any = json.JSONDecoder()
_scanned, _parsed = _decoder.scan_once, _decoder.decode


@dataclass(frozen=True, slots=True)
class Call:
    """A request, ready to be sent any number of times."""

    name: str  # what its samples are called: /jobs/{id}, not /jobs/7
    group: str  # the class that a limit is for
    method: str
    message: bytes = field(repr=False)  # may hold a token
    expected: frozenset[int] = frozenset(SUCCESS)


def call(
    endpoint: Endpoint,
    method: str,
    path: str,
    *,
    group: str = "",
    name: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    expected: frozenset[int] = frozenset(SUCCESS),
) -> Call:
    """Encode a request."""
    lines = {
        "host": endpoint.authority,
        "user-agent": "noxgate",
        "accept-encoding": "gzip",
        **(headers or {}),
    }
    if body is not None:
        lines = {"content-type": "application/json", **lines, "content-length": str(len(body))}
    start = f"{method} {endpoint.prefix}{path}"
    text = f"{start} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in lines.items())
    if len(text.splitlines()) != len(lines) + 1 or len(start.split()) != 2:  # noqa: PLR2004
        raise ValueError(f"expected no line break or space in path and headers of {method} {group or name}")
    message = text.encode("latin-1") + b"\r\n" + (body or b"")
    return Call(name or path.partition("?")[0], group, method, message, expected)


@dataclass(slots=True)
class Answer:
    """What came back. `status` is 0 where nothing did; `error` is empty if all was as expected."""

    status: int = 0
    head: bytes = field(default=b"", repr=False)
    body: bytes = field(default=b"", repr=False)
    error: Reason = Reason.NONE

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The parsed body. Raises ValueError if it is not JSON."""
        text = self.body.decode()
        try:
            document, end = _scanned(text, 0)
        except StopIteration:  # it begins with a space, or with nothing that is JSON
            return _parsed(text)
        return document if end == len(text) else _parsed(text)

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return _header(self.head, name.lower().encode())


class Reader:
    """Reads the answers of one connection, one after the other."""

    __slots__ = (
        "_heads",
        "_interim",
        "_most",
        "_parser",
        "_parts",
        "_raw",
        "_to_head",
        "_whole",
        "keep",
        "size",
        "status",
    )

    def __init__(self, most_bytes: int, heads: Heads) -> None:
        self._most = most_bytes
        self._heads = heads
        self._parser = HttpResponseParser(self)
        self.begin(to_head=False)

    def begin(self, *, to_head: bool) -> None:
        """Expect an answer; one `to_head` has no body, even if its head says so."""
        self._to_head = to_head
        self._raw = b""
        self._parts: list[bytes] = []
        self._whole = False
        self._interim = 0
        self.keep = False
        self.size = 0
        self.status = 0

    def feed(self, data: bytes) -> bool:
        """Take bytes; True when the answer is whole."""
        if not self.status:
            self._raw += data
        self.size += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise WireError(Reason.MALFORMED, "an upgrade that nobody asked for") from None
        except HttpParserError as error:
            if isinstance(error.__context__, WireError):
                raise error.__context__ from None
            raise WireError(Reason.SURPLUS if self._whole else Reason.MALFORMED, str(error)) from None
        if not self.status and len(self._raw) > MOST_HEAD:
            raise WireError(Reason.MALFORMED, "a head without end")
        return self._whole

    def end(self, *, whole_end: bool) -> None:
        """Take the end of the connection: it ends an answer of unsaid length, and cuts any other."""
        if not self._raw:
            raise WireError(Reason.CLOSED)
        if not self.status or not whole_end:
            raise WireError(Reason.TRUNCATED)
        head = self._head()
        coding = (_header(head, b"transfer-encoding") or "").lower()
        if _header(head, b"content-length") is not None or coding.endswith("chunked"):
            raise WireError(Reason.TRUNCATED)

    def answer(self) -> Answer:
        """The answer, its body decoded."""
        head = self._head()
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if b"ncoding:" in head or b"NCODING:" in head:
            transfer = (_header(head, b"transfer-encoding") or "chunked").lower()
            content = (_header(head, b"content-encoding") or "identity").lower()
            if transfer != "chunked" or content not in {"identity", "gzip", "x-gzip"}:
                raise WireError(Reason.ENCODING, f"{transfer}, {content}")
            if content != "identity" and body:
                body = _unzipped(body, self._most)
        elif self.keep and not self._to_head and self._raw[: len(head)] == head:
            said = _header(head, b"content-length")
            if said is not None and said.isdecimal() and int(said) == len(body):
                self._heads.learn(self.status, head, len(body))
        return Answer(self.status, head, body)

    def _head(self) -> bytes:
        raw = self._raw
        if not self._interim and raw[:2] != b"\r\n":
            head, found, _ = raw.partition(END_OF_HEAD)
            if found:
                return head
        raw = raw.lstrip(b"\r\n")
        start = 0
        try:
            for _ in range(self._interim):
                start = raw.index(END_OF_HEAD, start) + len(END_OF_HEAD)
            return raw[start : raw.index(END_OF_HEAD, start)]
        except ValueError:
            raise WireError(Reason.MALFORMED, "a head with odd line ends") from None

    # What llhttp calls.

    def on_message_begin(self) -> None:
        if self._whole:
            raise WireError(Reason.SURPLUS, "a second answer")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < SUCCESS.start:
            self._interim += 1
            return
        self.status = status
        if self._to_head:
            self._whole = True
            self.keep = self._parser.should_keep_alive()
            self._parser = HttpResponseParser(self)  # the old one waits for a body

    def on_body(self, data: bytes) -> None:
        if self._whole:
            raise WireError(Reason.SURPLUS, "a body after HEAD")
        self._parts.append(data)
        if self.size > self._most and sum(map(len, self._parts)) > self._most:
            self._parts.clear()  # each user keeps its reader for as long as it thinks
            raise WireError(Reason.TOO_BIG, f"more than {self._most} bytes")

    def on_message_complete(self) -> None:
        if self.status and not self._to_head:
            self._whole = True
            self.keep = self._parser.should_keep_alive()


def _header(head: bytes, name: bytes) -> str | None:
    start = head.lower().find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip().decode("latin-1")


def _unzipped(body: bytes, most: int) -> bytes:
    whole = b""
    try:
        while body:  # a gzip file may have several members
            unzip = zlib.decompressobj(wbits=31)
            whole += unzip.decompress(body, most + 1 - len(whole))
            if len(whole) > most:
                raise WireError(Reason.TOO_BIG, f"more than {most} bytes, unzipped")
            if not unzip.eof:
                raise WireError(Reason.ENCODING, "gzip that is cut short")
            body = unzip.unused_data
    except zlib.error as error:
        raise WireError(Reason.ENCODING, str(error)) from None
    return whole
