"""Profiles: reads `targets/<name>.toml` and the runbook's environment variables into a Target."""

import difflib
import ipaddress
import math
import os
import re
import ssl
import tomllib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.secret import FRAGMENT
from noxgate.target import CREDENTIALS, PROVIDERS, ProfileError, Target, UnreachableError

VARIABLE = r"[A-Z][A-Z0-9_]*"
# The runbook's own variables and the setting that each replaces. Credentials come by variable already.
OVERRIDES = {"BASE_URL": "base_url", "NAMESPACE": "namespace", "KUBECONFIG": "kubeconfig"}
REHEARSALS = ("rehearsal", "rehearsal-production")  # the only profiles that may say rehearsal = true
BELOW_SOURCE = ("manifests", "switch_patch", "rollback_patch")
DEFAULT_HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-xss-protection": "1; mode=block",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "content-security-policy": "default-src 'self'",
    "referrer-policy": "strict-origin-when-cross-origin",
}

_KEYS: dict[str, type] = {
    "serves": list,
    "rehearsal": bool,
    "load": bool,
    "base_url": str,
    "plain_url": str,
    "ca_file": str,
    "namespace": str,
    "production": str,
    "env_file": str,
    "kubeconfig": str,
    "context": str,
    "dry_run_context": str,
    "green_namespace": str,
    "blue_namespace": str,
    "prometheus_url": str,
    "source": str,
    "manifests": str,
    "switch_patch": str,
    "rollback_patch": str,
    "wait_seconds": float,
    "credentials": dict,
    "oauth": dict,
    "security_headers": dict,
}
_EXPECTED = {list: "a list", bool: "true or false", str: "text", dict: "a table", float: "a number like 2.5"}
_REQUIRED = ("serves", "base_url", "namespace", "credentials", "oauth")


def read_target(
    root: Path, name: str, phases: Collection[str], environment: Mapping[str, str] = os.environ
) -> Target:
    """Read the profile `name`, or a path ending in .toml; raises ProfileError with one line."""
    path = _find(root, name)
    document = _load(path)
    _check_keys(path, document)
    origins = dict.fromkeys(document, path.name)
    for variable, key in OVERRIDES.items():
        if environment.get(variable) and not document.get("rehearsal", False):
            document[key] = environment[variable]
            origins[key] = variable
    target = _target(path, document, phases, environment, origins)
    if target.production is not None:
        _check_peer(target, read_peer(root, target, phases, environment))
    return target


def read_peer(
    root: Path, target: Target, phases: Collection[str], environment: Mapping[str, str] = os.environ
) -> Target:
    """The target that `production` names: production, seen from staging.

    Each variable that its profile names is read with the peer's name before it, such as
    PRODUCTION_DATABASE_URL: DATABASE_URL is the target's own. BASE_URL and the like are, too.
    """
    if target.production is None:
        raise UnreachableError(f"{target.path.name} names no production, the peer to look at")
    try:
        path = _find(root, target.production)
    except ProfileError as error:
        raise ProfileError(f"{target.path.name}: production: {error}") from None
    if path.resolve() == target.path.resolve():
        raise ProfileError(f"{target.path.name}: production: a target cannot be its own peer")
    document = _load(path)
    _check_keys(path, document)
    prefix = re.sub(r"[^A-Z0-9]", "_", path.stem.upper()) + "_"
    return _target(path, document, phases, environment, dict.fromkeys(document, path.name), prefix)


def _target(
    path: Path,
    document: Mapping[str, Any],
    phases: Collection[str],
    environment: Mapping[str, str],
    origins: Mapping[str, str],
    prefix: str = "",
) -> Target:
    rehearsal = document.get("rehearsal", False)
    base_url = _url(path, origins["base_url"], document["base_url"], "https")
    if rehearsal and not _is_loopback(base_url):
        raise ProfileError(
            f"{path.name}: rehearsal = true belongs to this machine, but base_url is {base_url}"
        )
    if rehearsal and path.stem not in REHEARSALS:
        raise ProfileError(f"{path.name}: rehearsal = true belongs in a rehearsal's own rehearsal.toml")
    namespaces = {
        key: _namespace(path, origins[key], document[key])
        for key in ("namespace", "green_namespace", "blue_namespace")
        if key in document
    }
    ids, id_variables = _oauth(path, document["oauth"])
    id_variables = {provider: prefix + name for provider, name in id_variables.items()}
    credentials = {role: prefix + name for role, name in _credentials(path, document["credentials"]).items()}
    named = {*credentials.values(), *id_variables.values()}
    variables = _variables(path, document, environment, prefix, rehearsal=rehearsal)
    target = Target(
        name=path.stem,
        path=path,
        serves=_serves(path, document["serves"], phases),
        base_url=base_url,
        plain_url=_plain_url(path, document, base_url),
        namespace=namespaces["namespace"],
        green_namespace=namespaces.get("green_namespace", namespaces["namespace"]),
        blue_namespace=namespaces.get("blue_namespace"),
        rehearsal=rehearsal,
        load=document.get("load", False),
        production=document.get("production"),
        ca_file=_ca_file(path, document["ca_file"]) if "ca_file" in document else None,
        kubeconfig=_kubeconfig(path, origins["kubeconfig"], document["kubeconfig"])
        if "kubeconfig" in document
        else None,
        context=document.get("context"),
        dry_run_context=document.get("dry_run_context"),
        prometheus_url=_prometheus_url(path, document["prometheus_url"])
        if "prometheus_url" in document
        else None,
        source=_source(path, document["source"]) if "source" in document else None,
        **{key: _below(path, key, document[key]) for key in BELOW_SOURCE if key in document},
        wait_seconds=_wait_seconds(path, document["wait_seconds"], rehearsal=rehearsal)
        if "wait_seconds" in document
        else None,
        client_ids=ids,
        client_id_variables=id_variables,
        security_headers=_headers(path, document.get("security_headers", DEFAULT_HEADERS)),
        credentials=credentials,
        variables={name: value for name, value in variables.items() if name in named},
        origins=origins,
    )
    _check_secrets(target)
    return target


def _plain_url(path: Path, document: Mapping[str, Any], base_url: str) -> str:
    host = urlsplit(base_url).hostname
    if "plain_url" not in document:
        return f"http://{f'[{host}]' if ':' in str(host) else host}"
    plain_url = _url(path, "plain_url", document["plain_url"], "http")
    if urlsplit(plain_url).hostname != host:
        raise ProfileError(f"{path.name}: plain_url: expected the host of base_url, saw {plain_url}")
    return plain_url


def _namespace(path: Path, where: str, value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", value):
        raise ProfileError(
            f"{path.name}: {where}: expected a Kubernetes namespace "
            f"(lower-case letters, digits, -), saw {value!r}"
        )
    return value


def _kubeconfig(path: Path, where: str, value: str) -> str:
    """One file or several; kubectl takes those that are there, and so do we where there is at least one."""
    files = [path.parent / Path(name).expanduser() for name in value.split(os.pathsep) if name]
    there = [str(file) for file in files if file.is_file()]
    if not there:
        raise ProfileError(f"{path.name}: {where}: expected a kubeconfig, no such file: {value}")
    return os.pathsep.join(there)


def _prometheus_url(path: Path, value: str) -> str:
    try:
        parts = urlsplit(value)
        is_fine = parts.scheme in {"http", "https"} and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        parts, is_fine = urlsplit(""), False
    if not is_fine or "@" in parts.netloc or parts.query or parts.fragment:
        seen = f"saw {value!r}" if not {"@", "?"} & set(value) else "saw another form"
        raise ProfileError(f"{path.name}: prometheus_url: expected http(s)://HOST[:PORT][/PATH], {seen}")
    return value.rstrip("/")


def _source(path: Path, value: str) -> Path:
    found = path.parent / Path(value).expanduser()
    if not found.is_dir():
        raise ProfileError(
            f"{path.name}: source: expected the release repository, saw no such folder: {found}"
        )
    return found


def _below(path: Path, key: str, value: str) -> str:
    if not value or Path(value).is_absolute() or ".." in Path(value).parts:
        raise ProfileError(f"{path.name}: {key}: expected a path below source, saw {value!r}")
    return value


def _wait_seconds(path: Path, value: float, *, rehearsal: bool) -> float:
    if not rehearsal or not 0 <= value < math.inf:
        raise ProfileError(
            f"{path.name}: wait_seconds: only a rehearsal may wait less than the runbook says, saw {value}"
        )
    return value


def _find(root: Path, name: str) -> Path:
    folder = root / "targets"
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    with suppress(OSError):  # such as a name that is too long
        if path.is_file():
            return path
    known = sorted(found.stem for found in folder.glob("*.toml"))
    if name == "rehearsal":
        raise ProfileError(
            "target 'rehearsal' is not up: start it with `noxgate rehearse up`, or name --target"
        )
    listed = f"targets: {', '.join(known)}" if known else f"{folder} has no profiles"
    raise ProfileError(f"no target {name!r} ({listed}){_guess(name, known)}")


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path.name}: expected UTF-8 text: {error.reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path.name}: {error}") from None


def _check_keys(path: Path, document: Mapping[str, Any]) -> None:
    for key, value in document.items():
        if key not in _KEYS:
            raise ProfileError(
                f"{path.name}: unknown key {key!r} (keys: {', '.join(_KEYS)}){_guess(key, _KEYS)}"
            )
        if not isinstance(value, _KEYS[key]):
            expected = _EXPECTED[_KEYS[key]]
            seen = type(value).__name__ if _KEYS[key] is dict else repr(value)  # it may be a secret
            raise ProfileError(f"{path.name}: {key}: expected {expected}, saw {seen}")
    missing = [key for key in _REQUIRED if key not in document]
    if missing:
        raise ProfileError(f"{path.name}: missing {', '.join(missing)}")


def _serves(path: Path, serves: list[Any], phases: Collection[str]) -> tuple[str, ...]:
    for phase in serves:
        if phase not in phases:
            raise ProfileError(
                f"{path.name}: serves: no phase {phase!r} (phases: {', '.join(phases)})"
                f"{_guess(phase, phases)}"
            )
    if not serves:
        raise ProfileError(f"{path.name}: serves: expected at least one phase ({', '.join(phases)})")
    return tuple(serves)


def _url(path: Path, where: str, value: str, scheme: str) -> str:
    problem = None
    try:
        parts = urlsplit(value)
        host_is_fine = _is_host(parts.hostname or "")
        port_is_fine = (parts.port is None or parts.port > 0) and not parts.netloc.endswith(":")
    except ValueError:
        parts, host_is_fine, port_is_fine = urlsplit(""), False, False
    if parts.scheme != scheme or not host_is_fine or not port_is_fine:
        # after an @ or a ? there may be a secret
        problem = f"saw {value!r}" if not {"@", "?"} & set(value) else "saw another form"
    elif parts.username is not None or parts.password is not None:
        problem = "saw a user name or password in it"
    elif parts.path not in {"", "/"} or parts.query or parts.fragment:
        problem = "saw more than scheme, host and port"
    if problem:
        guess = ""
        if "://" not in value and "@" not in value and value:
            guess = f"; did you mean {scheme}://{value.lstrip('/')}?"
        raise ProfileError(f"{path.name}: {where}: expected {scheme}://HOST[:PORT], {problem}{guess}")
    usual = ":443" if scheme == "https" else ":80"
    return f"{scheme}://{parts.netloc.lower().removesuffix(usual)}"


def _is_host(name: str) -> bool:
    """A DNS name in ASCII (RFC 1123) without a dot at its end, or an address."""
    if re.fullmatch(r"[0-9a-f:.]+", name) and ":" in name:
        return True
    labels = name.split(".")
    return all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", label) for label in labels)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _file(path: Path, key: str, value: str) -> Path:
    found = path.parent / value
    if not found.is_file():
        raise ProfileError(f"{path.name}: {key}: no such file: {found}")
    return found


def _ca_file(path: Path, value: str) -> Path:
    found = _file(path, "ca_file", value)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(found)
    except OSError:  # ssl.SSLError is one
        raise ProfileError(f"{path.name}: ca_file: expected certificates in PEM form in {found}") from None
    return found


def _oauth(path: Path, table: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    ids: dict[str, str] = {}
    variables: dict[str, str] = {}
    for provider, entry in table.items():
        where = f"{path.name}: [oauth.{provider}]"
        if provider not in PROVIDERS:
            raise ProfileError(f"{where}: no such provider (providers: {', '.join(PROVIDERS)})")
        if (
            not isinstance(entry, dict)
            or len(entry) != 1
            or not entry.keys() <= {"client_id", "client_id_variable"}
        ):
            seen = ", ".join(entry) or "nothing" if isinstance(entry, dict) else type(entry).__name__
            raise ProfileError(  # no values: a client secret may stand here by mistake
                f'{where}: expected client_id = "…" or client_id_variable = "NAME", saw {seen}'
            )
        ((key, value),) = entry.items()
        if not isinstance(value, str) or not value.strip():
            raise ProfileError(f"{where} {key}: expected text, saw {value!r}")
        if key == "client_id_variable" and not re.fullmatch(VARIABLE, value):
            raise ProfileError(
                f"{where} {key}: expected the NAME of an environment variable (capitals, digits, _)"
            )
        (ids if key == "client_id" else variables)[provider] = value
    return ids, variables


def _headers(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    for name, value in table.items():
        if not isinstance(value, str) or not value:
            raise ProfileError(
                f"{path.name}: [security_headers] {name}: expected the header's value, saw {value!r}"
            )
    return {name.lower(): value for name, value in table.items()}


def _credentials(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    for role, name in table.items():
        if role not in CREDENTIALS:
            raise ProfileError(
                f"{path.name}: [credentials]: unknown key {role!r} (keys: {', '.join(CREDENTIALS)})"
                f"{_guess(role, CREDENTIALS)}"
            )
        if not isinstance(name, str) or not re.fullmatch(VARIABLE, name):
            raise ProfileError(  # the value may be a secret put here by mistake: never show it
                f"{path.name}: [credentials] {role}: expected the NAME of an environment variable "
                "(capitals, digits, _), never the value itself"
            )
    return dict(table)


def _variables(
    path: Path, document: Mapping[str, Any], environment: Mapping[str, str], prefix: str, *, rehearsal: bool
) -> dict[str, str]:
    """Variables by name. A rehearsal reads its own file only, lest its checks look at a real target."""
    given = {} if rehearsal else {name: value for name, value in environment.items() if value}
    if "env_file" not in document:
        return given
    found = _file(path, "env_file", document["env_file"])
    try:
        lines = found.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ProfileError(f"{path.name}: env_file: {found} cannot be read as UTF-8 text") from None
    from_file = {}
    for number, line in enumerate(lines, start=1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or name.startswith("#"):
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ProfileError(f"{found.name}:{number}: expected NAME=value")
        if value:
            from_file[prefix + name] = value
    return from_file | given


def _check_secrets(target: Target) -> None:
    for role, schemes in {
        "database_url": ("postgresql", "postgres"),
        "redis_url": ("redis", "rediss"),
    }.items():
        name = target.credentials.get(role, "")
        value = target.variables.get(name)
        if value is not None and not _is_connection_url(value, schemes):
            raise ProfileError(
                f"{name}: expected {schemes[0]}://USER:PASSWORD@HOST:PORT/NAME, saw another form "
                f"({len(value)} characters, not shown)"
            )
    for role in ("test_token", "admin_token"):
        name = target.credentials.get(role, "")
        if not re.fullmatch(r"[!-~]+", target.variables.get(name, "-")):
            raise ProfileError(f"{name}: expected a token of visible ASCII characters without spaces")
    for secret in target.secrets():
        if len(secret.reveal()) < FRAGMENT:
            raise ProfileError(
                f"{secret.name}: a token or password of fewer than {FRAGMENT} characters "
                "cannot be kept out of the reports: use a longer one"
            )


def _is_connection_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    # An @ further on is the end of a password with a /, ? or # that was not quoted: we would not know it.
    rest = parts.path + parts.query + parts.fragment
    is_text = value.isprintable()  # an environment may hold bytes that are no text
    return parts.scheme in schemes and bool(parts.hostname) and port_is_fine and "@" not in rest and is_text


def _check_peer(target: Target, peer: Target) -> None:
    """Two targets that are one would be compared with themselves."""
    hosts = {urlsplit(each.base_url).hostname for each in (target, peer)}  # whatever the port
    same = {
        "base_url": target.base_url == peer.base_url if target.rehearsal else len(hosts) == 1,
        "namespace": target.namespace == peer.namespace,
    }
    for key in (key for key, is_same in same.items() if is_same):
        raise ProfileError(
            f"target {target.name!r} and its peer {target.production!r} have the same {key} "
            f"{getattr(target, key)} (from {target.origins[key]}): one of them is wrong"
        )


def _guess(word: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
