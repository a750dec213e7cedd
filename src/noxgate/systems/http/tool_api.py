"""HTTP APIs of the tools that people watch, read only: GET with a token, JSON back, one line for all else."""

import json
import shlex
import ssl
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.http import ACCEPTED, reason, within
from noxgate.look.observation import Observation, Observe, Patience, exported, shortened
from noxgate.machine.late import late
from noxgate.machine.tls import trusting
from noxgate.systems.settings import Connection, Credential

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

MOST_BYTES = 20_000_000


class ToolApi:
    """One tool's API, for one check."""

    def __init__(
        self, name: str, url: str, token: Credential, connection: Connection, observe: Observe
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._token = token
        self._connection = connection
        self._observe = observe
        self._patience = Patience(name)

    def get(self, path: str, parameters: Mapping[str, str], show: str, in_words: Callable[[Any], str]) -> Any:
        """The document. Raises UnreachableError if it does not exist.

        `show` says what it is, for people, and `in_words` what it says.
        """
        repeat = self._curl(path, parameters)
        try:
            found = self._patience.run(lambda: self._get(path, parameters))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        try:
            said = in_words(found)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            said = f"another form: {json.dumps(found)}"
        self._observe(Observation(f"{show}: {shortened(said, 200)}", repeat))
        return found

    def conclude(self, said: str, path: str, parameters: Mapping[str, str]) -> None:
        """Say last what comes of several answers, with the request that it is about."""
        self._observe(Observation(shortened(said), self._curl(path, parameters)))

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        where = self._url + path
        try:
            with (
                httpx.Client(
                    verify=self._context,
                    follow_redirects=False,
                    timeout=httpx.Timeout(8, connect=5),
                    trust_env=not self._connection.direct,
                ) as client,
                client.stream("GET", where, params=dict(parameters), headers=self._headers()) as answer,
            ):
                content = within(answer, MOST_BYTES)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{where}: {reason(error)}") from None
        if content is None:
            raise UnreachableError(f"{where}: expected at most {MOST_BYTES} bytes, saw more")
        said = f"HTTP {answer.status_code}"
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN} or answer.is_redirect:
            hint = f"{self._token.role} under [credentials] names the variable with a token that may read"
            raise UnreachableError(f"{where}: expected an answer of {self._name}, saw {said} ({hint})")
        try:
            document = json.loads(content or b"")
        except (ValueError, RecursionError):
            document = None
        if answer.status_code != httpx.codes.OK or document is None:
            seen = shortened(content.decode("utf-8", "replace"), 120) or "an empty body"
            raise UnreachableError(f"{where}: expected an answer of {self._name}, saw {said}: {seen}")
        return document

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Whom to trust; read once for the many panels of a dashboard."""
        return trusting(self._connection.ca_file)

    def _headers(self) -> dict[str, str]:
        headers = {"user-agent": "noxgate", "accept": "application/json", **ACCEPTED}
        if self._token.variable is None:
            return headers
        parts = urlsplit(self._url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise UnreachableError(f"{self._url}: expected https, to send a token; saw {parts.scheme}")
        return headers | {"authorization": f"Bearer {self._token.secret().reveal()}"}

    def _curl(self, path: str, parameters: Mapping[str, str]) -> str:
        words = ["curl", "-sS"]
        if variable := self._token.variable:
            words.append(f'-H "Authorization: Bearer {exported(variable)}"')
        words += ["--get"] if parameters else []
        words.append(shlex.quote(self._url + path))
        words += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in parameters.items()]
        return " ".join(words)
