"""The rehearsal's PostgreSQL: a private data folder, one TCP port, three roles."""

import os
import pwd
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from noxgate import doctor
from noxgate.rehearsal.error import RehearsalError
from noxgate.rehearsal.processes import Crew, Part

NAME = "postgres"
DATABASE = "nox"
SUPERUSER = "rehearsal"
APPLICATION = "nox_app"
READ_ONLY = "nox_gate"
# The data is thrown away: nothing waits for a disk.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Database:
    """Where the database is, and a password for each role."""

    port: int
    passwords: dict[str, str] = field(repr=False)

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"


def lay_out(crew: Crew, folder: Path, database: Database) -> Part:
    """Make the data folder (initdb) and say how to run the server on it."""
    home = folder / NAME
    home.mkdir(mode=0o700)
    owner = _server_user()
    password_file = home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(database.passwords[SUPERUSER], encoding="utf-8")
    if owner is not None:
        for path in (home, password_file):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)
    data = home / "data"
    crew.run(
        Part(
            name="initdb",
            address="",
            command=(
                str(doctor.program("initdb")),
                f"--pgdata={data}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ),
            folder=home,
            serves=lambda: None,
            user=owner,
        )
    )
    password_file.unlink()
    settings = _SETTINGS | {"port": str(database.port)}
    return Part(
        name=NAME,
        address=f"127.0.0.1:{database.port}",
        command=(
            str(doctor.program("postgres")),
            "-D",
            str(data),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        ),
        folder=home,
        serves=lambda: _answers(database.url(SUPERUSER, "postgres")),
        user=owner,
        stop=signal.SIGINT,  # ends the sessions of others, too
        death=signal.SIGQUIT,  # ends the backends at once; they also end by themselves without the postmaster
    )


def create(database: Database) -> None:
    """Make the roles and the empty database that the application owns."""
    with psycopg.connect(database.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for role in (APPLICATION, READ_ONLY):
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{database.passwords[role]}'".encode())
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {APPLICATION}".encode())
        connection.execute(f"GRANT pg_read_all_data, pg_monitor TO {READ_ONLY}".encode())
        connection.execute(f"ALTER ROLE {READ_ONLY} SET default_transaction_read_only = on".encode())


def run_scripts(crew: Crew, folder: Path, database: Database, *scripts: Path) -> None:
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
                    "PGPORT": str(database.port),
                    "PGDATABASE": DATABASE,
                    "PGUSER": APPLICATION,
                    "PGPASSWORD": database.passwords[APPLICATION],
                },
            )
        )


def _server_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise RehearsalError("PostgreSQL does not run as root and there is no user postgres") from None


def _answers(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        raise AssertionError(str(error)) from None
