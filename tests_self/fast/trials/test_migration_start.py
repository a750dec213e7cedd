"""The schema that a rehearsal starts from, beside the database that the migration will meet."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from noxgate.machine.doctor import program
from noxgate.trials.migration.start import differences
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.whole_catalog import parts

SCHEMA: LiteralString = """
CREATE TYPE state AS ENUM ('queued', 'done');
CREATE DOMAIN amount AS integer NOT NULL;
CREATE TABLE jobs (id bigint PRIMARY KEY, state state NOT NULL, size integer CHECK (size > 0));
CREATE INDEX jobs_size ON jobs (size);
CREATE VIEW small AS SELECT * FROM jobs WHERE size < 9;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER stamped BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE events (at date NOT NULL, what varchar(9)) PARTITION BY RANGE (at);
ALTER TABLE events OWNER TO pg_monitor;
"""

# A NOT NULL has a name since PostgreSQL 18, that of its column when it was made.
RENAMED: LiteralString = """
ALTER TABLE jobs ALTER state DROP NOT NULL;
ALTER TABLE jobs RENAME state TO was;
ALTER TABLE jobs ALTER was SET NOT NULL;
ALTER TABLE jobs RENAME was TO state;
"""

RIGHTS = ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
EVENTS = [
    f"right table events: {each} to pg_{who}" for each in RIGHTS for who in ("monitor", "read_all_data")
]


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    yield server
    server.close()


def unlike(server: ScratchServer, change: LiteralString) -> list[str]:
    """In what a changed database is not the schema."""
    here, there = (server.url(server.create()) for _ in range(2))
    found = []
    for url, script in ((here, ""), (there, change)):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA)
            connection.execute(script)
            with connection.transaction():
                found.append(parts(connection))
    return differences(here, *found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE jobs ADD note text", ["column jobs.note: only there"]),
        ("ALTER TABLE events ALTER what TYPE varchar(8)", ["column events.what: another there"]),
        ("ALTER TABLE events ALTER at DROP NOT NULL", ["column events.at: another there"]),
        ("ALTER DOMAIN amount DROP NOT NULL", ["type amount: another there"]),
        ("DROP INDEX jobs_size", ["index jobs_size: only here"]),
        (
            "ALTER INDEX jobs_size RENAME TO jobs_length",
            ["index jobs_length: only there", "index jobs_size: only"],
        ),
        ("ALTER TABLE jobs DROP CONSTRAINT jobs_size_check", ["constraint jobs.jobs_size_check: only here"]),
        ("DROP TRIGGER stamped ON jobs", ["trigger jobs.stamped: only here"]),
        ("CREATE OR REPLACE VIEW small AS SELECT * FROM jobs WHERE size < 8", ["view small: another there"]),
        (
            "CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            ["function stamp(): another there"],
        ),
        ("ALTER TYPE state ADD VALUE 'lost'", ["label state.'lost': only there"]),
        (
            "CREATE SCHEMA old; CREATE TABLE old.jobs (id bigint)",
            ["schema old: only there", "table old.jobs: only there"],
        ),
    ],
)
def test_what_is_not_the_same(server: ScratchServer, change: LiteralString, expected: list[str]) -> None:
    found = unlike(server, change)

    assert [each[: len(want)] for each, want in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE jobs ALTER size SET DEFAULT 3", "default jobs.size: only there"),
        ("ALTER TABLE jobs ALTER id ADD GENERATED ALWAYS AS IDENTITY", "column jobs.id: another there"),
        (
            "ALTER TABLE jobs ADD twice int GENERATED ALWAYS AS (size * 2) STORED",
            "column jobs.twice: only there",
        ),
        ('ALTER TABLE events ALTER what TYPE varchar(9) COLLATE "C"', "column events.what: another there"),
        ("ALTER TABLE jobs OWNER TO pg_monitor", "owner table jobs: another there"),
        ("ALTER FUNCTION stamp() OWNER TO pg_monitor", "owner function stamp(): another there"),
        ("GRANT SELECT ON jobs TO pg_monitor", "right table jobs: SELECT to pg_monitor: only there"),
        (
            "GRANT UPDATE (size) ON jobs TO pg_monitor",
            "column jobs.size: UPDATE to pg_monitor: only there",
        ),
        ("ALTER FUNCTION stamp() SECURITY DEFINER", "function stamp(): another there"),
        ("ALTER FUNCTION stamp() SET search_path = public", "function stamp(): another there"),
        ("ALTER TABLE jobs DISABLE TRIGGER stamped", "trigger state jobs.stamped: another there"),
        ("ALTER TABLE jobs ENABLE ALWAYS TRIGGER stamped", "trigger state jobs.stamped: another there"),
        ("CREATE POLICY own ON jobs USING (size > 1)", "policy jobs.own: only there"),
        ("ALTER TABLE jobs ENABLE ROW LEVEL SECURITY", "table jobs: another there"),
        ("CREATE RULE kept AS ON DELETE TO jobs DO INSTEAD NOTHING", "rule jobs.kept: only there"),
        ("CREATE SEQUENCE tickets", "sequence tickets: only there"),
        ("CREATE DOMAIN positive AS int CHECK (VALUE > 0)", "type positive: only there"),
        ("ALTER TABLE jobs SET UNLOGGED", "table jobs: another there"),
        ("ALTER TABLE jobs REPLICA IDENTITY FULL", "table jobs: another there"),
        ("CREATE STATISTICS two ON id, size FROM jobs", "statistics two: only there"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor", "SELECT to pg_monitor: only there"),
    ],
)
def test_what_decides(server: ScratchServer, change: LiteralString, expected: str) -> None:
    """All that a migration may stumble over, or not: each thing by its name."""
    assert any(expected in line for line in unlike(server, change))


def test_invalid_index(server: ScratchServer) -> None:
    """No dump holds one, so another dump would not help."""
    change: LiteralString = (
        "CREATE INDEX broken ON jobs (size);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass"
    )

    (found,) = unlike(server, change)

    assert found.startswith("invalid index broken: no dump holds it: REINDEX INDEX CONCURRENTLY, or ")


@pytest.mark.parametrize(
    "change",
    [
        "SET search_path = ''",
        "CREATE EXTENSION citext",
        "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        "COMMENT ON TABLE jobs IS 'All jobs.'",
        "INSERT INTO jobs VALUES (1, 'queued', 1)",
        "ALTER TABLE jobs ADD note text; ALTER TABLE jobs DROP note",
        RENAMED,
    ],
)
def test_what_does_not_count(server: ScratchServer, change: LiteralString) -> None:
    """How we ask, what an extension brings, partitions of the month, rows, names of no account."""
    assert unlike(server, change) == []
