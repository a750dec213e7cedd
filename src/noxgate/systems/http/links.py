"""Links that people will need tonight, and whether anybody answers there."""

import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, Patience, shortened
from noxgate.machine.late import late
from noxgate.project.target import Target

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

_SHUT = {401, 403}  # somebody is there, and asks who we are


class Links:
    """Asks each address once, as a browser would."""

    def __init__(self, target: Target, observe: Observe) -> None:
        self._target = target
        self._observe = observe

    def problem(self, url: str) -> str | None:
        """None where somebody answers, if only to ask for a sign-in; else what was seen. Never raises."""
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
        with (
            httpx.Client(follow_redirects=True, timeout=8, trust_env=not self._target.rehearsal) as client,
            client.stream("GET", url, headers={"user-agent": "noxgate"}) as answer,
        ):
            return answer.status_code


def _shown(url: str) -> str:
    """An address for a report: before an @, after a ? or a # there may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    more = "?…" if parts.query or parts.fragment else ""
    return shortened(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{more}", 200)
