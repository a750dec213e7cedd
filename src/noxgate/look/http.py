"""An HTTP answer as checks read it, and why it is missing."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from noxgate.look.documents import is_too_deep
from noxgate.look.observation import shortened
from noxgate.machine.late import late
from noxgate.machine.tls import trusting

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

T = TypeVar("T")
MOST_BYTES = 5_000_000  # of one answer
LONGEST = 10.0  # seconds for one step of an answer
# All that is asked for: of what else is installed here (brotli comes with Locust), httpx would ask for it,
# and unpack each piece of it whole.
ACCEPTED = {"accept-encoding": "gzip"}
_NONE = object()  # no document
# What OpenSSL says of a server that speaks no TLS.
_MEANS = {
    "wrong version number": "what answers there is not TLS",
    "record layer failure": "what answers there is not TLS",
    "EOF occurred in violation of protocol": "closed before an answer in TLS",
}
_WORD = re.compile(r"[A-Z][a-z/'-]*(?![\w/])")  # of small letters after its first: neither EOF nor HTTP/2
NAMES = {"Grafana", "Kubernetes", "Prometheus", "Python", "Redis", "Sentry"}
NO_CERTIFICATE = "expects a client's certificate, and the gate has none"
_ZIPPED = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # what zlib calls a window


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Header names are lower case; `values` keeps repeated headers apart."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    values: Mapping[str, Sequence[str]] = field(repr=False)
    text: str
    seconds: float = field(default=0, repr=False)
    content: bytes = field(default=b"", repr=False)  # as it came, where text may have lost bytes of it

    def json(self) -> Any:
        """The parsed body.

        Raises AssertionError if it is not JSON (NaN, Infinity and a key twice are not).
        """
        try:
            document = json.loads(self.text, parse_constant=_not_json, object_pairs_hook=self._object)
        except (ValueError, RecursionError):
            document = _NONE
        if document is _NONE or is_too_deep(document):
            raise AssertionError(f"expected JSON, saw {shortened(self.text) or 'an empty body'}")
        return document

    def field(self, name: str, kind: type[T]) -> T:
        """One field of a JSON object. Raises AssertionError if it is absent or of another kind."""
        document = self.json()
        value = document.get(name) if isinstance(document, dict) else None
        expected = f"expected a JSON object with {name!r} as {kind.__name__}"
        assert isinstance(value, kind), f"{expected}, saw {shortened(self.text)}"
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), f"expected each key once, saw {shortened(self.text)}"
        return found


def asked(url: str, ca_file: Path | None, *, proxies: bool) -> Answer:
    """What GET is answered, on a connection of its own; ConnectionError says why nothing was."""
    try:
        context = trusting(ca_file)  # this machine's own without one, as elsewhere
        with (
            httpx.Client(verify=context, timeout=LONGEST, trust_env=proxies) as client,
            client.stream("GET", url, headers=ACCEPTED) as response,
        ):
            content = within(response, MOST_BYTES)
    except (httpx.HTTPError, OSError) as error:
        raise ConnectionError(reason(error)) from None
    if content is None:
        raise ConnectionError(f"more than {MOST_BYTES} bytes")
    return Answer(response.status_code, {}, {}, content.decode("utf-8", "replace"))


def within(response: "httpx.Response", most: int) -> bytes | None:
    """The body of a streamed answer, unpacked; None if either is more than `most` bytes.

    No more than that is ever held: a small answer may unpack to gigabytes, and one piece of it alone to many.
    """
    packed = bytearray()
    for chunk in response.iter_raw():
        packed += chunk
        if len(packed) > most:
            return None
    body = bytes(packed)
    named = response.headers.get("content-encoding", "").lower().split(",")
    for coding in (each.strip() for each in reversed(named)):
        if coding in {"", "identity"}:
            continue
        if coding not in _ZIPPED:
            raise httpx.DecodingError(
                f"expected gzip or nothing, saw an answer encoded as {shortened(coding, 40)}"
            )
        body = _unzipped(body, _ZIPPED[coding], most)
        if len(body) > most:
            return None
    return body


def wants_a_certificate(status: int, content: bytes) -> bool:
    """Whether this is nginx's answer to a client without the certificate that its edge asks for.

    Other edges end the handshake: `asks_for_a_certificate`.
    """
    return status == HTTPStatus.BAD_REQUEST and b"No required SSL certificate was sent" in content


def asks_for_a_certificate(error: BaseException) -> bool:
    """Whether an edge ended TLS for want of a client's certificate, for which TLS 1.3 has an alert."""
    return "CERTIFICATE_REQUIRED" in str(getattr(error, "reason", None) or error).upper().replace(" ", "_")


def reason(error: BaseException) -> str:
    """Say in a few plain words why a connection failed, without addresses of the code that noticed."""
    if asks_for_a_certificate(error):
        return NO_CERTIFICATE
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "timed out"
    text = re.sub(r"\[Errno -?\d+\] |\[SSL: \w+\] |\s*\(_ssl\.c:\d+\)", "", str(error)).strip()
    text = text or type(error).__name__
    means = next((said for words, said in _MEANS.items() if text.endswith(words)), "")
    return f"{continued(text)} ({means})" if means else continued(text)


def continued(text: str) -> str:
    """A sentence after a colon: its first word begins small, unless it is an abbreviation or a name."""
    word = _WORD.match(text)
    return text if word is None or word[0] in NAMES else text[0].lower() + text[1:]


def _unzipped(packed: bytes, window: int, most: int) -> bytes:
    """At most one byte more than `most`."""
    whole = b""
    try:
        while packed and len(whole) <= most:  # a gzip file may have several members
            unzip = zlib.decompressobj(wbits=window)
            whole += unzip.decompress(packed, most + 1 - len(whole))
            if len(whole) <= most and not unzip.eof:
                raise httpx.DecodingError("expected a whole answer, saw one that is packed and cut short")
            packed = unzip.unused_data
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from None
    return whole


def _not_json(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
