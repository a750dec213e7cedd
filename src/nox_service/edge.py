"""What stands between users and the API: security headers, TLS, and the way from plain HTTP."""

import re
import ssl
import string
from collections.abc import Mapping
from urllib.parse import urlsplit

from nox_service.api import ApiClient
from nox_service.faults import open_to_any_origin
from nox_service.pages import PAGES
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.project.target import Target
from noxgate.systems.http.header_values import faults
from noxgate.systems.http.tls import TlsClient

# The promise is for all: a page, one that is not there, an answer of the API and one of its refusals.
PATHS = ("/health", "/no-such-page", "/api/public/stats", "/api/user/profile")
CORS = ("access-control-allow-origin", "access-control-allow-credentials")
REDIRECTED = ("/health", "/api/public/stats?page=2&of=a%2Fb")
OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
NEW = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
MOVED = frozenset({301, 302, 307, 308})
_ESCAPED = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")


def security_headers(api: ApiClient, wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """The paths whose answers lack these headers, each once and meaning that, with every status."""
    answers = {path: api.get(path, show=list(wanted)) for path in PATHS}
    found = {path: missing(answer, wanted) for path, answer in answers.items()}
    return {path: wrong for path, wrong in found.items() if wrong}


def missing(answer: Answer, wanted: Mapping[str, str]) -> list[str]:
    """What is wrong with the headers of one answer."""
    return [
        fault for name, value in wanted.items() for fault in faults(name, value, answer.values.get(name, ()))
    ]


def open_to_others(api: ApiClient, target: Target) -> list[str]:
    """The pages that a page of somebody else's may read as the user who has it open."""
    host = urlsplit(target.base_url).hostname
    found = []
    for page in PAGES:
        # one that is not allowed; no origin; what gets in where only its beginning is compared
        for origin in ("https://noxgate.invalid", "null", f"https://{host}.noxgate.invalid"):
            answer = api.get(page, who="test_token", show=CORS, origin=origin)
            found += [f"{page}: {fault}" for fault in open_to_any_origin(answer, origin)]
    return found


def protocols(tls: TlsClient) -> list[str]:
    """Newer ones are spoken, and the old ones refused to a client that knows nothing else (RFC 8996).

    Cutting the line is a refusal of an old one only where a newer one is spoken. An address that cuts it
    at each version has told nothing of its TLS: raises UnreachableError if all of them do.
    """
    greetings = tls.greetings((*OLD, *NEW))
    spoken = [each.version for each in greetings if each.spoken]
    said = [f"{version.name} is still spoken" for version in OLD if version in spoken]
    places = dict.fromkeys(each.address for each in greetings)
    lost: list[str] = []
    for place in places:
        here = [each for each in greetings if each.address == place]
        if any(each.spoken and each.version in NEW for each in here):
            continue
        if all(each.why for each in here):
            lost.append(here[0].why)
        else:
            where = f"{place}: " if len(places) > 1 else ""
            said.append(f"{where}neither TLSv1_2 nor TLSv1_3 is spoken")
    if len(lost) == len(places):
        raise UnreachableError(lost[0])
    return said + [f"{len(places) - len(lost)} of {len(places)} addresses answer: {why}" for why in lost[:1]]


def plain_http_faults(api: ApiClient, target: Target) -> list[str]:
    """What plain HTTP does but redirect; where the profile has its port closed, who listens there."""
    if not target.plain_url:
        api.get("/health")  # of a host that does not answer at all, a closed port tells nothing
        return [
            f"expected no plain HTTP, as the profile has it: {place} is open"
            for place in api.open_without_tls()
        ]
    try:
        answers = {path: api.get_plain(path) for path in REDIRECTED}
    except UnreachableError as error:
        told = f"plain_url of {target.path.name} says where plain HTTP is answered, or that it is closed"
        raise UnreachableError(f"{error} ({told})") from None
    return redirects(answers, target.base_url)


def redirects(answers: Mapping[str, Answer], base_url: str) -> list[str]:
    """Why these do not lead to the same path and query on this target, but to another host or nowhere."""
    stay = [
        f"{path}: HTTP {answer.status}, expected a redirect"
        for path, answer in answers.items()
        if answer.status not in MOVED
    ]
    found = {path: answer.headers.get("location") for path, answer in answers.items()}
    astray = {path: where for path, where in found.items() if not _is_one(where or "", f"{base_url}{path}")}
    seen = ", ".join(f"{path} sent to {where!r}" for path, where in astray.items())
    return stay or ([f"expected the same path at {base_url}, saw {seen}"] if astray else [])


def _is_one(url: str, other: str) -> bool:
    """Whether two URLs are one to a browser (RFC 3986, 6.2)."""
    try:
        return _normal(url) == _normal(other)
    except ValueError:  # such as a port that is not valid
        return False


def _normal(url: str) -> tuple[object, ...]:
    """Scheme and host in any case, the port that is meant anyway, %7e for %7E and ~; no fragment."""
    parts = urlsplit(url.strip())
    if parts.fragment:
        return (url,)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    path, query = (_ESCAPED.sub(_unescaped, each) for each in (parts.path or "/", parts.query))
    return parts.scheme, parts.username, parts.hostname, port, path, query


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()
