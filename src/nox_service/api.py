"""The NOX API over HTTPS: GET, the two idempotent science requests, and nothing else."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from nox_service.access.asking import Ask, ask, rooted
from nox_service.access.closed_list import SCIENCE
from nox_service.access.tokens import REFUSED, Who
from noxgate.errors import UnreachableError
from noxgate.look.http import (
    MOST_BYTES,
    NO_CERTIFICATE,
    Answer,
    reason,
    wants_a_certificate,
    within,
)
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.machine.late import late
from noxgate.systems.http.addresses import addresses, bracketed, in_turn, is_open
from noxgate.systems.http.session import ApiSession
from noxgate.systems.settings import ApiSettings

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

# Looks at one path: more than there are pods behind the ingress, which hands requests round. One broken pod
# of three answers a third of the users, and one look alone would miss it twice out of three times.
LOOKS = 8


class Asks(Protocol):
    """Who may be asked: the public host, or one pod."""

    def get(self, path: str, *, who: Who | None = None) -> Answer:
        """GET `path`."""
        ...

    def at_each_pod(self, path: str, *, who: Who | None = None) -> list[Answer]:
        """GET `path` of each pod: as often as it takes, where pods cannot be told apart."""
        ...

    def post(self, path: str, body: object, *, who: Who | None = None) -> Answer:
        """POST one of the science requests."""
        ...


class ApiClient:
    """Looks at the API for one check and records what it saw."""

    def __init__(self, settings: ApiSettings, session: ApiSession, observe: Observe) -> None:
        self._settings = settings
        self._session = session
        self._observe = observe

    def get(
        self,
        path: str,
        *,
        who: Who | None = None,
        show: Sequence[str] = (),
        origin: str = "",
        accept: str = "",
    ) -> Answer:
        """GET `path`; redirects are not followed. `show` records these headers in place of the body.

        With an `origin` as a browser asks that has a page of there open; `accept` is what is understood.
        """
        url = self._settings.base_url + rooted(path)
        return self._send("GET", url, who=who, show=show, sent={"Origin": origin, "Accept": accept})

    def get_often(self, path: str, *, who: Who | None = None, times: int = LOOKS) -> list[Answer]:
        """GET `path` so many times, so that each pod behind the ingress has answered.

        Each look has a connection of its own, to the addresses of the host in turn.
        """
        url = self._settings.base_url + rooted(path)
        try:
            places = self._session.addresses()
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", self.command(path)))
            raise
        return in_turn(places, lambda address: self._send("GET", url, who=who, address=address), times)

    def command(self, path: str, *, who: Who | None = None) -> str:
        """The command that asks for `path` once."""
        return ask(self._settings, "GET", self._settings.base_url + rooted(path), who=who).command

    def at_each_pod(self, path: str, *, who: Who | None = None) -> list[Answer]:
        """GET `path` so often that each pod has answered."""
        return self.sample(path, LOOKS, who=who)

    def sample(self, path: str, times: int, *, who: Who | None = None) -> list[Answer]:
        """GET `path` so many times, each over a connection of its own, recorded as one look.

        Raises UnreachableError if the first look gets no answer. Raises AssertionError if one of several
        addresses, or a later look, gets no answer: users see that.
        """
        url = self._settings.base_url + rooted(path)
        once = self.command(path, who=who)
        repeat = f"for i in $(seq {times}); do {once}; echo; done | sort | uniq -c"
        started = time.perf_counter()

        def look(address: str) -> Answer:
            return self._session.patience.run(
                lambda: self._exchange(ask(self._settings, "GET", url, who=who, address=address))
            )

        try:
            places = self._session.addresses()
            found = in_turn(places, look, times)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except AssertionError as error:
            self._observe(Observation(str(error), repeat))
            raise
        kinds = Counter(f"HTTP {one.status}: {shortened(one.text, 120)}" for one in found)
        counted = "; ".join(f"{count} times {kind}" for kind, count in kinds.most_common(4))
        seconds = time.perf_counter() - started
        over = f"over {len(found)} connections{places.said()}"
        self._observe(Observation(f"{len(found)} samples in {seconds:.1f} s {over}: {counted}", repeat))
        return found

    def open_without_tls(self, port: int = 80) -> list[str]:
        """The addresses of the host at which somebody listens without TLS; a filtered port is closed."""
        host = urlsplit(self._settings.base_url).hostname or ""
        places = addresses(host, port)
        found = [address for address in places.here if is_open(address, port)]
        seen = f"port {port} open at {', '.join(found) or 'no address'}{places.said()}"
        self._observe(Observation(seen, f"curl -sS -m 5 http://{host}:{port}/"))
        return found

    def get_plain(self, path: str) -> Answer:
        """GET `path` without TLS, recording where it redirects to."""
        return self._send("GET", self._settings.plain_url + rooted(path), show=("location",))

    def post(self, path: str, body: object, *, who: Who | None = None) -> Answer:
        """POST one of the science requests; `body` is sent as JSON, or as it is where it is text."""
        return self._send("POST", self._settings.base_url + idempotent(path), who=who, body=as_text(body))

    def _send(
        self,
        method: str,
        url: str,
        *,
        who: Who | None = None,
        body: str | None = None,
        show: Sequence[str] = (),
        address: str = "",
        sent: Mapping[str, str] | None = None,
    ) -> Answer:
        asked = ask(self._settings, method, url, who=who, body=body, show=show, address=address, sent=sent)
        started = time.perf_counter()
        try:
            answer = self._session.patience_with(url).run(lambda: self._exchange(asked))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", asked.command))
            raise
        except AssertionError as error:
            self._observe(Observation(str(error), asked.command))
            raise
        milliseconds = (time.perf_counter() - started) * 1000
        shown = _shown(answer, show) if show else shortened(answer.text)
        self._observe(Observation(f"HTTP {answer.status} in {milliseconds:.0f} ms: {shown}", asked.command))
        return answer

    def _exchange(self, asked: Ask) -> Answer:
        """One request."""
        url, address, spoke_http2 = asked.url, asked.address, self._session.http2
        sent, sni = dict(asked.headers), {}
        parts = urlsplit(url)
        place = url
        if address and address != parts.hostname:
            netloc = f"{bracketed(address)}:{parts.port or 443}"
            place, sent["host"] = parts._replace(netloc=netloc).geturl(), parts.netloc
            sni = {"sni_hostname": parts.hostname}
        started = time.monotonic()
        client = self._session.own() if address else nullcontext(self._session.http)
        try:
            with (
                client as http,
                http.stream(
                    asked.method, place, headers=sent, content=asked.body, extensions=sni
                ) as response,
            ):
                content = within(response, MOST_BYTES)
        except httpx.RequestError as error:
            if not spoke_http2 and self._session.speaks_http2_alone(error):
                return self._exchange(asked)
            if isinstance(error, httpx.TimeoutException):
                self._session.patience_with(url).lost(time.monotonic() - started)
            there = f" at {address}" if sni else ""
            raise UnreachableError(f"{url}{there}: {reason(error)}") from None
        if content is None:
            raise AssertionError(f"{url}: expected at most {MOST_BYTES} bytes, saw more")
        seconds = time.monotonic() - started
        values: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            values.setdefault(name.lower(), []).append(value)
        joined = {name: ", ".join(several) for name, several in values.items()}
        text = content.decode("utf-8", "replace")
        if wants_a_certificate(response.status_code, content):
            raise UnreachableError(f"{url}: {NO_CERTIFICATE}")
        if asked.role and response.status_code in REFUSED:
            self._settings.refused(asked.role)
        return Answer(response.status_code, joined, values, text, seconds, bytes(content))


def idempotent(path: str) -> str:
    """The path of a science request; every other request that the checks send is a read."""
    if path not in SCIENCE:
        raise ValueError(f"a check may only POST to {', '.join(SCIENCE)}, not {path}")
    return path


def as_text(body: object) -> str:
    """A body as JSON, or as it is where it is text."""
    return body if isinstance(body, str) else json.dumps(body)


def _shown(answer: Answer, names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {answer.headers.get(name.lower(), '(absent)')}" for name in names)
