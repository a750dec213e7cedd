"""The values of a profile, each read and checked: what was expected, what was seen, in one line."""

import ipaddress
import math
import os
import re
import ssl
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.errors import ProfileError
from noxgate.look.database_url import is_database_url
from noxgate.look.secret import FRAGMENT
from noxgate.project.keys import evidence, places, release
from noxgate.project.keys.evidence import CLUSTER, PROMPT, SCOPE, TENANT
from noxgate.project.keys.key import NAME, VARIABLE, Key, names
from noxgate.project.keys.places import ON_PRODUCTION
from noxgate.project.keys.reading import guess
from noxgate.project.keys.release import BACKUP_FORMS, HOURS
from noxgate.project.target import (
    BAD_TOKENS,
    CREDENTIALS,
    PROVIDERS,
    Asked,
    Dashboard,
    Hours,
    LoadCounters,
    QuietHours,
    Runtime,
    SentryProject,
    Target,
)

PREFIX = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"  # of paths; no dots that lead elsewhere
IDS = ("client_id", "client_id_variable")  # of [oauth.PROVIDER]: one of them
PLACES = names(evidence.PLACES)  # what credentials point at


def namespace(path: Path, where: str, value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise ProfileError(
            f"{path.name}: {where}: expected a Kubernetes namespace "
            f"(lower-case letters, digits, -), saw {value!r}"
        )
    return value


def text(path: Path, key: str, value: str) -> str:
    if not value.strip():
        raise ProfileError(f"{path.name}: {key}: expected a name, saw {value!r}")
    return value


def kubeconfig(path: Path, where: str, value: str) -> str:
    """One file or several, seen from the profile, or from here where the variable names them.

    kubectl passes over one that is not there; the contexts of those that are left may lead elsewhere.
    """
    folder = Path.cwd() if where == "KUBECONFIG" else path.parent
    files = [folder / Path(name).expanduser() for name in value.split(os.pathsep) if name]
    absent = [str(file) for file in files if not file.is_file()]
    if absent or not files:
        missing = f"no such file: {absent[0]}" if absent else f"saw {value!r}"
        raise ProfileError(f"{path.name}: {where}: expected a kubeconfig, {missing}")
    return os.pathsep.join(map(str, files))


def prometheus_url(path: Path, value: str) -> str:
    return tool_url(path, "prometheus_url", value)


def tool_url(path: Path, key: str, value: str) -> str:
    """The address of a tool that is asked over HTTP."""
    try:
        parts = urlsplit(value)
        is_fine = parts.scheme in {"http", "https"} and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        parts, is_fine = urlsplit(""), False
    if not is_fine or "@" in parts.netloc or parts.query or parts.fragment:
        seen = f"saw {value!r}" if not {"@", "?"} & set(value) else "saw another form"
        raise ProfileError(f"{path.name}: {key}: expected http(s)://HOST[:PORT][/PATH], {seen}")
    return value.rstrip("/")


def dashboard(path: Path, table: Mapping[str, Any]) -> Dashboard:
    """Grafana, and the uid of the service's dashboard there."""
    found = _names(path, "grafana", table, release.DASHBOARD)
    return Dashboard(tool_url(path, "grafana: url", found["url"]), found["dashboard"])


def sentry(path: Path, table: Mapping[str, Any]) -> SentryProject:
    """Sentry, and the slugs of the service's organization and project there."""
    found = _names(path, "sentry", table, release.PROJECT)
    url, organization, project = (found[name] for name in ("url", "organization", "project"))
    named = SentryProject(tool_url(path, "sentry: url", url), organization, project)
    return replace(named, environment=found.get("environment", named.environment))


def _names(path: Path, key: str, table: Mapping[str, Any], keys: tuple[Key, ...]) -> dict[str, str]:
    """A table with exactly these texts; all but the url go into a path, so they are names."""
    said = texts(path, key, table)
    expected = [each.name for each in keys if each.required]
    if not set(expected) <= said.keys() <= set(names(keys)):
        raise ProfileError(
            f"{path.name}: [{key}]: expected {', '.join(expected)}, saw {', '.join(said) or 'nothing'}"
        )
    for name, value in said.items():
        if name != "url" and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", value, re.ASCII):
            raise ProfileError(f"{path.name}: [{key}] {name}: expected a name, saw {value!r}")
    return said


def registry(path: Path, value: str) -> str:
    """HOST[:PORT] as images are named there; http:// before it, for one on this machine without TLS."""
    value = value.lower()
    host = value.removeprefix("http://")
    found = re.fullmatch(r"([a-z0-9.-]+)(:[1-9][0-9]{0,4})?", host)
    if (
        found is None
        or not is_host(found[1])
        or (host != value and found[1] not in {"localhost", "127.0.0.1"})
    ):
        seen = f"saw {value!r}" if "@" not in value else "saw another form"
        raise ProfileError(f"{path.name}: registry: expected HOST[:PORT], {seen}")
    return value


def container(path: Path, value: str) -> str:
    """A container's name, as Kubernetes takes it."""
    if not re.fullmatch(NAME, value):
        raise ProfileError(f"{path.name}: container: expected a container's name, saw {value!r}")
    return value


def platform(path: Path, value: str) -> str:
    """What images must be for, in Go's words."""
    if not re.fullmatch(places.PLATFORM, value):
        raise ProfileError(f"{path.name}: platform: expected such as linux/arm64, saw {value!r}")
    return value


def node_ports(path: Path, value: str) -> str:
    """The API server's own range."""
    first, _, last = value.partition("-")
    if not re.fullmatch(places.NODE_PORTS, value) or not 0 < int(first) <= int(last) < 1 << 16:
        raise ProfileError(f"{path.name}: node_ports: expected such as 30000-32767, saw {value!r}")
    return value


def runtime(path: Path, table: Mapping[str, Any]) -> Runtime:
    """What images must declare, such as node 20."""
    name, version = table.get("name"), table.get("version")
    if (
        table.keys() != set(names(release.RUNTIME))
        or not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name))
        or not (isinstance(version, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)*", version))
    ):
        raise ProfileError(
            f'{path.name}: runtime: expected {{ name = "node", version = "20" }}, saw {dict(table)}'
        )
    return Runtime(name, version)


def load_counters(path: Path, table: Mapping[str, Any]) -> LoadCounters:
    """What a load test's answers are compared with."""
    query, uncounted = table.get("query"), table.get("uncounted", [])
    if (
        not table.keys() <= set(names(places.COUNTERS))
        or not (isinstance(query, str) and query.strip())
        or not (isinstance(uncounted, list) and all(isinstance(name, str) for name in uncounted))
    ):
        raise ProfileError(
            f"{path.name}: load_counters: expected query, a selector of counters, and uncounted, the classes "
            f"that they leave out, if any; saw {dict(table)}"
        )
    return LoadCounters(query.strip(), tuple(uncounted))


def quiet(path: Path, table: Mapping[str, Any]) -> QuietHours:
    """The quiet hours, and how the ingress shows them."""
    hours, ingress = table.get("hours", []), table.get("ingress")
    times = [re.fullmatch(HOURS, one) if isinstance(one, str) else None for one in hours or []]
    if (
        not table.keys() <= set(names(release.QUIET))
        or not isinstance(hours, list)
        or None in times
        or not (ingress is None or (isinstance(ingress, str) and ingress.strip()))
    ):
        raise ProfileError(
            f'{path.name}: quiet: expected hours in UTC, such as ["22:30-05:00"], and ingress, the selector '
            f"of its requests, if it is not nginx; saw {dict(table)}"
        )
    found = [Hours(time.fromisoformat(each[1]), time.fromisoformat(each[2])) for each in times if each]
    return QuietHours(tuple(found), ingress)


def selector(path: Path, key: str, value: str) -> str:
    """Of Prometheus' counters, as NAME or NAME{LABEL="VALUE"}: a matcher is added to it."""
    if not re.fullmatch(r"[a-zA-Z_:][\w:]*\s*(\{.*\})?", value.strip(), re.ASCII | re.DOTALL):
        raise ProfileError(
            f'{path.name}: {key}: expected such as requests_total{{user="yes"}}, saw {value!r}'
        )
    return value.strip()


def points_at(path: Path, table: object) -> Mapping[str, str]:
    """Where credentials must lead, as a run spells it."""
    if not isinstance(table, dict) or not all(
        key in PLACES and isinstance(value, str) for key, value in table.items()
    ):
        raise ProfileError(
            f"{path.name}: points_at: expected some of {', '.join(PLACES)}, "
            f'as database_url = "HOST:PORT/NAME"; saw {table!r}'
        )
    return {key: value.lower().rstrip("/") if key == CLUSTER else value for key, value in table.items()}


def source(path: Path, value: str) -> Path:
    found = path.parent / Path(value).expanduser()
    if not found.is_dir():
        raise ProfileError(
            f"{path.name}: source: expected the release repository, saw no such folder: {found}"
        )
    return found


def below(path: Path, key: str, value: str) -> str:
    if not value or Path(value).is_absolute() or ".." in Path(value).parts:
        raise ProfileError(f"{path.name}: {key}: expected a path below source, saw {value!r}")
    return value


def backup_form(path: Path, value: str) -> str:
    """As pg_dump's --format calls it."""
    if value not in BACKUP_FORMS:
        raise ProfileError(
            f"{path.name}: backup_form: expected one of {', '.join(BACKUP_FORMS)}, saw {value!r}"
        )
    return value


def words(path: Path, key: str, value: list[Any]) -> tuple[str, ...]:
    """A command, word by word."""
    if not all(isinstance(word, str) and word for word in value):
        raise ProfileError(
            f'{path.name}: {key}: expected a command in words: ["python3", "-"], saw {value!r}'
        )
    return tuple(value)


def texts(path: Path, key: str, table: Mapping[str, Any]) -> dict[str, str]:
    """A table of texts."""
    for name, value in table.items():
        if not isinstance(value, str):
            raise ProfileError(f"{path.name}: [{key}] {name}: expected text, saw {value!r}")
    return dict(table)


def wait_seconds(path: Path, value: float, *, rehearsal: bool) -> float:
    if not rehearsal or not 0 <= value < math.inf:
        raise ProfileError(
            f"{path.name}: wait_seconds: only a rehearsal may wait less than the runbook says, saw {value}"
        )
    return value


def serves(path: Path, serves: list[Any], phases: Collection[str]) -> tuple[str, ...]:
    for phase in serves:
        if phase not in phases:
            raise ProfileError(
                f"{path.name}: serves: no phase {phase!r} (phases: {', '.join(phases)}){guess(phase, phases)}"
            )
    if not serves:
        raise ProfileError(f"{path.name}: serves: expected at least one phase ({', '.join(phases)})")
    return tuple(serves)


def load(path: Path, value: object) -> bool | str:
    """Whether a load test may run here; where users are, only in so many words."""
    if not isinstance(value, bool) and value != ON_PRODUCTION:
        raise ProfileError(f'{path.name}: load: expected true, false or "{ON_PRODUCTION}", saw {value!r}')
    return value


def url(path: Path, where: str, value: str, scheme: str) -> str:
    problem = None
    try:
        parts = urlsplit(value)
        host_is_fine = is_host(parts.hostname or "")
        port_is_fine = (parts.port is None or parts.port > 0) and not parts.netloc.endswith(":")
    except ValueError:
        parts, host_is_fine, port_is_fine = urlsplit(""), False, False
    if parts.scheme != scheme or not host_is_fine or not port_is_fine:
        # after an @ or a ? there may be a secret
        problem = f"saw {value!r}" if not {"@", "?"} & set(value) else "saw another form"
    elif parts.username is not None or parts.password is not None:
        problem = "saw a user name or password in it"
    elif not re.fullmatch(PREFIX, parts.path) or parts.query or parts.fragment:
        problem = "saw more than scheme, host, port and the path in front of the API's own"
    if problem:
        guess = ""
        if "://" not in value and "@" not in value and value:
            guess = f"; did you mean {scheme}://{value.lstrip('/')}?"
        raise ProfileError(
            f"{path.name}: {where}: expected {scheme}://HOST[:PORT][/PREFIX], {problem}{guess}"
        )
    usual = ":443" if scheme == "https" else ":80"
    return f"{scheme}://{parts.netloc.lower().removesuffix(usual)}{parts.path.rstrip('/')}"


def is_host(name: str) -> bool:
    """A DNS name in ASCII (RFC 1123) without a dot at its end, or an address."""
    if re.fullmatch(r"[0-9a-f:.]+", name) and ":" in name:
        return True
    labels = name.split(".")
    return all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", label) for label in labels)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def file(path: Path, key: str, value: str) -> Path:
    found = path.parent / value
    if not found.is_file():
        raise ProfileError(f"{path.name}: {key}: no such file: {found}")
    return found


def ca_file(path: Path, value: str) -> Path:
    found = file(path, "ca_file", value)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(found)
    except OSError:  # ssl.SSLError is one
        raise ProfileError(f"{path.name}: ca_file: expected certificates in PEM form in {found}") from None
    return found


def oauth(path: Path, table: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str], dict[str, Asked]]:
    """Client ids, their variables, and what is asked for, by provider."""
    ids: dict[str, str] = {}
    variables: dict[str, str] = {}
    asks: dict[str, Asked] = {}
    for provider, entry in table.items():
        where = f"{path.name}: [oauth.{provider}]"
        if provider not in PROVIDERS:
            raise ProfileError(f"{where}: no such provider (providers: {', '.join(PROVIDERS)})")
        known = {key for each in evidence.PROVIDERS if each.name == provider for key in names(each.keys)}
        if not isinstance(entry, dict) or not entry.keys() <= known or len(entry.keys() & set(IDS)) != 1:
            seen = ", ".join(entry) or "nothing" if isinstance(entry, dict) else type(entry).__name__
            raise ProfileError(  # no values: a client secret may stand here by mistake
                f'{where}: expected client_id = "…" or client_id_variable = "NAME", saw {seen}'
            )
        (key,) = entry.keys() & set(IDS)
        value = entry[key]
        if not isinstance(value, str) or not value.strip():
            raise ProfileError(f"{where} {key}: expected text, saw {value!r}")
        if key == "client_id_variable" and not re.fullmatch(VARIABLE, value):
            raise ProfileError(
                f"{where} {key}: expected the NAME of an environment variable (capitals, digits, _)"
            )
        (ids if key == "client_id" else variables)[provider] = value
        asks[provider] = _asked(where, entry)
    return ids, variables, asks


def _asked(where: str, entry: Mapping[str, Any]) -> Asked:
    scopes, prompt, tenant = (entry.get(key) for key in ("scopes", "prompt", "tenant"))
    if scopes is not None and not (isinstance(scopes, list) and all(_is(SCOPE, one) for one in scopes)):
        raise ProfileError(f'{where} scopes: expected a list such as ["openid", "email"], saw {scopes!r}')
    if prompt is not None and not _is(PROMPT, prompt):
        expected = 'such as "select_account", or "" for none'
        raise ProfileError(f"{where} prompt: expected {expected}, saw {prompt!r}")
    if tenant is not None and not _is(TENANT, tenant):
        raise ProfileError(f'{where} tenant: expected such as "common", an id or a domain, saw {tenant!r}')
    return Asked(None if scopes is None else tuple(scopes), prompt, tenant)


def _is(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def headers(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    for name, value in table.items():
        if not isinstance(value, str) or not value:
            raise ProfileError(
                f"{path.name}: [security_headers] {name}: expected the header's value, saw {value!r}"
            )
    return {name.lower(): value for name, value in table.items()}


def credentials(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    for role, name in table.items():
        if role not in CREDENTIALS:
            raise ProfileError(
                f"{path.name}: [credentials]: unknown key {role!r} (keys: {', '.join(CREDENTIALS)})"
                f"{guess(role, CREDENTIALS)}"
            )
        if not isinstance(name, str) or not re.fullmatch(VARIABLE, name):
            raise ProfileError(  # the value may be a secret put here by mistake: never show it
                f"{path.name}: [credentials] {role}: expected the NAME of an environment variable "
                "(capitals, digits, _), never the value itself"
            )
    if {"prometheus_token", "prometheus_password"} <= table.keys():
        raise ProfileError(
            f"{path.name}: [credentials]: expected prometheus_token or prometheus_password, saw both"
        )
    return dict(table)


def check_secrets(target: Target) -> None:
    for role, is_one, form in (
        ("database_url", is_database_url, "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("redis_url", is_redis_url, "redis://USER:PASSWORD@HOST:PORT/NAME"),
    ):
        name = target.credentials.get(role, "")
        value = target.variables.get(name)
        if value is not None and not is_one(value):
            raise ProfileError(
                f"{name}: expected {form}, saw another form ({len(value)} characters, not shown)"
            )
    for role in ("test_token", "admin_token", *BAD_TOKENS):
        name = target.credentials.get(role, "")
        if not re.fullmatch(r"[!-~]+", target.variables.get(name, "-")):
            raise ProfileError(f"{name}: expected a token of visible ASCII characters without spaces")
    for secret in target.secrets():
        if len(secret.reveal()) < FRAGMENT:
            raise ProfileError(
                f"{secret.name}: a token or password of fewer than {FRAGMENT} characters "
                "cannot be kept out of the reports: use a longer one"
            )


def is_redis_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    # An @ further on is the end of a password with a /, ? or # that was not quoted: we would not know it.
    rest = parts.path + parts.query + parts.fragment
    is_text = value.isprintable()  # an environment may hold bytes that are not text
    return (
        parts.scheme in {"redis", "rediss"}
        and bool(parts.hostname)
        and port_is_fine
        and "@" not in rest
        and is_text
    )
