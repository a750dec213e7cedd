"""Links that people will need tonight, and whether anybody answers there."""

import shlex
import ssl
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, Patience, shortened
from noxgate.machine.late import late
from noxgate.machine.tls import settled
from noxgate.systems.settings import Connection

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

MOST_HOPS = 20
_SHUT = {401, 403}  # somebody is there, and asks who we are


class Links:
    """Asks each address once, as a browser would."""

    def __init__(self, connection: Connection, observe: Observe) -> None:
        self._connection = connection
        self._observe = observe

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Public ones, this machine's own and the profile's: a wiki may be anybody's."""
        context = settled(httpx.create_ssl_context(trust_env=False))
        context.load_default_certs()
        if self._connection.ca_file:
            context.load_verify_locations(self._connection.ca_file)
        return context

    def problem(self, url: str) -> str | None:
        """None if somebody answers, if only to ask for a sign-in; else what was seen. Never raises."""
        shown = _shown(url)
        patience = Patience(shown)
        repeat = f"curl -sSIL {shlex.quote(shown)}"
        try:
            status = patience.run(lambda: self._ask(url))
        except UnreachableError as error:
            self._observe(Observation(f"no answer: {error}", repeat))
            return str(error)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,
            ValueError,
        ) as error:  # a host too long for a name
            self._observe(Observation(f"no answer: {shortened(str(error))}", repeat))
            return shortened(str(error)) or type(error).__name__
        self._observe(Observation(f"HTTP {status}", repeat))
        return None if status < 400 or status in _SHUT else f"HTTP {status}"  # noqa: PLR2004

    def _ask(self, url: str) -> int:
        """Follow it to its end; what an answer says beside its status is not read, and may have no end."""
        proxies = not self._connection.direct
        with httpx.Client(verify=self._context, timeout=8, trust_env=proxies) as client:
            asked = client.build_request("GET", url, headers={"user-agent": "noxgate"})
            for _ in range(MOST_HOPS + 1):
                answer = client.send(asked, stream=True)
                answer.close()
                if answer.next_request is None:
                    return answer.status_code
                asked = answer.next_request
        raise httpx.TooManyRedirects(f"expected at most {MOST_HOPS} redirects, saw more", request=asked)


def _shown(url: str) -> str:
    """An address for a report: before an @, after a ? or a # there may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is not valid"
    more = "?…" if parts.query or parts.fragment else ""
    return shortened(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{more}", 200)
