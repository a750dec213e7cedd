"""What the server is told: a JSON or TOML file. Its `pods` are read again when the file changes."""

import ipaddress
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kube_standin.wire.answers import Json

AUTHENTICATED = "system:authenticated"


class SettingsError(Exception):
    """The settings cannot be used; the message names the file and the key, never a token."""


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True)
class Place:
    """Where a pod really is: the loopback addresses of its ports, its log, and the programs it can run."""

    address: str = ""  # host:port for every port that `ports` does not name
    ports: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    previous_log: str = ""
    programs: Mapping[str, list[str]] = field(default_factory=dict)  # what a client asks for -> what is run
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str = ""

    def of_port(self, port: int) -> tuple[str, int] | None:
        """The real host and port behind a container port."""
        address = self.ports.get(str(port), self.address)
        host, _, number = address.rpartition(":")
        return (host, int(number)) if number else None


@dataclass(frozen=True)
class Settings:
    """One server's settings."""

    path: Path
    port: int
    certificate: Path
    key: Path
    tokens: Mapping[str, User] = field(repr=False)
    host: str = "127.0.0.1"
    audit_log: Path | None = None
    controllers: bool = False  # empties namespaces that are going, and collects what a deletion leaves


class Places:
    """Where pods are, by `namespace/name`, as the settings file says now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = -1
        self._places: dict[str, Place] = {}

    def of(self, namespace: str, name: str) -> Place | None:
        changed = self._path.stat().st_mtime_ns
        if changed != self._seen:
            try:
                self._places = _places(self._path, _read(self._path))
            except SettingsError:  # it is being written: what it said before holds until it can be read
                return self._places.get(f"{namespace}/{name}")
            self._seen = changed
        return self._places.get(f"{namespace}/{name}")


def load(path: Path) -> Settings:
    """The settings in a file. Raises SettingsError for the first one that is missing or bad."""
    found = _read(path)
    _places(path, found)
    host = found.get("host", "127.0.0.1")
    if not _is_loopback(host):
        raise SettingsError(f"{path}: host must be a loopback address")
    port = found.get("port")
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 2**16:
        raise SettingsError(f"{path}: port must be a number from 1 to 65535")
    return Settings(
        path=path,
        port=port,
        certificate=_file(path, found, "certificate"),
        key=_file(path, found, "key"),
        tokens=_tokens(path, found),
        host=host,
        audit_log=_audit_log(path, found),
        controllers=_controllers(path, found),
    )


def _read(path: Path) -> Json:
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: must be an object")
    return found


def _file(path: Path, found: Json, key: str) -> Path:
    value = found.get(key)
    if not isinstance(value, str) or not (path.parent / value).is_file():
        raise SettingsError(f"{path}: {key} must be the path of a file")
    return path.parent / value


def _audit_log(path: Path, found: Json) -> Path | None:
    value = found.get("audit_log")
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"{path}: audit_log must be the path of a file")
    return None if value is None else path.parent / value


def _controllers(path: Path, found: Json) -> bool:
    value = found.get("controllers", False)
    if not isinstance(value, bool):
        raise SettingsError(f"{path}: controllers must be true or false")
    return value


def _tokens(path: Path, found: Json) -> dict[str, User]:
    given = found.get("tokens", {})
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: tokens must be an object")
    users = {}
    for number, (token, user) in enumerate(given.items(), 1):
        if not isinstance(user, dict) or not isinstance(user.get("user"), str):
            raise SettingsError(f"{path}: token {number} must say its user")
        groups = user.get("groups", [])
        users[token] = User(user["user"], tuple(dict.fromkeys([*groups, AUTHENTICATED])))
    return users


def _places(path: Path, found: Json) -> dict[str, Place]:
    given = found.get("pods", {})
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: pods must be an object")
    return {name: _place(path, name, place) for name, place in given.items()}


def _place(path: Path, name: str, given: Any) -> Place:
    try:
        place = Place(**given)
    except TypeError as error:
        raise SettingsError(f"{path}: pods.{name}: {error}") from None
    for address in [*place.ports.values(), *([place.address] if place.address else [])]:
        host, _, port = address.rpartition(":")
        if not _is_loopback(host) or not port.isdigit():
            raise SettingsError(f"{path}: pods.{name}: {address!r} is not a loopback address with a port")
    return place


def _is_loopback(host: Any) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
