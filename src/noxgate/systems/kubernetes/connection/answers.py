"""What an API server answers, and why it did not, in one line."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from noxgate.errors import UnreachableError
from noxgate.look.documents import of_json
from noxgate.look.observation import shortened
from noxgate.machine.late import late

if TYPE_CHECKING:
    import urllib3
else:
    urllib3 = late("urllib3")

READ = 8  # seconds
MOST_BYTES = 50_000_000
PIECE = 65_536
# How API servers refuse to apply a field that they do not know: as an error of their own, a 500.
UNTYPED = "failed to create typed patch object"
# what is refused is quoted whole, with all of its last-applied note, before the words that say why
_QUOTED = re.compile(r'Invalid value: "map\[.*": (?=\w)', re.DOTALL)


@dataclass(frozen=True)
class KubeAnswer:
    """What the API server answered: the HTTP status, the JSON document, and what it warns of."""

    status: int
    document: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The server's own words about a request that it refused."""
        said = str(self.document.get("message") or self.document.get("reason") or "no reason given")
        return shortened(_QUOTED.sub("", said))


@dataclass(frozen=True)
class Raw:
    """What is not a document of the API's own: a log, or what a pod answered. `whole`: not cut off."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    whole: bool = True

    @property
    def message(self) -> str:
        """What the API server itself says about a request that it refused."""
        try:
            document = of_json(self.content)
        except (ValueError, RecursionError):
            document = None
        said = document.get("message") if isinstance(document, dict) else None
        words = str(said or self.content.decode("utf-8", "replace") or "no reason given")
        return shortened(_QUOTED.sub("", words))


def whole(where: str, answer: Any) -> bytearray:
    """The body, in pieces: of one read at once urllib3 holds several copies.

    Raises UnreachableError if it is too long. The error must not hold it: a traceback stays for long.
    """
    text = bytearray()
    while len(text) <= MOST_BYTES and (piece := answer.read(PIECE)):
        text += piece
    if len(text) > MOST_BYTES:
        answer.close()  # others must not read the rest
        text.clear()
        raise UnreachableError(f"{where}: expected an answer of at most {MOST_BYTES} bytes, saw more")
    return text


def document_of(where: str, status: int, text: bytes | bytearray) -> Mapping[str, Any]:
    try:
        document = of_json(text)
    except (ValueError, RecursionError):
        document = None
    if status == HTTPStatus.NOT_FOUND and text.strip() == b"404 page not found":  # a group that is not served
        return {"kind": "Status", "message": "404 page not found"}
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        seen = shortened(text.decode(errors="replace"), 80) or "nothing"
        raise UnreachableError(f"{where}: expected a Kubernetes object in JSON, saw HTTP {status}: {seen}")
    if status == HTTPStatus.UNAUTHORIZED:
        raise UnreachableError(f"{where}: 401: the credential of this context is not known: sign in again")
    message = str(document.get("message"))
    is_unwell = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_unwell and not message.startswith(UNTYPED):
        raise UnreachableError(f"{where}: {status}: {shortened(message)}")
    return document


def warned(header: str) -> tuple[str, ...]:
    """Each text of `299 - "text"`; several headers are one, with commas between."""
    found = re.findall(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"', header)
    return tuple(dict.fromkeys(shortened(re.sub(r"\\(.)", r"\1", text), 400) for text in found))


def refusal(error: BaseException) -> str:
    """Why the stream was refused: the official client hands on the answer with its headers, as text."""
    text = str(getattr(error, "reason", None) or error)
    status = re.match(r"Handshake status (\d+)", text)
    said = re.search(r'"message":\s*"((?:[^"\\]|\\.)*)"', text)
    if status is None:
        return shortened(text, 200)
    role = " (the role of docs/roles/look.yaml lets it)" if status[1] == "403" else ""
    message = of_json(f'"{said[1]}"') if said else "refused"
    return f"{status[1]}{role}: {shortened(message, 200)}"


def reason(error: BaseException) -> str:
    """One line of what went wrong below HTTP."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, urllib3.exceptions.NewConnectionError) and "refused" in str(cause):
            return "connection refused"
        if isinstance(cause, urllib3.exceptions.TimeoutError | TimeoutError):
            return f"no answer in {READ} s"
        cause = cause.__cause__ or cause.__context__
    text = getattr(error, "reason", None) or str(error) or type(error).__name__
    return shortened(str(text), 200)
