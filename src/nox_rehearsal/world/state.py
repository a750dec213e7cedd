"""What a running rehearsal tells others: `state.json` in its folder, for its own user only."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import psycopg

from nox_rehearsal.error import RehearsalError

_FILE = "state.json"
STAGING_SERVES = ("preflight", "staging")


@dataclass(frozen=True)
class StartedPart:
    """One part as it was last started; no pid: it is stopped."""

    name: str
    address: str
    pid: int | None
    started: int | None


@dataclass(frozen=True)
class World:
    """One rehearsal that is up. Load it again after stopping or starting a part: pids change."""

    name: str
    folder: Path
    supervisor: int
    version: str
    base_url: str
    plain_url: str
    production_url: str
    production_plain_url: str
    kubernetes_url: str
    prometheus_url: str
    registry_host: str
    ca_file: Path
    env_file: Path
    profile: Path
    faults_file: Path
    kubeconfig: Path
    source: Path  # the release repository
    pods: Mapping[str, int]  # staging's: pod name -> port
    production_profile: Path
    production_faults_file: Path
    blue_pods: Mapping[str, int]  # of the version before
    green_pods: Mapping[str, int]  # production's: they run from the moment `green` on
    previous: str  # blue's version
    servers: tuple[StartedPart, ...]
    dsn: str = field(repr=False)  # the superuser's
    production_dsn: str = field(repr=False)
    production_application_dsn: str = field(repr=False)
    application_dsn: str = field(repr=False)
    read_only_dsn: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    registry_password: str = field(repr=False)
    admin_token: str = field(repr=False)  # of the cluster's administrator

    @classmethod
    def load(cls, folder: Path) -> "World":
        """The world in `folder`. Raises FileNotFoundError if it is not up (yet)."""
        document: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        for each in fields(cls):
            if each.type is Path and each.name in document:
                document[each.name] = Path(document[each.name])
        document["servers"] = tuple(StartedPart(**entry) for entry in document["servers"])
        if set(document) != {each.name for each in fields(cls)}:
            raise RehearsalError(
                f"{folder} holds a rehearsal of another version of noxgate: end it with the version that "
                f"started it, or: kill {document.get('supervisor')}"
            )
        return cls(**document)

    def profile_of(self, phase: str) -> Path:
        """The target that serves a phase."""
        return self.profile if phase in STAGING_SERVES else self.production_profile

    def save(self) -> None:
        """Write `state.json`, whole or not at all."""
        draft = self.folder / f"{_FILE}.draft"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=2, default=str)
        draft.replace(self.folder / _FILE)

    @property
    def port(self) -> int:
        """The ingress's TLS port."""
        return int(self.base_url.rpartition(":")[2])

    @property
    def plain_port(self) -> int:
        return int(self.plain_url.rpartition(":")[2])

    @property
    def pids(self) -> dict[str, int]:
        """Part -> pid, of the parts that are not stopped."""
        return {server.name: server.pid for server in self.servers if server.pid is not None}

    def sql(self, *statements: str) -> None:
        """Run statements as the superuser, each its own transaction."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
