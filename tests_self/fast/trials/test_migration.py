"""The migration rehearsal, with a real PostgreSQL: what it finds and shows, and that it leaves nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pytest
from tests_self.building.databases import target_at
from tests_self.building.migrations import CATALOG, MAJOR, NOX, RESTORE

from noxgate.errors import UnreachableError
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.postgres import catalog as found
from noxgate.systems.postgres.database import Database, DatabaseSession, Value
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.migration.locks import MARK, TableLock, looking, too_long, unknown
from noxgate.trials.migration.release import Migration
from noxgate.trials.migration.trial import Trial
from noxgate.trials.scratch import ScratchServer, programs
from noxgate.trials.sql_script import read_script

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.look.observation import Observation

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, age integer);
ALTER TABLE users OWNER TO nox_app;
INSERT INTO users SELECT n, 'user ' || n, n FROM generate_series(1, 9) AS n;
"""
GOOD = """
SET lock_timeout = '5s';
BEGIN;
CREATE TABLE IF NOT EXISTS settings (key text PRIMARY KEY, value jsonb);
ALTER TABLE users ADD COLUMN IF NOT EXISTS quota bigint NOT NULL DEFAULT 100;
COMMIT;
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (name);
INSERT INTO settings VALUES ('schema_version', '"8.0.0"') ON CONFLICT DO NOTHING;
"""
QUERIES = """
SELECT id, name FROM users WHERE id = 2;
INSERT INTO users (id, name) VALUES (10, 'ten');
UPDATE users SET age = 11 WHERE id = 10 RETURNING id;
"""


class Asked(Database):
    """In place of the target's database: it only says which version it has, and its roles."""

    def __init__(self) -> None:
        pass

    def rows(self, query: LiteralString, **_: Value) -> list[tuple[Any, ...]]:
        if "reltuples" in query:
            return []
        return [(f"{MAJOR}0004" if query == "SHOW server_version_num" else "nox_app",)]


class Workshop:
    """Makes migrations of scripts; all of them on one server."""

    def __init__(self, server: ScratchServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.trials: list[Trial] = []
        self.observed: list[Observation] = []

    def migration(
        self,
        text: str | Path = GOOD,
        *,
        schema: str | Path = SCHEMA,
        queries: str | Path = QUERIES,
        limit: float = 60,
        restore: tuple[str, ...] = RESTORE,
        target: Database | None = None,
    ) -> Migration:
        files = MigrationFiles(
            "target.toml",
            self._file("migration.sql", text),
            self._file("schema.sql", schema),
            self._file("queries.sql", queries),
            restore=restore,
        )
        trial = Trial(files, limit=limit, server=self._server)
        self.trials.append(trial)
        return Migration(trial, target or Asked(), self.observed.append)

    def seen(self) -> str:
        return "\n".join(observation.seen for observation in self.observed)

    def _file(self, name: str, content: str | Path) -> Path:
        if isinstance(content, Path):
            return content
        path = self._folder / name
        path.write_text(content, newline="")
        return path


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    """One for all tests: starting it takes most of a second."""
    server = ScratchServer(programs(MAJOR))
    yield server
    server.close()


@pytest.fixture
def workshop(server: ScratchServer, tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(server, tmp_path)
    yield workshop
    for trial in workshop.trials:
        trial.close()


# ---------------------------------------------------------------- good ones


def test_good_migration(workshop: Workshop) -> None:
    """Nothing is found, and what it takes and changes is shown."""
    migration = workshop.migration()

    assert len(migration.statements()) == 7
    assert migration.refused() == []
    assert migration.used_too_early() == []
    assert migration.first_run().error is None
    assert len(migration.changes()) > 0
    second = migration.second_run()
    assert (second.error, second.catalog, second.rows, second.contents) == (None, (), {}, ())
    assert len(migration.old_queries()) == 3
    assert migration.broken_queries() == []
    assert ("users", "quota") in found.columns(migration.after(), "public", ["users"])
    assert (
        "locks on tables in use: users: ACCESS EXCLUSIVE (line 5, readers and writers wait)"
        in workshop.seen()
    )
    assert re.search(r"no error in \d+\.\d\d s; \d+ lines of the catalog changed", workshop.seen())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('schema_version = "8.0.0"', "", "KeyError: 'schema_version'"),
        ("[tables]", "[tables", "TOMLDecodeError"),
        ('users = ["last_login_at", "mfa_enabled", "ai_daily_quota"]', 'users = "id"', "saw 'id'"),
        ('users = ["last_login_at", "mfa_enabled", "ai_daily_quota"]', "users = []", "saw none"),
    ],
)
def test_catalog_that_is_none(tmp_path: Path, old: str, new: str, said: str) -> None:
    """One line; and an empty one expects nothing, which would always be there."""
    text = CATALOG.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "8.0.0.toml").write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(UnreachableError, match=re.escape(said)):
        found.read_catalog(tmp_path / "8.0.0.toml")


def test_migration_of_the_rehearsal(workshop: Workshop) -> None:
    """The rehearsal's own: the release's catalog, and all that its 7.9.3 asks."""
    schema = "".join((NOX / "db" / name).read_text() for name in ("schema_7.9.3.sql", "seed.sql"))
    migration = workshop.migration(
        NOX / "migrations" / "v8_to_v8.0.0.sql", schema=schema, queries=NOX / "db" / "queries_7.9.3.sql"
    )
    catalog = found.read_catalog(CATALOG)

    assert migration.refused() == []
    assert migration.used_too_early() == []
    assert migration.first_run().error is None
    assert (
        found.other(catalog.indexes, found.valid_indexes(migration.after(), "public", catalog.indexes)) == {}
    )
    second = migration.second_run()
    assert (second.error, second.catalog) == (None, ())
    assert set(second.rows) == {"migration_log", "migration_validation"}  # they grow with each run
    assert len(migration.old_queries()) > 10
    assert migration.broken_queries() == []
    assert "not measured" not in workshop.seen()


def test_looks_at_locks_keep_the_lines() -> None:
    """So that an error in them names the line of the script."""
    text = looking(read_script(GOOD))

    assert text.count("\n") == GOOD.count("\n")
    assert text.count(f"COPY (SELECT '{MARK}'") == 6
    assert "BEGIN; CREATE INDEX CONCURRENTLY" not in text


# ---------------------------------------------------------------- what gets lost


@pytest.mark.parametrize(
    ("script", "lost"),
    [
        ("DELETE FROM users WHERE id > 7;", {"users": "2 of 9 rows are gone, or not as they were"}),
        ("DO $$BEGIN DELETE FROM users; END$$;", {"users": "9 of 9 rows are gone, or not as they were"}),
        ("UPDATE users SET age = NULL WHERE id = 3;", {"users": "1 of 9 rows are gone, or not as they were"}),
        (
            "DELETE FROM users WHERE id = 1; INSERT INTO users (id, name) VALUES (10, 'x'), (11, 'y');",
            {"users": "1 of 9 rows are gone, or not as they were"},
        ),
        ("ALTER TABLE users DROP COLUMN age;", {"users.age": "the column is gone"}),
        ("ALTER TABLE users RENAME TO people;", {"users": "the table is gone"}),
        ("CREATE SCHEMA old; ALTER TABLE users SET SCHEMA old;", {"users": "the table is gone"}),
        ("INSERT INTO users (id, name) VALUES (10, 'ten'); ALTER TABLE users ADD quota int DEFAULT 1;", {}),
        ("ALTER TABLE users ALTER id TYPE numeric(9, 0);", {}),
    ],
)
def test_what_a_migration_takes_away(workshop: Workshop, script: str, lost: dict[str, str]) -> None:
    """New rows and columns, or a wider type, lose nothing; a DELETE loses rows, inside a block, too."""
    assert workshop.migration(script).losses() == lost


@pytest.mark.parametrize(
    "script",
    [
        "DELETE FROM users WHERE id > 7;",
        "TRUNCATE TABLE public.users;",
        "DO $$BEGIN UPDATE ONLY users SET age = 1; END$$;",
        "WITH old AS (DELETE FROM users RETURNING id) SELECT * FROM old;",
    ],
)
def test_what_no_row_can_show(workshop: Workshop, script: str) -> None:
    """A dump of the schema alone cannot say what a DELETE would have taken."""
    schema = "CREATE TABLE users (id bigint PRIMARY KEY, name text, age integer);"

    with pytest.raises(UnreachableError, match=r"line 1: .* users: schema\.sql has no row there that could"):
        workshop.migration(script, schema=schema).losses()


def test_no_row_and_nothing_taken(workshop: Workshop) -> None:
    """The body of a function is for later, and what fills a new table takes nothing."""
    script = (
        "CREATE TEMP TABLE users (id bigint);"
        "CREATE TABLE made (id bigint); UPDATE made SET id = 1;"
        "CREATE FUNCTION later() RETURNS void LANGUAGE sql AS 'DELETE FROM users';"
        "SELECT 'DELETE FROM users' FROM users FOR UPDATE; -- then UPDATE users\n"
        "COMMENT ON TABLE users IS 'never TRUNCATE users'; DELETE FROM pg_temp.users;"
    )

    assert workshop.migration(script, schema="CREATE TABLE users (id bigint);").losses() == {}


# ---------------------------------------------------------------- restoring


def test_restore(workshop: Workshop) -> None:
    """With the placeholders anywhere in the words."""
    words = ("psql", "-X", "--set=ON_ERROR_STOP=1", "--dbname={database}", "--file={file}")
    for restore in (RESTORE, words):
        restored = workshop.migration(restore=restore).restored()

        assert (restored.ran.error, restored.tables, restored.lost, restored.catalog) == (None, 1, {}, ())


def test_restore_of_nothing(workshop: Workshop) -> None:
    """Every row is there again, but there was no row: this proves nothing."""
    with pytest.raises(UnreachableError, match=r"schema\.sql has no row: nothing could get lost"):
        workshop.migration(schema="CREATE TABLE users (id bigint);").restored()


def test_restore_without_an_index(workshop: Workshop) -> None:
    """All rows are there, and the key is not."""
    words = (*RESTORE, "-c", "ALTER TABLE public.users DROP CONSTRAINT users_pkey")
    restored = workshop.migration(restore=words).restored()

    assert (restored.ran.error, restored.lost) == (None, {})
    assert "constraint users.users_pkey: is not restored" in restored.catalog


def test_restore_of_what_postgresql_writes_anew(workshop: Workshop) -> None:
    """An IN over varchar reads otherwise after the load, for the first time and never again."""
    schema = """
    CREATE FUNCTION made_on_windows() RETURNS int LANGUAGE sql AS '\r\n SELECT 1\r\n';
    CREATE TABLE jobs (id int, status varchar(9) CHECK (status IN ('queued', 'done')));
    CREATE INDEX open ON jobs (id) WHERE status IN ('queued', 'running');
    CREATE VIEW a_few AS SELECT * FROM jobs WHERE id BETWEEN 1 AND 9 AND status <> 'done';
    INSERT INTO jobs VALUES (1, 'done');
    """
    restored = workshop.migration(schema=schema).restored()

    assert (restored.ran.error, restored.lost, restored.catalog) == (None, {}, ())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "expected a command of psql or pg_restore, saw nothing"),
        (("sh", "-c", "psql {database} < {file}"), "saw sh"),
        (("psql", "-f", "{file}"), "expected {database} in the command"),
        (("psql", "-d", "{database}"), "expected {file} in the command"),
        ((*RESTORE, "-h", "db.nox"), "expected {database} and no other server"),
        ((*RESTORE, "-Xhdb.nox"), "no other server"),
        ((*RESTORE, "--hos=db.nox"), "no other server"),
        ((*RESTORE, "-d", "host=db.nox dbname=nox"), "no other server"),
        ((*RESTORE, "-d", "postgresql://nox:hunter2hunter2@db.nox/nox"), "no other server"),
        ((*RESTORE, "-c", "\\connect nox"), "no other server"),
    ],
)
def test_restore_that_might_lead_elsewhere(workshop: Workshop, words: tuple[str, ...], reason: str) -> None:
    """The rollback plan names the live server: a backup of ours must not get there, nor its password out."""
    with pytest.raises(AssertionError) as raised:
        workshop.migration(restore=words).restored()

    assert reason in str(raised.value)
    assert "hunter2" not in f"{raised.value} {workshop.observed}"


def test_restore_to_a_name_alone(workshop: Workshop) -> None:
    """A database's name means one on the scratch server, not one on this machine's own."""
    restored = workshop.migration(restore=(*RESTORE, "-d", "postgres_of_nobody")).restored()

    assert restored.ran.error is not None
    assert 'database "postgres_of_nobody" does not exist' in restored.ran.error


# ---------------------------------------------------------------- what cannot work


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
        "BEGIN;\nALTER TABLE users ADD quota int;\nSELECT pg_sleep(0.6);\nCOMMIT;\n"
        "BEGIN;\nSELECT pg_sleep(0.6);\nLOCK TABLE users;\nCOMMIT;\n"
        "BEGIN;\nUPDATE users SET age = 1;\nSELECT pg_sleep(0.6);\nCOMMIT;\n"
    )
    migration = workshop.migration(script)

    (held,) = migration.held_too_long(0.5)
    assert re.fullmatch(
        r"users: ACCESS EXCLUSIVE \(line 2, readers and writers wait\) held for 0\.[67] s", held
    )


@pytest.fixture
def production(server: ScratchServer, loopback: "Loopback") -> Iterator[Callable[[str], Database]]:
    """Makes the target's database of a script, on the same server."""
    name = server.create()
    with closing(DatabaseSession(settings.database(target_at(loopback, server.url(name))))) as session:

        def made(script: str) -> Database:
            with psycopg.connect(server.url(name), autocommit=True) as connection:
                if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'nox_app'").fetchall():
                    connection.execute("CREATE ROLE nox_app")
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement.encode())
            return Database(session, lambda _: None)

        yield made


ORDINARY = "CREATE TABLE users AS SELECT n AS id, n AS age FROM generate_series(1, 60000) AS n;"
PARTITIONED = """
CREATE TABLE users (id bigint, age integer) PARTITION BY RANGE (id);
CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (30000);
CREATE TABLE users_2 PARTITION OF users DEFAULT;
INSERT INTO users SELECT n, n FROM generate_series(1, 60000) AS n;
"""
INDEX = "CREATE INDEX users_age ON users (age);"


@pytest.mark.parametrize("table", [ORDINARY, PARTITIONED], ids=["ordinary", "partitioned"])
def test_rows_that_only_the_target_has(
    workshop: Workshop, production: Callable[[str], Database], table: str
) -> None:
    """Nine rows here and 60,000 there: whether writers wait for long is not known."""
    migration = workshop.migration(INDEX, target=production(f"{table} ANALYZE users;"))

    assert migration.held_too_long(5) == []
    with pytest.raises(UnreachableError, match=r"users: SHARE .* 9 rows on the scratch server, 60000 in the"):
        migration.held_too_long(0.5)


@pytest.mark.parametrize("table", [ORDINARY, PARTITIONED], ids=["ordinary", "partitioned"])
def test_rows_that_the_target_never_counted(
    workshop: Workshop, production: Callable[[str], Database], table: str
) -> None:
    """So it is after pg_upgrade: the catalog's number is -1, also of a full table."""
    migration = workshop.migration(INDEX, target=production(table))

    assert migration.held_too_long(5) == []
    with pytest.raises(
        UnreachableError, match=r"users: SHARE .*: the target never counted .*: ANALYZE users"
    ):
        migration.held_too_long(0.5)


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


def test_second_run_fails(workshop: Workshop) -> None:
    """Where a run that breaks off cannot be repeated."""
    migration = workshop.migration("SELECT 1;\nCREATE TABLE log (step text);\n")

    assert migration.first_run().error is None
    assert migration.second_run().error == 'line 2: relation "log" already exists'
    assert 'the second run stopped: line 2: relation "log" already exists' in workshop.seen()


def test_second_run_changes_something(workshop: Workshop) -> None:
    """No error, but not the same: a constraint twice, a row more, a value that grows."""
    migration = workshop.migration(
        "CREATE TABLE IF NOT EXISTS log (step text);"
        "INSERT INTO log VALUES ('run');"
        "ALTER TABLE users ADD CHECK (age > 0);"
        "UPDATE users SET age = age + 1;"
    )

    second = migration.second_run()

    assert second.error is None
    assert [line.strip() for line in second.catalog if "CONSTRAINT" in line] != []
    assert second.rows == {"log": (1, 2)}
    assert second.contents == ("users",)
    assert "rows: log 1→2; as many rows, but others: users" in workshop.seen()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DROP COLUMN name", 'line 2: select id, name from users where id = 2: column "name" does not exist'),
        (
            "ALTER COLUMN name TYPE varchar(20)",
            "line 2: select id, name from users where id = 2: column name is gone, or has another type",
        ),
        ("ADD COLUMN must text NOT NULL DEFAULT ''", None),
        ("ADD COLUMN hidden text", None),
    ],
)
def test_old_queries_on_the_new_schema(workshop: Workshop, change: str, reason: str | None) -> None:
    """More columns do not matter; one that is gone does."""
    migration = workshop.migration(f"ALTER TABLE users {change};")

    broken = migration.broken_queries()

    assert (broken[0] if broken else None) == reason


def test_old_writes_on_the_new_schema(workshop: Workshop) -> None:
    """A column that the old version does not know of and must fill; a rule that hides its rows."""
    script = (
        "ALTER TABLE users ADD COLUMN must text; UPDATE users SET must = ''; "
        "ALTER TABLE users ALTER COLUMN must SET NOT NULL; DELETE FROM users WHERE id = 2;"
    )

    assert workshop.migration(script).broken_queries() == [
        "line 2: select id, name from users where id = 2: 0 rows, 1 before the migration",
        (
            "line 3: insert into users (id, name) values (10, ''): "
            'null value in column "must" of relation "users" violates not-null constraint'
        ),
        "line 4: update users set age = 11 where id = 10 returning id: 0 rows, 1 before the migration",
    ]


def test_migration_that_hangs(workshop: Workshop) -> None:
    """Stopped, and said so."""
    ran = workshop.migration("SELECT pg_sleep(60);", limit=0.5).first_run()

    assert ran.error == "migration.sql: still running after 0.5 s, stopped"


# ---------------------------------------------------------------- could not look


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (
            "CREATE TABLE t (id bigint);\nCREATE TABLE t (id bigint);",
            "schema.sql cannot be loaded: line 2: rel",
        ),
        ("SELECT 1;", "schema.sql makes no table: expected the schema of the version before"),
        (
            "-- PostgreSQL database dump\nCREATE TABLE t (id bigint);",
            "the dump has no end: it was broken off",
        ),
        ("PGDMP\x01\x0e", "expected plain SQL, saw an archive of pg_dump"),
        ("\\connect elsewhere\n", r"schema.sql line 1: \\connect reaches beyond the database"),
    ],
)
def test_schema_that_is_none(workshop: Workshop, schema: str, reason: str) -> None:
    """Nothing is known about the migration then; recorded, and not tried again."""
    migration = workshop.migration(schema=schema)

    for _ in range(2):
        with pytest.raises(UnreachableError, match=reason):
            migration.first_run()
    assert workshop.observed[0].seen.startswith("could not look: ")


def test_profile_that_names_nothing() -> None:
    """One line, with the key."""
    migration = Migration(Trial(MigrationFiles("target.toml")), Asked(), lambda _: None)

    with pytest.raises(UnreachableError, match=r"target\.toml has no key migration: name the file there"):
        migration.statements()


def test_list_of_queries_that_never_worked(workshop: Workshop) -> None:
    """The list is wrong then, not the migration."""
    with pytest.raises(UnreachableError, match=r"queries\.sql line 1 fails before the migration, too: rel"):
        workshop.migration(queries="SELECT * FROM users, nobody;").broken_queries()


def test_list_that_asks_nothing(workshop: Workshop) -> None:
    """SELECT 1 works on every schema. What is not asked is shown."""
    with pytest.raises(UnreachableError, match=r"queries\.sql asks no table of the schema"):
        workshop.migration(queries="SELECT 1; SELECT 'users';").broken_queries()

    more = f"{SCHEMA}CREATE TABLE visits (day date);"
    assert workshop.migration(schema=more).broken_queries() == []
    assert "3 of 3 statements work as before; no statement asks visits" in workshop.seen()


def test_copies_that_stay_inside(workshop: Workshop) -> None:
    """From and to psql itself, with data that looks like SQL."""
    script = (
        "COPY users (id, name) FROM STDIN;\n20\tDROP TABLE users; -- '\n\\.\n"
        "COPY (SELECT extract(day FROM '2025-08-15'::date)) TO STDOUT;\nDELETE FROM users WHERE id = 20;\n"
    )

    assert workshop.migration(script).first_run().error is None
    assert workshop.migration(script).second_run().rows == {}


@pytest.mark.parametrize(
    "text",
    [
        *(
            r"\! touch escaped",
            r"\copy users to stolen",
            r"\i other.sql",
            r"\set x `id`",
            r"SELECT 1 \g |cat",
            r"\echo done \! touch escaped",
            r"\set x 1 \\ \! touch escaped",
            *(
                r"\ir other.sql",
                r"\include other.sql",
                r"\o stolen",
                r"\w stolen",
                r"\s stolen",
                r"\gx stolen",
            ),
            *(r"\copy users from stdin.csv", r"\copy users from 'stdin'", r"\copy users to program 'cat'"),
            *(r"\d users \! touch escaped", r"\echo `id`", r"\d `id`", r"\lo_import x", r"\e", r"\ef f"),
            *(r"\copy (select 1) to stolen", r"\password", r"\prompt x", r"\dt \c elsewhere", r"\cd /"),
            *(r"SELECT 1 \g (format=csv) |cat", r"\c", r"\setenv PAGER x", '\\echo "`id`"'),
        ),
        *("COPY users (name) TO PROGRAM 'cat';", "COPY (SELECT 1) TO '/tmp/stolen';", r"\connect elsewhere"),
    ],
)
def test_what_reaches_beyond_the_database_is_not_run(workshop: Workshop, text: str) -> None:
    """The suite looks; a script must not act on the machine that looks."""
    with pytest.raises(UnreachableError, match="reaches beyond the database: not run here"):
        workshop.migration(f"{text}\n").first_run()


LOOKS = r"""
\conninfo
\d users
\d+ users \dt public.*
\dS+ pg_class
\z users
\l
\df+
\timing on
\pset null 'none\\n'
\x auto
SELECT 'twice' \; SELECT 1 AS one \gset
\echo :one 'it''s \\ one'
\sf stamp
\dconfig work_mem
\copy users (id, name) from stdin with (delimiter E'\t')
20	DROP TABLE users; \\! -- '
\.
\copy (SELECT name FROM users) to stdout
SELECT 1 \gx
SELECT 1 \g (format=csv)
CREATE TABLE IF NOT EXISTS made (x int)\; LOCK TABLE users IN SHARE MODE\;
SELECT 1;
DELETE FROM users WHERE id = 20;
"""


def test_commands_that_only_look(workshop: Workshop) -> None:
    """Many a script shows what it did, and loads a table from its own lines, or sends some at once."""
    schema = f"{SCHEMA}CREATE FUNCTION stamp() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    migration = workshop.migration(LOOKS, schema=schema)

    assert migration.first_run().error is None
    assert "users: SHARE (line 22, writers wait)" in workshop.seen()
    assert migration.second_run().error is None


def test_what_is_sent_together(workshop: Workshop) -> None:
    """Is in one transaction, which VACUUM refuses."""
    migration = workshop.migration("SELECT 1\\;\nVACUUM users;\nVACUUM users;\n")

    assert migration.refused() == ["line 2: VACUUM cannot run inside a transaction: one is open since line 1"]
    assert migration.first_run().line == 2


def test_other_version_is_named() -> None:
    """What is missing, and the line to paste; another version will not do."""
    with pytest.raises(UnreachableError, match=r"must be PostgreSQL 99 .*apt-get install .* postgresql-99"):
        programs(99)
    with pytest.raises(UnreachableError, match=r"expected PostgreSQL 14 as the target is, saw postgres "):
        programs(14, program("postgres").parent)


def test_scripts_from_windows(workshop: Workshop) -> None:
    """Their line ends go as they are; psql reads them, and so do we."""
    migration = workshop.migration(GOOD.replace("\n", "\r\n"), schema=SCHEMA.replace("\n", "\r\n"))

    assert len(migration.statements()) == 7
    assert migration.used_too_early() == []
    assert migration.first_run().error is None
    second = migration.second_run()
    assert (second.error, second.catalog) == (None, ())
    assert "not measured" not in workshop.seen()
