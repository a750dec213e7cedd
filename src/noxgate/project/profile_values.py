"""The values of a profile, each read and checked: what was expected, what was seen, in one line."""

import ipaddress
import math
import os
import re
import ssl
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.errors import ProfileError
from noxgate.project.keys import places
from noxgate.project.keys.key import NAME
from noxgate.project.keys.places import ON_PRODUCTION
from noxgate.project.keys.reading import guess
from noxgate.project.keys.release import BACKUP_FORMS

PREFIX = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"  # of paths; no dots that lead elsewhere


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


def selector(path: Path, key: str, value: str) -> str:
    """Of Prometheus' counters, as NAME or NAME{LABEL="VALUE"}: a matcher is added to it."""
    if not re.fullmatch(r"[a-zA-Z_:][\w:]*\s*(\{.*\})?", value.strip(), re.ASCII | re.DOTALL):
        raise ProfileError(
            f'{path.name}: {key}: expected such as requests_total{{user="yes"}}, saw {value!r}'
        )
    return value.strip()


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
