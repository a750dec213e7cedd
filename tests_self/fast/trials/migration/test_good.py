"""A good migration on a scratch server, what one takes away, and a second run of it."""

import re
from pathlib import Path

import pytest
from tests_self.building.migrations import CATALOG, NOX
from tests_self.fast.trials.migration.workshop import GOOD, Workshop

from noxgate.errors import UnreachableError
from noxgate.systems.postgres import catalog as found
from noxgate.trials.migration.locks import MARK, looking
from noxgate.trials.sql_script import read_script


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
