"""The NOX API over HTTPS: GET, the two idempotent science requests, and nothing else."""

import json
import shlex
import ssl
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from noxgate.errors import UnreachableError
from noxgate.look.http import MOST_BYTES, Answer, reason
from noxgate.look.observation import Observation, Observe, Patience, shortened
from noxgate.machine.late import late
from noxgate.project.target import Target

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

# The closed list of requests that are not GET: they compute and store nothing (ARCHITECTURE 9).
SCIENCE = ("/empirical/v1", "/predict/cj/v1")

# Looks at one path: more than there are pods behind the ingress, which hands requests round. One broken pod
# of three answers a third of the users, and one look alone would miss it twice out of three times.
LOOKS = 8
FORGED = 8  # last characters of a token, well inside its signature, that a forged one has otherwise

# `forged` is the test token with another signature: nobody's.
Who = Literal["test_token", "admin_token", "forged"]


class ApiSession:
    """The connections to one target, kept for a whole run."""

    def __init__(self, target: Target) -> None:
        self.context = ssl.create_default_context(cafile=str(target.ca_file) if target.ca_file else None)
        self.http = httpx.Client(
            verify=self.context,
            follow_redirects=False,
            timeout=httpx.Timeout(8, connect=5),
            trust_env=not target.rehearsal,  # a proxy may lie between us and a target, never before loopback
            headers={"user-agent": "noxgate"},
        )
        self.patience = Patience(target.base_url)

    def close(self) -> None:
        self.http.close()


class ApiClient:
    """Looks at the API for one check and records what it saw."""

    def __init__(self, target: Target, session: ApiSession, observe: Observe) -> None:
        self._target = target
        self._session = session
        self._observe = observe

    def get(self, path: str, *, who: Who | None = None, show: Sequence[str] = ()) -> Answer:
        """GET `path`; redirects are not followed. `show` records these headers in place of the body."""
        return self._send("GET", self._target.base_url + _path(path), who=who, show=show)

    def get_often(self, path: str, *, who: Who | None = None) -> list[Answer]:
        """GET `path` LOOKS times, so that each pod behind the ingress has answered."""
        return [self.get(path, who=who) for _ in range(LOOKS)]

    def sample(self, path: str, times: int) -> list[Answer]:
        """GET `path` so many times, recorded as one look.

        UnreachableError where the first finds nobody; AssertionError where a later one does: users see that.
        """
        url = self._target.base_url + _path(path)
        cacert = f" --cacert {shlex.quote(str(self._target.ca_file))}" if self._target.ca_file else ""
        repeat = (
            f"for i in $(seq {times}); do curl -sS{cacert} {shlex.quote(url)}; echo; done | sort | uniq -c"
        )
        started = time.perf_counter()
        found: list[Answer] = []
        try:
            while len(found) < times:
                found.append(self._session.patience.run(lambda: self._exchange("GET", url, {}, None)))
        except UnreachableError as error:
            if not found:
                self._observe(Observation(f"could not look: {error}", repeat))
                raise
            self._observe(Observation(f"sample {len(found) + 1} of {times}: {error}", repeat))
            raise AssertionError(f"sample {len(found) + 1} of {times} had no answer: {error}") from None
        kinds = Counter(f"HTTP {one.status}: {shortened(one.text, 120)}" for one in found)
        counted = "; ".join(f"{count} times {kind}" for kind, count in kinds.most_common(4))
        seconds = time.perf_counter() - started
        self._observe(Observation(f"{times} samples in {seconds:.1f} s: {counted}", repeat))
        return found

    def get_plain(self, path: str) -> Answer:
        """GET `path` without TLS, recording where it redirects to."""
        return self._send("GET", self._target.plain_url + _path(path), show=("location",))

    def post(self, path: str, body: object, *, who: Who | None = None) -> Answer:
        """POST one of the science requests; `body` is sent as JSON, or as it is where it is text."""
        if path not in SCIENCE:
            raise ValueError(f"a check may only POST to {', '.join(SCIENCE)}, not {path}")
        text = body if isinstance(body, str) else json.dumps(body)
        return self._send("POST", self._target.base_url + path, who=who, body=text)

    def _send(
        self,
        method: str,
        url: str,
        *,
        who: Who | None = None,
        body: str | None = None,
        show: Sequence[str] = (),
    ) -> Answer:
        headers = {}
        command = ["curl", "-sS"]
        if self._target.ca_file and url.startswith("https:"):
            command += ["--cacert", str(self._target.ca_file)]
        quoted = [shlex.quote(word) for word in command]
        if show:
            quoted += ["-o /dev/null -D -"]
        if who:
            token = self._target.credential("test_token" if who == "forged" else who)
            value, spelled = token.reveal(), f"${token.name}"
            if who == "forged":
                end = ("B" if value.endswith("A" * FORGED) else "A") * FORGED
                value, spelled = value[:-FORGED] + end, f"${{{token.name}%{'?' * FORGED}}}{end}"
            headers["authorization"] = f"Bearer {value}"
            quoted += [f'-H "Authorization: Bearer {spelled}"']
        if body is not None:
            headers["content-type"] = "application/json"
            quoted += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
        quoted += [shlex.quote(url)]

        started = time.perf_counter()
        try:
            answer = self._session.patience.run(lambda: self._exchange(method, url, headers, body))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", " ".join(quoted)))
            raise
        except AssertionError as error:
            self._observe(Observation(str(error), " ".join(quoted)))
            raise
        milliseconds = (time.perf_counter() - started) * 1000
        shown = _shown(answer, show) if show else shortened(answer.text)
        self._observe(
            Observation(f"HTTP {answer.status} in {milliseconds:.0f} ms: {shown}", " ".join(quoted))
        )
        return answer

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> Answer:
        http = self._session.http
        http.cookies.clear()  # every look is a stranger's
        started = time.monotonic()
        try:
            with http.stream(method, url, headers=dict(headers), content=body) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise AssertionError(f"{url}: expected at most {MOST_BYTES} bytes, saw more")
        except httpx.RequestError as error:
            if isinstance(error, httpx.TimeoutException):
                self._session.patience.lost(time.monotonic() - started)
            raise UnreachableError(f"{url}: {reason(error)}") from None
        seconds = time.monotonic() - started
        values: dict[str, list[str]] = {}
        for name, value in response.headers.multi_items():
            values.setdefault(name.lower(), []).append(value)
        joined = {name: ", ".join(several) for name, several in values.items()}
        return Answer(response.status_code, joined, values, content.decode("utf-8", "replace"), seconds)


def _path(path: str) -> str:
    """The path; one without its slash would change the host: https://host + @elsewhere."""
    if not path.startswith("/"):
        raise ValueError(f"expected a path that starts with /, saw {path!r}")
    return path


def _shown(answer: Answer, names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {answer.headers.get(name.lower(), '(absent)')}" for name in names)
