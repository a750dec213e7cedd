"""Sessions of a backup: pg_dump's and a physical one's as they are, and who only looks like one."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest
from tests_self.building.databases import LIMIT, is_seen, named, seen, target_at

from noxgate.look.waiting import eventually
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.postgres.sessions import (
    Session,
    backups,
    idle_in_transaction,
    sessions,
    slow,
)
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server import programs as server_programs

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

RENAMED = os.environ | {"PGAPPNAME": "nightly"}


def test_a_backup_is_no_query_of_the_application(server: ScratchServer, looking: Database) -> None:
    """pg_dump as it is, by another name, held up by a table's lock."""
    tables = "CREATE TABLE big AS SELECT 1 AS one; CREATE TABLE locked AS SELECT 1 AS one"
    command = [str(program("pg_dump")), "--section=data", server.url("postgres")]
    with named(server, "owner", autocommit=True) as connection:
        connection.execute(tables)
        with psycopg.connect(server.url("postgres"), application_name="locks") as locks:
            locks.execute("LOCK TABLE locked")

            def is_held_up() -> None:
                found = sessions(looking)
                assert [one.application for one in backups(found, LIMIT)] == ["nightly"]
                assert "nightly" not in {one.application for one in slow(found, LIMIT)}

            with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=RENAMED) as dumps:
                try:
                    eventually(is_held_up, within=60, every=0.1)
                finally:
                    locks.rollback()
                    dumps.wait(timeout=60)
        connection.execute("DROP TABLE big, locked")


def test_a_backup_that_waits_for_its_moment(server: ScratchServer, looking: Database) -> None:
    """With --serializable-deferrable it begins when all writers are done; till then it waits alone."""
    command = [str(program("pg_dump")), "--serializable-deferrable", server.url("postgres")]
    with named(server, "owner", autocommit=True) as owner:
        owner.execute("CREATE TABLE written AS SELECT 1 AS one")
        with named(server, "api") as writes:
            writes.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            writes.execute("INSERT INTO written VALUES (2)")

            def waits() -> None:
                found = sessions(looking)
                assert [one.application for one in backups(found, LIMIT)] == ["nightly"]
                assert [one.application for one in slow(found, LIMIT)] == []

            with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=RENAMED) as dumps:
                try:
                    eventually(waits, within=60, every=0.1)
                finally:
                    writes.rollback()
                    dumps.wait(timeout=60)
        owner.execute("DROP TABLE written")


def test_the_leader_of_a_parallel_backup(server: ScratchServer, looking: Database, tmp_path: Path) -> None:
    """It is idle in transaction as long as its jobs copy."""
    command = [str(program("pg_dump")), "-Fd", "-j2", f"--file={tmp_path / 'dump'}", server.url("postgres")]
    with named(server, "owner", autocommit=True) as connection:
        # pg_dump's jobs lock without waiting: what holds one of them up is a view's slow function
        connection.execute("CREATE TABLE rows AS SELECT 1 AS one")
        connection.execute(
            "CREATE SEQUENCE numbers"
        )  # whose value is the last that the first session asks for
        connection.execute(
            "CREATE FUNCTION slow(integer) RETURNS integer STABLE LANGUAGE sql AS"
            " $$ SELECT 1 FROM (SELECT pg_sleep(60)) AS it $$"
        )
        connection.execute("CREATE POLICY slowly ON rows USING (public.slow(one) = 1)")
        connection.execute("ALTER TABLE rows ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE ROLE dumps LOGIN")
        connection.execute("GRANT pg_read_all_data TO dumps")
        command = [*command[:-1], "--enable-row-security", server.url("postgres", "dumps")]
        with subprocess.Popen(command, env=RENAMED) as dumps:

            def both_are_seen() -> None:
                found = sessions(looking)
                states = {one.state for one in backups(found, LIMIT)}
                assert states >= {"active", "idle in transaction"}
                assert [one for one in idle_in_transaction(found, LIMIT) if one.user == "dumps"] == []
                assert [one for one in slow(found, LIMIT) if one.user == "dumps"] == []

            try:
                eventually(both_are_seen, within=60, every=0.1)
            finally:
                dumps.terminate()
                dumps.wait(timeout=60)
        connection.execute("DROP TABLE rows")
        connection.execute("DROP FUNCTION slow(integer)")
        connection.execute("DROP SEQUENCE numbers")


@pytest.mark.parametrize(
    "does",
    [
        "SELECT count(*) FROM taken",  # of the application's own tables
        "CREATE TABLE another AS SELECT 1",
        "LOCK TABLE taken",
        "INSERT INTO taken VALUES (2)",
    ],
)
def test_who_only_calls_itself_a_backup(
    server: ScratchServer, looking: Database, does: LiteralString
) -> None:
    with named(server, "owner", autocommit=True) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS taken AS SELECT 1 AS one")
        with named(server, "pg_dump") as connection:
            connection.execute(does)

            eventually(lambda: is_seen(looking, ["pg_dump"]), within=60, every=0.1)
        owner.execute("DROP TABLE taken")


@pytest.mark.parametrize(
    ("isolation", "before"),
    [
        (psycopg.IsolationLevel.REPEATABLE_READ, "SELECT 1"),
        (
            psycopg.IsolationLevel.REPEATABLE_READ,
            "SELECT FROM pg_class JOIN pg_depend ON objid = pg_class.oid",
        ),
        (
            psycopg.IsolationLevel.READ_COMMITTED,
            "SELECT FROM pg_class, pg_depend, pg_extension, pg_foreign_table",
        ),
    ],
)
def test_a_reader_of_the_application(
    server: ScratchServer, looking: Database, isolation: psycopg.IsolationLevel, before: LiteralString
) -> None:
    """It reads some of the catalog, sends a table's rows, and leaves its transaction open."""
    with named(server, "pg_dump") as connection:
        connection.isolation_level = isolation
        connection.execute(before)
        with connection.cursor().copy("COPY (SELECT 1) TO stdout;") as rows:
            assert list(rows) != []

        eventually(lambda: is_seen(looking, ["pg_dump"]), within=60, every=0.1)


@pytest.fixture(scope="module")
def archiving() -> Iterator[ScratchServer]:
    """A server from which a base backup can be taken, and whose WAL cannot be kept."""
    kept = {"wal_level": "replica", "archive_mode": "on", "archive_command": "false"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in kept.items():
            patch.setitem(server_programs._SETTINGS, name, value)  # noqa: SLF001
        server = ScratchServer(server_programs.programs(int(program("postgres").parents[1].name)))
    yield server
    server.close()


def test_a_physical_backup_that_waits(archiving: ScratchServer, loopback: "Loopback") -> None:
    """For its WAL, as long as that is not kept; by a function of a name of its own, too."""
    url = archiving.url("postgres")
    with named(archiving, "owner", autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION ended() RETURNS text LANGUAGE sql"
            " AS $$ SELECT lsn::text FROM pg_backup_stop() $$"
        )

        def backs_up() -> None:
            with (
                suppress(psycopg.errors.AdminShutdown),
                named(archiving, "base", autocommit=True) as connection,
            ):
                connection.execute("SELECT pg_backup_start('base', fast => true)")
                connection.execute("SELECT ended()")

        thread = threading.Thread(target=backs_up)
        thread.start()
        with closing(DatabaseSession(settings.database(target_at(loopback, url)))) as session:
            looking = Database(session, lambda _: None)

            def waits() -> None:
                assert seen(looking, backups, LIMIT) == ["base"]
                assert seen(looking, slow, LIMIT) == []

            try:
                eventually(waits, within=60, every=0.1)
            finally:
                owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'base'"
                )
                thread.join()


def test_a_query_that_only_names_a_backup(server: ScratchServer, looking: Database) -> None:
    """It holds its rows as long as any other."""

    def runs_on() -> None:
        with suppress(psycopg.errors.QueryCanceled), named(server, "api", autocommit=True) as connection:
            connection.execute("SELECT pg_sleep(60) /* SELECT pg_backup_start('base') */")

    def is_slow() -> None:
        assert seen(looking, slow, LIMIT) == ["api"]

    thread = threading.Thread(target=runs_on)
    thread.start()
    try:
        eventually(is_slow, within=60, every=0.1)
    finally:
        with named(server, "owner", autocommit=True) as owner:
            owner.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'api'"
            )
        thread.join()


COPY = "COPY public.jobs (id, said) TO stdout;"


CALLS = "SELECT * FROM pg_backup_start('base', false)"


@pytest.mark.parametrize(
    ("query", "dumps", "waits", "is_backup"),
    [
        (COPY, True, "", True),
        ("COPY public.wide (a_column, and_more_than_fit_into_the_1024_byt", True, "", True),
        ("FETCH 100 FROM _pg_dump_cursor", True, "", True),
        ("LOCK TABLE public.jobs IN ACCESS SHARE MODE", True, "relation", True),
        ("SELECT last_value, is_called FROM public.jobs_id_seq", True, "", True),
        ("SELECT DISTINCT attrelid FROM pg_attribute WHERE attacl IS NOT NULL", True, "", True),
        (COPY, False, "", False),
        ("SELECT * FROM jobs", True, "", False),
        (CALLS, False, "CheckpointDone", True),
        ("CALL backups.begin()", False, "CheckpointStart", True),
        ("SELECT * FROM pg_backup_stop()", False, "BackupWaitWalArchive", True),
        (CALLS, False, "DataFileRead", False),
        ("SELECT pg_sleep(61) /* pg_backup_start( */", False, "PgSleep", False),
        ("SELECT * FROM jobs WHERE said = 'pg_backup_start()'", False, "", False),
        ("CHECKPOINT", False, "CheckpointDone", False),
        ("create database other", False, "CheckpointDone", False),
        ("/* of the app */ -- at night\n CREATE DATABASE other", False, "CheckpointDone", False),
        ("/* CREATE DATABASE */ SELECT pg_backup_start('x')", False, "CheckpointDone", True),
        ("/* of /* the */ app */CHECKPOINT", False, "CheckpointDone", False),
        ("/* of /* the */ app */ SELECT pg_backup_start('x')", False, "CheckpointDone", True),
        ("/* a comment that PostgreSQL cut off", False, "CheckpointDone", False),
        ("SELECT oid, rolname FROM pg_catalog.pg_roles ORDER BY 1", False, "SafeSnapshot", True),
        ("SELECT * FROM jobs", False, "SafeSnapshot", False),
    ],
)
def test_what_a_backup_does(query: str, *, dumps: bool, waits: str, is_backup: bool) -> None:
    one = Session(1, "u", "nox-api", "active", 61, query, dumps, waits)

    assert one.is_backup is is_backup
    assert slow([one], 60) == ([] if is_backup else [one])
    assert query not in str(one)


def test_a_backup_that_began_and_waits() -> None:
    """Between the two calls its session is idle; in a transaction it holds what others do."""
    began = "SELECT pg_backup_start('base')"

    assert idle_in_transaction([Session(1, "u", "mine", "idle in transaction", 61, began)], 30) != []


def test_whose_long_read_counts() -> None:
    found = [
        Session(1, "backup", "pg_dump", "active", 3600, COPY, dumps=True),
        Session(2, "backup", "pg_dump", "idle in transaction", 3600, "BEGIN", dumps=True),
        Session(3, "nox", "api", "active", 3600),  # COPY (SELECT …) TO STDOUT of the application
        Session(4, "nox", "psql", "idle in transaction", 3600),
        Session(5, "nox", "pg_dump of mine", "active", 3600),
    ]

    assert [one.pid for one in slow(found, 60)] == [3, 5]
    assert [one.pid for one in idle_in_transaction(found, 30)] == [4]
    assert [one.pid for one in backups(found, 60)] == [1, 2]
