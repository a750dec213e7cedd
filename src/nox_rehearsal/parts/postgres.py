"""The rehearsal's PostgreSQL: a private data folder, one TCP port, a database for each environment."""

import shlex
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world.processes import Crew, Part
from noxgate.machine import doctor, postgresql

NAME = "postgres"
SUPERUSER = "rehearsal"
_SETTINGS = postgresql.THROWAWAY | {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
}


@dataclass(frozen=True)
class Names:
    """What one environment's database is called, and its roles."""

    database: str
    application: str
    read_only: str


# What both begin as. It has no connections: the pods would keep it from being copied.
ORIGINAL = Names("nox_7_9_3", "nox_app", "nox_gate")
STAGING = Names("nox", "nox_app", "nox_gate")
PRODUCTION = Names("nox_production", "nox_production_app", "nox_production_gate")
ROLES = (
    SUPERUSER,
    *(role for names in (STAGING, PRODUCTION) for role in (names.application, names.read_only)),
)


@dataclass(frozen=True)
class Server:
    """Where the server is, and a password for each role."""

    port: int
    passwords: dict[str, str] = field(repr=False)

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"


def prepare(folder: Path, server: Server) -> Part:
    """A server that makes its data folder first, unless it is there: that takes half a second."""
    home = folder / NAME
    home.mkdir(mode=0o700)
    owner = postgresql.server_user()
    password_file = home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(server.passwords[SUPERUSER], encoding="utf-8")
    if owner is not None:
        for path in (home, password_file):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)
    data = home / "data"
    initdb = postgresql.initdb(
        doctor.program("initdb"), data, SUPERUSER, f"--pwfile={password_file}", "--auth=scram-sha-256"
    )
    serve = postgresql.serve(doctor.program("postgres"), data, _SETTINGS | {"port": str(server.port)})
    make = f"[ -d {data} ] || {{ {shlex.join(initdb)} && rm {password_file}; }}"
    return Part(
        name=NAME,
        address=f"127.0.0.1:{server.port}",
        command=("sh", "-c", f"{make} && exec {shlex.join(serve)}"),
        folder=home,
        serves=lambda: _answers(server.url(SUPERUSER, "postgres")),
        user=owner,
        stop=signal.SIGINT,  # ends the sessions of others, too
        death=signal.SIGQUIT,  # ends the backends at once; they also end by themselves without the postmaster
    )


def create(server: Server) -> None:
    """Make every role, and the empty database that both environments begin as."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for names in (STAGING, PRODUCTION):
            _make_roles(connection, server, names)
        connection.execute(f"CREATE DATABASE {ORIGINAL.database} OWNER {ORIGINAL.application}".encode())


def copy(server: Server, names: Names) -> None:
    """Make an environment's database, with what the original has now."""
    original, owner = ORIGINAL.database, ORIGINAL.application
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        sql = f"CREATE DATABASE {names.database} TEMPLATE {original} OWNER {names.application}"
        connection.execute(sql.encode())
    if names.application == owner:
        return
    with psycopg.connect(server.url(SUPERUSER, names.database), autocommit=True) as connection:
        connection.execute(f"REASSIGN OWNED BY {owner} TO {names.application}".encode())
        # that was every database of the role, too
        connection.execute(f"ALTER DATABASE {original} OWNER TO {owner}".encode())


def _make_roles(connection: psycopg.Connection[tuple[object, ...]], server: Server, names: Names) -> None:
    for role in (names.application, names.read_only):
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{server.passwords[role]}'".encode())
    connection.execute(f"GRANT pg_read_all_data, pg_monitor TO {names.read_only}".encode())
    connection.execute(f"ALTER ROLE {names.read_only} SET default_transaction_read_only = on".encode())


def run_scripts(crew: Crew, folder: Path, server: Server, names: Names, *scripts: Path) -> None:
    """Run SQL files as the application, in order; the first error ends it."""
    for script in scripts:
        if not script.is_file():
            raise RehearsalError(f"no SQL file {script}")
        crew.run(
            Part(
                name=f"psql-{script.stem}",
                address="",
                command=(
                    str(doctor.program("psql")),
                    "--no-psqlrc",
                    "--quiet",
                    "--set=ON_ERROR_STOP=1",
                    f"--file={script}",
                ),
                folder=folder,
                serves=lambda: None,
                environment={
                    "PGHOST": "127.0.0.1",
                    "PGPORT": str(server.port),
                    "PGDATABASE": names.database,
                    "PGUSER": names.application,
                    "PGPASSWORD": server.passwords[names.application],
                },
            )
        )


def _answers(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        raise AssertionError(str(error)) from None
