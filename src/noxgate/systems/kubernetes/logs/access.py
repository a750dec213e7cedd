"""Access logs: such a line is as grave as the status that it was answered with."""

import re
from collections.abc import Mapping
from typing import Any

from noxgate.systems.kubernetes.logs.documents import plain_key

_METHOD = r"(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE|CONNECT|PROPFIND|PRI)"
_FORMS = [
    re.compile(form)
    for form in (
        # the common log format, uvicorn, Envoy, chi; and the first for a request that is not valid
        rf'"(?P<asked>(?:{_METHOD}|WebSocket) (?:[^"\\]|\\.)*)" (?:from \S+ - )?(?P<status>\d{{3}})\b',
        r'^\S+ \S+ .{0,80}?\[[^\]]+\] "(?P<asked>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) ',
        # Gin, Fiber
        rf"^(?:\[GIN\] .*?|\d\d:\d\d:\d\d )\| +(?P<status>\d{{3}}) \|.*\| +(?P<asked>{_METHOD} .*)",
        # uWSGI
        rf"\] (?P<asked>{_METHOD} \S+) => generated \d+ bytes in \d+ \w+ \(HTTP/[\d.]+ (?P<status>\d{{3}})\)",
        rf"^(?P<asked>{_METHOD} \S+) (?P<status>\d{{3}}) [\d.-]+ ms\b",  # morgan
        # Heroku, lograge
        rf'\bmethod="?(?P<asked>{_METHOD}"? .*)\bstatus=(?P<status>\d{{3}})\b',
        # HAProxy
        r'\s(?P<status>\d{3}) \d+ \S+ \S+ [\w-]{4} \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+ .*"(?P<asked>[^"]*)',
    )
]
_CLIENT = re.compile(
    r"(?<![\w.:/])(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|[0-9a-f]{0,4}(?:::?[0-9a-f]{1,4}){2,8})(?![\w.])"
)
_STATUS = (
    *("status", "statuscode", "responsecode", "httpstatuscode", "httpstatus", "httpresponsestatuscode"),
    *("responsestatus", "downstreamstatus"),
)
# Where a request and its answer are objects: pino-http, Caddy, Google Cloud, ECS, Datadog's network.client.
_OBJECTS = ("req", "request", "res", "response", "httprequest", "http", "url", "client", "source", "network")
_OF_A_CLIENT = ("client", "source")
_DEEPEST = 2
_ASKED = (
    "method",
    "requestmethod",
    "httpmethod",
    "httprequestmethod",
    "verb",
    "request",
    "requesturi",
    "uri",
    "path",
    "url",
    "requesturl",
)
_PATHS = ("path", "requesturi", "uri", "url", "requesturl")
_CODES = range(100, 600)
_CLIENTS = (
    *("remoteaddr", "remoteaddress", "remoteip", "clientip", "clientaddr", "clienthost", "remote", "peer"),
    "useragent",
)
_CLIENT_PAIR = re.compile(
    r"\b(?:remote_?(?:addr|ip)|client_?(?:addr|ip)|remote|peer|fwd)=\"?[\d\[a-f:]", re.IGNORECASE
)
_BROKEN = 500
_UNAVAILABLE = 503
# Kubernetes asks while a pod starts, and 503 is how it says so: rollout and readiness are other checks.
_PROBE = re.compile(
    r"kube-probe/|[ /](?:-/)?(?:actuator/)?"
    r"(?:health|healthy|healthz|health-?check|ready|readyz|readiness|live|livez|liveness|startup|startupz)(?:/[\w/-]*)?(?=[\s?\"']|$)"
)


def of_line(line: str) -> bool | None:
    """Whether a line of an access log reports a failure of the server; None for any other line."""
    found = next(filter(None, (form.search(line) for form in _FORMS)), None)
    if found is None:
        return None
    status = int(found["status"])
    return status >= _BROKEN and not (status == _UNAVAILABLE and _PROBE.search(line))


def names_a_client(line: str) -> bool:
    """Whether an address stands before the request, or as whose it is: what the server was asked."""
    return _CLIENT.search(line.partition('"')[0]) is not None or _CLIENT_PAIR.search(line) is not None


def has_a_client(document: Mapping[str, Any]) -> bool:
    """The same of a document: who asked stands in it."""
    return any(value for key, value in _plain(document).items() if key in _CLIENTS)


def of_document(document: Mapping[str, Any]) -> bool | None:
    """The same of a document that has an HTTP status and a request."""
    plain = _plain(document)
    asked = next((str(plain[key]) for key in _ASKED if plain.get(key)), None)
    status = next((code for key in _STATUS if (code := _code(plain.get(key))) is not None), None)
    if asked is None or status is None:
        return None
    path = next((plain[key] for key in _PATHS if plain.get(key)), asked)
    seen = f" {path} {plain.get('useragent', '')}"
    return status >= _BROKEN and not (status == _UNAVAILABLE and _PROBE.search(seen))


def _plain(document: Mapping[str, Any], deeper: int = _DEEPEST) -> dict[str, Any]:
    """What it says itself, then what its objects say; those themselves are not among it."""
    plain: dict[str, Any] = {}
    inside: list[Mapping[str, Any]] = []
    for key, value in document.items():
        if isinstance(value, dict) and plain_key(key) in _OBJECTS:
            inside.append({"clientip": value.get("ip")} if plain_key(key) in _OF_A_CLIENT else value)
        else:
            plain[plain_key(key)] = value
    for each in inside if deeper else ():
        plain = _plain(each, deeper - 1) | plain
    return plain


def _code(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[1-5]\d\d", value):
        return int(value)
    return value if isinstance(value, int) and value in _CODES else None
