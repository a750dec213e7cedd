"""A request as it is sent, and the command that shows the same without a secret."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nox_service.access.tokens import MARK, BadToken, Who, bearer, is_bad, made_of
from noxgate.systems.settings import ApiSettings


@dataclass(frozen=True)
class Ask:
    """One request; with an `address` it goes to that one of the host's, over a connection of its own."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str | None
    address: str
    command: str
    role: str = ""  # whose token is sent, or what was sent is made of


def ask(
    settings: ApiSettings,
    method: str,
    url: str,
    *,
    who: Who | BadToken | None = None,
    body: str | None = None,
    show: Sequence[str] = (),
    address: str = "",
    sent: Mapping[str, str] | None = None,
) -> Ask:
    """What somebody asks; whose token must be refused is marked, for those who read the target's logs."""
    headers = {name: said for name, said in (sent or {}).items() if said}
    command = ["curl", "-sS"]
    if settings.connection.ca_file and url.startswith("https:"):
        command += ["--cacert", str(settings.connection.ca_file)]
    if address and address != (host := urlsplit(url).hostname):
        command += ["--resolve", f"{host}:{urlsplit(url).port or 443}:{address}"]
    quoted = [shlex.quote(word) for word in command]
    quoted += [f"-H {shlex.quote(f'{name}: {said}')}" for name, said in headers.items()]
    if show:
        quoted += ["-o /dev/null -D -"]
    role = ""
    if who:
        headers["authorization"], spelled = bearer(settings.token, who)
        quoted += [spelled]
        role = made_of(who)
    if is_bad(who):
        headers["user-agent"] = MARK
        quoted += [f"-A {MARK}"]
    if method == "HEAD" or (method != "GET" and (body is None or method != "POST")):
        quoted += ["-I" if method == "HEAD" else f"-X {method}"]
    if body is not None:
        headers["content-type"] = "application/json"
        quoted += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    return Ask(method, url, headers, body, address, " ".join([*quoted, shlex.quote(url)]), role)


def rooted(path: str) -> str:
    """The path; one without its slash would change the host: https://host + @elsewhere."""
    if not path.startswith("/"):
        raise ValueError(f"expected a path that starts with /, saw {path!r}")
    return path
