"""The requests to registries of the OCI distribution API: GET, and what a sign-in takes.

A password goes to the one registry that it is for, and to whom that registry names for its tokens. Where a
registry sends us elsewhere for a blob, nothing of it goes along.
"""

import base64
import json
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from noxgate.errors import UnreachableError
from noxgate.look.http import reason
from noxgate.look.observation import Patience, exported, shortened
from noxgate.machine.late import late
from noxgate.machine.tls import trusting
from noxgate.systems.registry import addresses
from noxgate.systems.registry.names import DOCKER_HUB, ImageName, hub
from noxgate.systems.settings import RegistrySettings

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

ROLE = "registry_password"
WAIT = "wait, or sign in: who does not is counted with everybody"
MOST_HOPS = 5
_MOST_OF_TOKEN = 200_000
Headers = Sequence[tuple[str, str]]
_TOKEN = re.compile(r"[!-~]+")
_RUN_OUT = re.compile(r"\bexpired?\b|re-?authenticate", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True)
class RegistryAnswer:
    """The last answer of a request and its redirects. `url` is without its query: that may be a signature."""

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    challenges: Sequence[str] = field(repr=False)
    content: bytes = field(repr=False)
    elsewhere: bool = False  # another server answers than the one that was asked

    @property
    def seen(self) -> str:
        """For a message: nothing of the content, which may be anybody's."""
        kind = shortened(self.headers.get("content-type", ""), 80) or "no type"
        return f"HTTP {self.status}, {kind}, {len(self.content)} bytes"

    def refusal(self) -> str:
        """What the registry itself says of why it refuses, by code and message; "" if it does not."""
        codes = self.error_codes()
        if not codes:
            return ""
        first = json.loads(self.content)["errors"][0]
        message = first.get("message")
        said = shortened(" ".join(message.split()), 160) if isinstance(message, str) else ""
        return ", ".join(codes) + (f": {said}" if said else "")

    def error_codes(self) -> list[str] | None:
        """The codes of an error in the distribution API's form; None if it is not in that form."""
        try:
            codes = [str(error["code"]) for error in json.loads(self.content)["errors"]]
        except (ValueError, RecursionError, KeyError, TypeError):
            return None
        return [code for code in codes if re.fullmatch(r"\w{1,40}", code)]


class RegistrySession:
    """The connections to a target's registries, kept for a whole run."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._ca_file = settings.connection.ca_file
        registry = settings.registry or ""
        self._is_plain = registry.startswith("http://")
        self._home = hub(re.sub(r"^https?://", "", registry).rstrip("/").lower())
        self.platform = settings.platform
        self.variable = settings.password.variable
        self.http = httpx.Client(
            verify=trusting(self._ca_file),
            follow_redirects=False,
            timeout=httpx.Timeout(8, connect=5),
            trust_env=not settings.connection.direct,
            headers={"user-agent": "noxgate", "accept-encoding": "identity"},  # digests are of the bytes
        )
        self.patience = Patience("the registry")
        self._authorizations: dict[tuple[str, str], str] = {}  # by host and repository

    def get(self, where: ImageName, kind: str, what: str, accept: Sequence[str], most: int) -> RegistryAnswer:
        """GET a manifest or a blob, after signing in where the registry wants that."""
        url = self.url(where, kind, what)
        if url.startswith("http:") and addresses.split(url).hostname not in addresses.LOOPBACK:
            raise UnreachableError(f"{url}: expected https; without TLS anybody may answer")
        key = (where.host, where.repository)
        answer = self._follow(url, accept, self._authorizations.get(key), most)
        if answer.status == HTTPStatus.UNAUTHORIZED and not answer.elsewhere:
            self._authorizations.pop(key, None)
            authorization = self._authorization(where, answer)
            answer = self._follow(url, accept, authorization, most)
            if answer.status != HTTPStatus.UNAUTHORIZED:
                self._authorizations[key] = authorization
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            advice = self._advice(where, answer)
            raise UnreachableError(f"{answer.url}: expected to be let in, saw HTTP {answer.status}: {advice}")
        return answer

    def greet(self) -> str:
        """Who answers at the registry's own address, and whether its password is taken."""
        scheme = "http" if self._is_plain else "https"
        host = "registry-1.docker.io" if self._home == DOCKER_HUB else self._home
        url = f"{scheme}://{host}/v2/"
        if self._is_plain and addresses.split(url).hostname not in addresses.LOOPBACK:
            raise UnreachableError(f"{url}: expected https; without TLS anybody may answer")
        answer = self._follow(url, (), None, _MOST_OF_TOKEN)
        if answer.status == HTTPStatus.UNAUTHORIZED and self.variable is not None:
            basic = self._basic(self._home)
            if any(_parameters("bearer", each) is not None for each in answer.challenges):
                return f"{url} answers, and gives tokens for one repository at a time"
            answer = self._follow(url, (), basic, _MOST_OF_TOKEN)
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise UnreachableError(f"{url}: HTTP 401: ${self.variable} is not taken")
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnreachableError(f"{url}: expected a registry, saw {answer.seen}")
        let_in = " and lets us in" if answer.status == HTTPStatus.OK else f" HTTP {answer.status}"
        return f"{url} answers{let_in}"

    def url(self, where: ImageName, kind: str, what: str) -> str:
        """Where a manifest or a blob is."""
        host = "registry-1.docker.io" if where.host == DOCKER_HUB else where.host
        scheme = "http" if self._is_plain and where.host == self._home else "https"
        return f"{scheme}://{host}/v2/{where.repository}/{kind}/{what}"

    def command(self, where: ImageName, kind: str, what: str, accept: Sequence[str]) -> str:
        """The command that asks the same; a password is named, not shown."""
        url = self.url(where, kind, what)
        authorization = self._authorizations.get((where.host, where.repository), "")
        password = f'"{exported(str(self.variable))}"'
        if authorization.startswith("Bearer"):  # too long a way for curl
            raw = ["--config", "--raw"] if kind == "blobs" else ["--raw"]
            creds = [f"--creds {password}"] if self._is_for(where.host) else []
            return " ".join(["skopeo", "inspect", *raw, *creds, shlex.quote(f"docker://{where}")])
        words = ["curl", "-sSL"]
        if self._ca_file and url.startswith("https:"):
            words += ["--cacert", shlex.quote(str(self._ca_file))]
        if authorization:
            words.append(f"-u {password}")
        if accept:
            words.append(f"-H {shlex.quote('Accept: ' + ', '.join(accept))}")
        return " ".join([*words, shlex.quote(url)])

    def close(self) -> None:
        self.patience.close(self.http.close)

    def _is_for(self, host: str) -> bool:
        """Whether this is the registry that the password is for."""
        return self.variable is not None and host == self._home

    def _basic(self, host: str) -> str | None:
        if not self._is_for(host):
            return None
        pair = self._settings.password.secret().reveal()
        if ":" not in pair:
            raise UnreachableError(f"${self.variable}: expected USER:PASSWORD, saw no colon")
        return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"

    def _authorization(self, where: ImageName, answer: RegistryAnswer) -> str:
        """What the challenge asks for. Raises UnreachableError if we have nothing to show."""
        basic = self._basic(where.host)
        bearer = next(filter(None, (_parameters("bearer", each) for each in answer.challenges)), None)
        if bearer is not None:
            return f"Bearer {self._token(where, bearer, basic)}"
        if not any(_parameters("basic", each) is not None for each in answer.challenges):
            raise UnreachableError(
                f"{answer.url}: expected how to sign in (Basic or Bearer), saw HTTP 401 without: no registry?"
            )
        if basic is None:
            raise UnreachableError(
                f"{answer.url}: expected to be let in, saw HTTP 401: {self._advice(where, answer)}"
            )
        return basic

    def _token(self, where: ImageName, challenge: Mapping[str, str], basic: str | None) -> str:
        """A token to read this one repository, from whom the registry names."""
        realm = challenge.get("realm", "")
        shown = addresses.without_query(realm)
        parts = addresses.split(realm)
        if not addresses.is_safe(parts, addresses.split(f"//{where.host}")) or "@" in parts.netloc:
            raise UnreachableError(f"{where.host}: expected tokens from https://…, saw the realm {shown}")
        asked = {"scope": f"repository:{where.repository}:pull"}  # to read, not what the challenge offers
        if "service" in challenge:
            asked["service"] = challenge["service"]
        url = str(httpx.URL(realm).copy_merge_params(asked))
        answer = self._exchange(url, [("authorization", basic)] if basic else [], _MOST_OF_TOKEN)
        if answer.status != HTTPStatus.OK:
            raise UnreachableError(
                f"{shown}: expected a token for {where.repository}, saw HTTP {answer.status}: "
                f"{self._advice(where, answer)}"
            )
        try:
            document = json.loads(answer.content)
            token = document.get("token") or document.get("access_token")
        except (ValueError, RecursionError, AttributeError):
            token = None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise UnreachableError(f"{shown}: expected a token, saw {answer.seen}")
        return token

    def _advice(self, where: ImageName, answer: RegistryAnswer) -> str:
        """The registry's own words where it has any, and what to do."""
        said = answer.refusal()
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            what = WAIT
        elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            what = "it is broken: nothing is known of the password"
        elif answer.elsewhere:
            what = "the registry keeps it there, and its link is refused: a proxy, or a wrong clock"
        else:
            what = self._what_to_do(where, said)
        return "; ".join(filter(None, [said, what]))

    def _what_to_do(self, where: ImageName, said: str) -> str:
        if self._is_for(where.host):
            user = self._settings.password.secret().reveal().partition(":")[0]
            again = "sign in again and export it anew"
            if user == "AWS":  # as ECR wants it
                again += f": {self.variable}=AWS:$(aws ecr get-login-password), which holds for 12 hours"
            if _RUN_OUT.search(said):
                return f"${self.variable} has run out: {again}"
            more = f"; or it has run out: {again}" if user == "AWS" else ""
            return f"${self.variable} may not read {where.repository}, or there is none{more}"
        if self.variable is not None:
            return f"${self.variable} is for {self._home or 'no registry: the profile names none'}"
        return f"{self._settings.profile} names no variable for {ROLE} under [credentials] (USER:PASSWORD)"

    def _follow(
        self, url: str, accept: Sequence[str], authorization: str | None, most: int
    ) -> RegistryAnswer:
        # a line for each, as Docker's own client sends them: some registries take no list
        accepted = [("accept", each) for each in accept or ["*/*"]]
        first = addresses.origin(url)
        elsewhere = False
        for _ in range(MOST_HOPS + 1):
            signed = [("authorization", authorization)] if authorization is not None else []
            answer = self._exchange(url, [*accepted, *signed], most, elsewhere=elsewhere)
            if not 300 <= answer.status < 400:  # noqa: PLR2004 (every redirect)
                return answer
            to = addresses.joined(url, answer.headers.get("location", ""))
            if not addresses.is_safe(addresses.split(to), addresses.split(url)):
                raise UnreachableError(
                    f"{answer.url}: expected to be sent to https://…, saw {addresses.without_query(to)}"
                )
            if addresses.origin(to) != first:
                elsewhere = True
                authorization = None  # for good: it may send us back
            url = to
        raise UnreachableError(
            f"{addresses.without_query(url)}: expected at most {MOST_HOPS} redirects, saw more"
        )

    def _exchange(self, url: str, headers: Headers, most: int, *, elsewhere: bool = False) -> RegistryAnswer:
        return self.patience.run(lambda: self._send(url, headers, most, elsewhere=elsewhere))

    def _send(self, url: str, headers: Headers, most: int, *, elsewhere: bool) -> RegistryAnswer:
        shown = addresses.without_query(url)
        started = time.monotonic()
        self.http.cookies.clear()
        try:
            with self.http.stream("GET", url, headers=list(headers)) as response:
                content = bytearray()
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > most:
                        raise UnreachableError(f"{shown}: expected at most {most} bytes, saw more")
        except (httpx.RequestError, httpx.InvalidURL) as error:
            if isinstance(error, httpx.TimeoutException):
                self.patience.lost(time.monotonic() - started)
            raise UnreachableError(f"{shown}: {reason(error)}") from None
        found = {name.lower(): value for name, value in response.headers.items()}
        challenges = response.headers.get_list("www-authenticate")
        return RegistryAnswer(shown, response.status_code, found, challenges, bytes(content), elsewhere)


def _parameters(scheme: str, challenge: str) -> dict[str, str] | None:
    """The parameters of a scheme in a WWW-Authenticate header; None if it does not offer that."""
    found = re.search(rf"(?:^|,)\s*{scheme}(?:\s+(.*)|\s*$)", challenge, re.IGNORECASE)
    if found is None:
        return None
    parameters: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(found[1] or ""):
        parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
    return parameters
