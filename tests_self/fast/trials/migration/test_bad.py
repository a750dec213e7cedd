"""Migrations that cannot work, lock for long or hang."""

import re

import pytest
from tests_self.fast.trials.migration.workshop import GOOD, SCHEMA, Workshop

from noxgate.errors import UnreachableError
from noxgate.systems.postgres import catalog as found
from noxgate.trials.migration.locks import TableLock, too_long, unknown


def test_concurrently_in_a_transaction(workshop: Workshop) -> None:
    """The linter names the line; the run stops there."""
    migration = workshop.migration(
        "BEGIN;\nALTER TABLE users ADD x int;\nCREATE INDEX CONCURRENTLY i\n  ON users (x);\nCOMMIT;\n"
    )

    assert migration.refused() == [
        "line 3: CREATE INDEX CONCURRENTLY cannot run inside a transaction: one is open since line 1"
    ]
    ran = migration.first_run()
    assert ran.error == "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"
    assert ran.line == 4  # psql names a statement's last line
    with pytest.raises(AssertionError, match="the first run fails: line 4: CREATE INDEX"):
        migration.second_run()
    with pytest.raises(UnreachableError, match="the new schema is not there: the migration fails: line 4"):
        migration.broken_queries()


def test_insert_into_a_table_created_later(workshop: Workshop) -> None:
    """Squawk does not see it; our own reading does, and so does the run."""
    migration = workshop.migration(
        "INSERT INTO log VALUES ('begun');\nCREATE TABLE IF NOT EXISTS log (step text);\n"
    )

    assert migration.refused() == []
    assert migration.used_too_early() == ["line 1: INSERT INTO LOG uses log, which line 2 creates"]
    ran = migration.first_run()
    assert (ran.line, ran.error) == (1, 'relation "log" does not exist')


def test_failed_check_of_its_own_and_the_version_all_the_same(workshop: Workshop) -> None:
    """No error, and a version row that proves nothing: only the catalog tells."""
    migration = workshop.migration(
        "CREATE TABLE IF NOT EXISTS result (status text);"
        "CREATE TABLE IF NOT EXISTS system_configuration (config_key text PRIMARY KEY, config_value jsonb);"
        "INSERT INTO result SELECT CASE WHEN count(*) = 2 THEN 'OK' ELSE 'FAILED' END"
        " FROM pg_indexes WHERE indexname = 'users_name' HAVING NOT EXISTS (SELECT FROM result);"
        "INSERT INTO system_configuration VALUES ('database_schema_version', '\"8.0.0\"')"
        " ON CONFLICT DO NOTHING;"
    )

    assert migration.first_run().error is None
    assert migration.after().rows("SELECT status FROM result") == [("FAILED",)]
    assert migration.after().rows("SELECT config_value FROM system_configuration") == [("8.0.0",)]
    expected = {"users_name": found.Thing("users")}
    assert found.other(expected, found.valid_indexes(migration.after(), "public", ["users_name"])) == {
        "users_name": None
    }
    assert migration.second_run().error is None


def test_lost_index_with_the_version_set(workshop: Workshop) -> None:
    """An index that the migration makes and loses again."""
    migration = workshop.migration(GOOD + "DROP INDEX users_name;")

    assert migration.first_run().error is None
    assert "users_name" not in found.valid_indexes(migration.after(), "public", ["users_name"])


@pytest.mark.parametrize("way", [r"\unset ON_ERROR_STOP", r"\set ON_ERROR_STOP off"])
def test_errors_that_the_script_lets_pass(workshop: Workshop, way: str) -> None:
    """Then psql ends with 0, and has said so."""
    ran = workshop.migration(f"{way}\nDROP TABLE nobody;\nDROP TABLE nothing;\nSELECT 1;\n").first_run()

    assert (ran.line, ran.error) == (2, 'table "nobody" does not exist')


def test_notices_are_no_errors(workshop: Workshop) -> None:
    """With any text."""
    script = "DROP TABLE IF EXISTS nobody; DO $$ BEGIN RAISE WARNING 'ERROR: %', E'x\nERROR: y'; END $$;"

    assert workshop.migration(script).first_run().error is None


def test_locks_that_cannot_be_looked_into(workshop: Workshop) -> None:
    """Named by their lines: a procedure that ends its own transactions, a command that stands alone."""
    script = (
        "DO $$ BEGIN UPDATE users SET age = 1; COMMIT; END $$;\n"
        "CREATE INDEX CONCURRENTLY users_name ON users (name);\n"
        "VACUUM users;\nLOCK TABLE users;\n"
    ).replace("LOCK TABLE users;", "BEGIN;\nLOCK TABLE users IN SHARE MODE;\nSELECT 1 \\g\nROLLBACK;")

    assert workshop.migration(script).first_run().error is None
    assert "users: SHARE (line 5, writers wait); not looked into: line 1" in workshop.seen()


@pytest.mark.parametrize(
    ("script", "lock"),
    [
        *(
            (f"BEGIN;\nSET {what};\nLOCK TABLE users IN SHARE MODE;\nCOMMIT;", "users: SHARE (line 3")
            for what in (
                "TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "TRANSACTION READ ONLY",
                "LOCAL transaction_isolation = 'repeatable read'",
                "default_transaction_read_only = on",
            )
        ),
        (
            "BEGIN;\nLOCK TABLE users;\nSET TRANSACTION READ ONLY;\nSELECT 1;\nCOMMIT;",
            "users: ACCESS EXCLUSIVE",
        ),
        ("REINDEX TABLE parts;", "parts: SHARE (line 1"),
        ("REINDEX TABLE CONCURRENTLY users;", "users: SHARE UPDATE EXCLUSIVE (line 1"),
        ("CLUSTER parts USING parts_id;", "parts: ACCESS EXCLUSIVE (line 1"),
        ("VACUUM FULL users;", "users: ACCESS EXCLUSIVE (line 1"),
        (
            "SELECT 1;\nCALL ends();\nLOCK TABLE users;".replace("LOCK", "BEGIN; LOCK"),
            "not looked into: line 2",
        ),
        ("SET ROLE nox_app;\nBEGIN;\nLOCK TABLE users IN SHARE MODE;\nCOMMIT;", "users: SHARE (line 3"),
    ],
)
def test_locks_are_measured_whatever_the_transaction(workshop: Workshop, script: str, lock: str) -> None:
    """A look writes nothing and takes no snapshot too early; what no transaction holds stands alone."""
    schema = (
        f"{SCHEMA}CREATE TABLE parts (id int) PARTITION BY LIST (id);"
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); CREATE INDEX parts_id ON parts (id);"
        "CREATE PROCEDURE ends() LANGUAGE plpgsql AS 'BEGIN UPDATE users SET age = 1; COMMIT; END';"
    )

    assert workshop.migration(script, schema=schema).first_run().error is None
    assert "not measured" not in workshop.seen()
    assert lock in workshop.seen()


def test_locks_that_are_held_for_long(workshop: Workshop) -> None:
    """From the statement that takes them to the end of its transaction; who only reads waits for none."""
    script = (
        "BEGIN;\nALTER TABLE users ADD quota int;\nSELECT pg_sleep(1.1);\nCOMMIT;\n"
        "BEGIN;\nSELECT pg_sleep(1.1);\nLOCK TABLE users;\nCOMMIT;\n"
        "BEGIN;\nUPDATE users SET age = 1;\nSELECT pg_sleep(1.1);\nCOMMIT;\n"
    )
    migration = workshop.migration(script)

    (held,) = migration.held_too_long(1)
    assert re.fullmatch(  # and for less than both sleeps
        r"users: ACCESS EXCLUSIVE \(line 2, readers and writers wait\) held for (1\.\d|2\.[01]) s", held
    )


def test_rows_of_the_target_take_longer() -> None:
    """Where all were read under the lock, and only there."""
    whole = TableLock("users", "AccessExclusiveLock", 2, 0.1, rows=10)
    one = TableLock("users", "AccessExclusiveLock", 2, 0.1, rows=1)
    weak = TableLock("users", "RowExclusiveLock", 2, 9, rows=10)

    assert too_long([whole, one, weak], 5, {"users": 10}, {"users": 9}) == []
    assert unknown([whole, one, weak], 5, {"users": 10}, {"users": 9_000_000}) == []
    (told,) = too_long([whole, one, weak], 5, {"users": 10}, {"users": 1000})
    assert told.endswith("held for 10.0 s, 0.1 s of them on 10 rows, the target has 1000")


@pytest.mark.parametrize(
    ("seconds", "read", "here", "there", "is_unknown"),
    [
        (0.002, 0, 0, 5_000_000, True),  # empty here: whether it reads its rows is not known
        (0.002, 3, 3, 5_000_000, True),  # three rows take as long as none
        (0.002, 1, 3, 5_000_000, False),  # it did not read them all
        (0.002, 3, 3, 400_000, False),  # and a table of that size takes no time
        (0.002, 0, 0, 0, False),
        (0.002, 5_000, 5_000, 5_000_000, False),  # enough to tell: 2 s
        (0.1, 3, 3, 5_000_000, False),  # it is far too long already
    ],
)
def test_too_few_rows_tell_nothing_of_many(
    seconds: float, read: int, here: int, there: int, *, is_unknown: bool
) -> None:
    """Neither that a lock is short, nor that it is long."""
    lock = TableLock("users", "AccessExclusiveLock", 1, seconds, read)

    found = unknown([lock], 5, {"users": here}, {"users": there})
    assert (found != []) is is_unknown
    assert (too_long([lock], 5, {"users": here}, {"users": there}) != []) is (seconds == 0.1)


def test_rows_that_are_read_under_a_lock(workshop: Workshop) -> None:
    """Of a table that is written anew, all; a column without a default reads none."""
    migration = workshop.migration(
        "ALTER TABLE users ADD quota int;\nALTER TABLE users ALTER age TYPE bigint;"
    )

    migration.first_run()
    locks = [lock for lock in workshop.trials[-1].locks() if lock.mode == "AccessExclusiveLock"]
    assert {lock.line: lock.rows >= 9 for lock in locks} == {1: False, 2: True}


def test_migration_that_hangs(workshop: Workshop) -> None:
    """Stopped, and said so."""
    ran = workshop.migration("SELECT pg_sleep(60);", limit=3).first_run()  # the schema's, too

    assert ran.error == "migration.sql: still running after 3 s, stopped"
