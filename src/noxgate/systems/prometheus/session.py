"""The connections to one target's Prometheus, and what is sent with each request."""

import base64
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.http import ACCEPTED
from noxgate.look.observation import Patience, exported
from noxgate.machine.late import late
from noxgate.machine.tls import trusting
from noxgate.systems.settings import PROMETHEUS_ROLES, PrometheusSettings

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

TOKEN = PROMETHEUS_ROLES[0]


class PrometheusSession:
    """The connections to one target's Prometheus, kept for a whole run."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._credential = settings.credential
        self.variable = None if settings.credential is None else settings.credential.variable
        self._ca_file = settings.connection.ca_file
        self.http = httpx.Client(
            verify=trusting(self._ca_file),
            follow_redirects=False,
            timeout=httpx.Timeout(8, connect=5),
            trust_env=not settings.connection.direct,
            headers={"user-agent": "noxgate", "accept": "application/json", **ACCEPTED},
        )
        self.patience = Patience("Prometheus")

    @property
    def url(self) -> str:
        """Where Prometheus is. Raises UnreachableError if the profile does not say."""
        if self._settings.url is None:
            raise UnreachableError(f"{self._settings.profile} names no prometheus_url")
        return self._settings.url.rstrip("/")

    def authorization(self) -> dict[str, str]:
        """The header with the token, or with user and password, where the profile names one of them."""
        if self._credential is None:
            return {}
        parts = urlsplit(self.url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise UnreachableError(
                f"{self.url}: expected https, to send ${self.variable}; saw {parts.scheme}"
            )
        value = self._credential.secret().reveal()
        if self._credential.role == TOKEN:
            return {"authorization": f"Bearer {value}"}
        if ":" not in value:
            raise UnreachableError(f"${self.variable}: expected USER:PASSWORD, saw no colon in it")
        return {"authorization": f"Basic {base64.b64encode(value.encode()).decode()}"}

    def curl(self, path: str, parameters: Mapping[str, str]) -> str:
        """The command that asks the same; the token is named, not shown."""
        words = ["curl", "-sS"]
        if self._ca_file and self.url.startswith("https:"):
            words += ["--cacert", shlex.quote(str(self._ca_file))]
        if self._credential is not None:
            value = exported(str(self.variable))
            words.append(
                f'-H "Authorization: Bearer {value}"' if self._credential.role == TOKEN else f'-u "{value}"'
            )
        words += [] if not parameters else ["--get"]
        words.append(shlex.quote(self.url + path))
        words += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in parameters.items()]
        return " ".join(words)

    def close(self) -> None:
        self.patience.close(self.http.close)
