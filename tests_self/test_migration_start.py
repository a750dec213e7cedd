"""The schema that a rehearsal starts from, beside the database that the migration will meet."""

from collections.abc import Iterator
from typing import LiteralString, cast

import psycopg
import pytest

from noxgate.clients.migration_start import QUERY, Row, differing
from noxgate.clients.scratch import ScratchServer, programs
from noxgate.doctor import program

SCHEMA: LiteralString = """
CREATE TYPE state AS ENUM ('queued', 'done');
CREATE TABLE jobs (id bigint PRIMARY KEY, state state NOT NULL, size integer CHECK (size > 0));
CREATE INDEX jobs_size ON jobs (size);
CREATE VIEW small AS SELECT * FROM jobs WHERE size < 9;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER stamped BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE events (at date NOT NULL, what varchar(9)) PARTITION BY RANGE (at);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    yield server
    server.close()


def catalog(server: ScratchServer, change: LiteralString) -> list[Row]:
    database = server.create()
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute(change)
        return cast("list[Row]", connection.execute(QUERY).fetchall())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE jobs ADD note text", ["column jobs.note: only there"]),
        ("ALTER TABLE events ALTER what TYPE varchar(8)", ["column events.what: another there"]),
        ("ALTER TABLE events ALTER at DROP NOT NULL", ["column events.at: another there"]),
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
        ("ALTER TYPE state ADD VALUE 'lost'", ["label state.lost: only there"]),
        ("CREATE SCHEMA old; CREATE TABLE old.jobs (id bigint)", ["column old.jobs.id: only there"]),
    ],
)
def test_what_is_not_the_same(server: ScratchServer, change: LiteralString, expected: list[str]) -> None:
    found = differing(catalog(server, ""), catalog(server, change))

    assert [each[: len(want)] for each, want in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    "change",
    [
        "SET search_path = ''",
        "CREATE EXTENSION citext",
        "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        "INSERT INTO jobs VALUES (1, 'queued', 1)",
        "ALTER TABLE jobs ADD note text; ALTER TABLE jobs DROP note",
    ],
)
def test_what_does_not_count(server: ScratchServer, change: LiteralString) -> None:
    """How we ask, what an extension brings, partitions of the month, rows."""
    assert differing(catalog(server, ""), catalog(server, change)) == []
