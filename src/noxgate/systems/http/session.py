"""The HTTPS connections to a target's public host, shared by all who look at it."""

import re
import ssl
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from noxgate.look.http import ACCEPTED
from noxgate.look.observation import Patience
from noxgate.machine.late import late
from noxgate.machine.tls import HTTP1_AND_2, trusting
from noxgate.systems.http.addresses import Addresses, addresses
from noxgate.systems.settings import ApiSettings

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

# A TLS alert; or the SETTINGS with which such a server begins, read as HTTP/1.1. Both are offered then.
_HTTP2 = re.compile(r"no.application.protocol|illegal request line", re.IGNORECASE)


class _Offered(NamedTuple):
    context: ssl.SSLContext
    http2: bool


class ApiSession:
    """The connections to one target, kept for a whole run."""

    def __init__(self, settings: ApiSettings) -> None:
        connection = settings.connection
        self._ca_file = connection.ca_file
        self.context = trusting(self._ca_file)
        parts = urlsplit(settings.base_url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        # a proxy may lie between us and a target, never before loopback
        self._proxied = not connection.direct and "https" in getproxies() and not proxy_bypass(self._host)
        self._trusts_environment = not connection.direct
        self._offered = _Offered(self.context, http2=False)
        self._deciding = threading.Lock()
        self._before: httpx.Client | None = None
        self.http = self._client(trust_env=self._trusts_environment)
        self.patience = Patience(settings.base_url)
        self._plain = Patience(settings.plain_url)

    def patience_with(self, url: str) -> Patience:
        """What is left for whoever listens there: behind port 80 somebody may be well who redirects."""
        return (
            self._plain
            if self._plain.address and url.startswith(f"{self._plain.address}/")
            else self.patience
        )

    def addresses(self) -> Addresses:
        """Those of the target's host, as they are now; through a proxy it is the proxy that knows them."""
        if self._proxied:
            return Addresses((self._host,))
        return self.patience.run(lambda: addresses(self._host, self._port))  # a name server may be slow

    def speaks_http2_alone(self, error: Exception) -> bool:
        """Whether this is how such a server refuses HTTP/1.1: from then on HTTP/2 is spoken with it."""
        if not _HTTP2.search(str(error)):
            return False
        with self._deciding:  # several looks may find out at once
            if not self.http2:
                self._before = self.http
                self._offered = _Offered(trusting(self._ca_file, HTTP1_AND_2), http2=True)
                self.http = self._client(trust_env=self._trusts_environment)
        return True

    @property
    def http2(self) -> bool:
        """Whether HTTP/2 is offered."""
        return self._offered.http2

    def own(self) -> "httpx.Client":
        """A client for one look alone, to be closed after it.

        A load balancer may hand round connections, not requests, and looks over HTTP/2 would share one.
        """
        return self._client(trust_env=self._proxied)

    def close(self) -> None:
        self.patience.close(lambda: self._plain.close(self._close))

    def _close(self) -> None:
        self.http.close()
        if self._before is not None:
            self._before.close()

    def _client(self, *, trust_env: bool) -> "httpx.Client":
        offered = self._offered  # at once: another look may find out meanwhile
        made = httpx.Client(
            verify=offered.context,
            http2=offered.http2,
            follow_redirects=False,
            timeout=httpx.Timeout(8, connect=5),
            headers={"user-agent": "noxgate", **ACCEPTED},
            trust_env=trust_env,
        )
        # every look is a stranger's: no cookie is kept, by which a balancer may stay with one pod
        made.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        return made
