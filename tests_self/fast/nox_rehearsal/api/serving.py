"""The reference API, served with a PostgreSQL and a Redis of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql
from redis import Redis

from nox_rehearsal.api.login.auth import mint
from nox_rehearsal.checkout import NOX
from nox_rehearsal.world.ports import reserved
from noxgate.look.waiting import eventually

POSTGRES = Path("/usr/lib/postgresql/15/bin")
SECRET_KEY = "a key of the tests that is long enough"  # noqa: S105

OAUTH = {
    "google": ("https://accounts.google.com/o/oauth2/v2/auth", "openid email profile"),
    "github": ("https://github.com/login/oauth/authorize", "read:user user:email"),
    "microsoft": (
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "openid email profile",
    ),
}


class Servers:
    """A PostgreSQL with seeded templates and a Redis, for the whole session."""

    def __init__(self, postgres: int, redis: int) -> None:
        self.postgres = postgres
        self.redis_url = f"redis://127.0.0.1:{redis}/0"
        self._databases = 0

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.postgres}/{database}"

    def execute(self, database: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def fresh(self, template: str) -> str:
        """A new database, a copy of `seed_7` or `seed_8`."""
        self._databases += 1
        name = f"nox_{self._databases}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return name

    def psql(self, database: str, *files: Path) -> subprocess.CompletedProcess[str]:
        arguments = [word for file in files for word in ("-f", str(file))]
        return subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


MIGRATION = NOX / "migrations" / "v8_to_v8.0.0.sql"


class Api(httpx.Client):
    """A client of one running API, with what it was started with."""

    def __init__(self, port: int, log: Path, faults: Path, database: str) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self.port = port
        self.log = log
        self.faults = faults
        self.database = database

    def as_user(self, path: str, user_id: int = 2, role: str = "user", hours: float = 1) -> httpx.Response:
        token = mint(SECRET_KEY, user_id, role, hours)
        return self.get(path, headers={"Authorization": f"Bearer {token}"})

    def break_it(self, **content: Any) -> None:
        """Put a faults file in its place, as a sabotage does."""
        beside = self.faults.with_suffix(".new")
        beside.write_text(json.dumps(content))
        beside.replace(self.faults)


@contextmanager
def serving(servers: Servers, folder: Path, version: str, database: str, **changes: str) -> Iterator[Api]:
    with reserved(1) as (port,):
        log, faults = folder / f"{port}.log", folder / f"{port}.json"
        environment = variables(servers, version, database, port) | {"NOX_FAULTS": str(faults)} | changes
        with log.open("wb") as output:
            command = [sys.executable, "-m", "nox_rehearsal.api"]
            with (
                process(command, env=environment, stdout=output, stderr=output) as running,
                Api(port, log, faults, database) as api,
            ):
                eventually(lambda: up(api, running), within=60, every=0.05)
                yield api


@contextmanager
def working(servers: Servers, version: str, database: str, **changes: str) -> Iterator[None]:
    environment = variables(servers, version, database, 1) | changes
    command = [sys.executable, "-m", "nox_rehearsal.science.worker"]
    with process(command, env=environment, stdout=subprocess.DEVNULL):
        yield


XTB = {"molecule": "O", "method": "GFN2-xTB", "properties": ["energy", "forces"]}


def variables(servers: Servers, version: str, database: str, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "NOX_VERSION": version,
        "PUBLIC_URL": "https://nox.example",
        "PORT": str(port),
        "POD_NAME": "pod-1",
        "DATABASE_URL": servers.url(database),
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": SECRET_KEY,
        **{f"{name.upper()}_CLIENT_ID": f"{name}-client" for name in OAUTH},
        **{f"{name.upper()}_CLIENT_SECRET": f"{name}-secret" for name in OAUTH},
    }


def finished(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        found: dict[str, Any] = api.get(job["url"]).json()
        assert found["status"] in {"completed", "failed"}
        return found

    return eventually(look, within=60, every=0.05)


def up(api: Api, running: subprocess.Popen[bytes]) -> None:
    if running.poll() is not None:
        raise RuntimeError(api.log.read_text())
    try:
        assert api.get("/ready").status_code == 200
    except httpx.TransportError as error:
        raise AssertionError(error) from None


def answers(servers: Servers) -> None:
    try:
        servers.execute("postgres", "SELECT 1")
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.ping()
    except (psycopg.OperationalError, ConnectionError) as error:
        raise AssertionError(error) from None


@contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Running inside the block; asked to end after it, then made to."""
    with subprocess.Popen(command, **options) as running:
        try:
            yield running
        finally:
            running.send_signal(signal.SIGINT if "postgres" in command[0] else signal.SIGTERM)
            try:
                running.wait(timeout=60)
            except subprocess.TimeoutExpired:
                running.kill()
