"""Definitions of two databases, one of which is the other's dump, loaded: by a real PostgreSQL."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from noxgate.machine.doctor import program
from noxgate.trials.loaded_again import differing_once_loaded
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.whole_catalog import Part, different_parts, parts, without_partitions

# Each of these reads differently after one load, and never again.
REWRITTEN: LiteralString = """
CREATE SCHEMA "Shop";
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status varchar(20) NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done')),
    kind varchar CHECK (kind NOT IN ('a', 'b')),
    size integer CHECK (size BETWEEN 1 AND 9 AND size <> 5),
    at timestamptz DEFAULT '2026-01-01 12:00+02',
    loud text GENERATED ALWAYS AS (CASE WHEN status IN ('queued', 'done') THEN 'x' ELSE kind END) STORED
);
CREATE INDEX jobs_open ON jobs (size) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_case ON jobs ((CASE WHEN status IN ('queued', 'done') THEN 1 ELSE 2 END));
CREATE TABLE "Shop"."Order line" ("a b" varchar CONSTRAINT "is it" CHECK ("a b" IN ('x', 'y')), "N" int);
CREATE INDEX "On it" ON "Shop"."Order line" ("N") WHERE "a b" IN ('x', 'y');
CREATE VIEW middle AS SELECT id, CASE WHEN size BETWEEN 2 AND 5 AND kind = 'c' THEN 1 ELSE 0 END AS half
FROM jobs WHERE size BETWEEN 2 AND 8 AND status IN ('queued', 'running');
CREATE VIEW renamed (one, two) AS SELECT id, size FROM jobs WHERE status IN ('queued', 'running');
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM jobs WHERE status IN ('queued', 'running');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER stamped BEFORE UPDATE OF status ON jobs FOR EACH ROW
WHEN (NEW.status IN ('queued', 'running')) EXECUTE FUNCTION stamp();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON jobs DEFERRABLE FOR EACH ROW
WHEN (NEW.status IN ('queued', 'running')) EXECUTE FUNCTION stamp();
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON jobs USING (status IN ('queued', 'running')) WITH CHECK (kind IN ('c', 'd'));
CREATE POLICY other ON jobs FOR SELECT USING (
    EXISTS (SELECT 1 FROM "Shop"."Order line" o WHERE o."a b" IN ('x', 'y') AND o."N" = jobs.size)
);
CREATE RULE quiet AS ON DELETE TO middle WHERE old.half BETWEEN 0 AND 1 AND old.id > 3
DO INSTEAD UPDATE jobs SET kind = 'd' WHERE id = old.id AND status IN ('queued', 'running');
CREATE DOMAIN code AS varchar DEFAULT 'x' CHECK (VALUE IN ('x', 'y'));
CREATE FUNCTION open_jobs() RETURNS bigint LANGUAGE sql
BEGIN ATOMIC SELECT count(*) FROM jobs WHERE status IN ('queued', 'running'); END;
CREATE STATISTICS told ON (CASE WHEN status IN ('queued', 'done') THEN 1 ELSE 2 END), size FROM jobs;
CREATE TABLE slots (
    at int, room varchar, EXCLUDE USING btree (at WITH =) WHERE (room IN ('a', 'b'))
);
CREATE TABLE events (at timestamptz NOT NULL, what varchar CHECK (what IN ('a', 'b')))
PARTITION BY RANGE (at);
CREATE INDEX events_what ON events (at) WHERE what IN ('a', 'b');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    yield server
    server.close()


@pytest.fixture(scope="module")
def loaded(server: ScratchServer) -> str:
    """The database as its dump leaves it; its address."""
    return dumped(server, made(server, REWRITTEN))


def made(server: ScratchServer, *scripts: LiteralString) -> str:
    """A database of these statements; its address."""
    url = server.url(server.create())
    with psycopg.connect(url, autocommit=True) as connection:
        for script in scripts:
            connection.execute(script)
    return url


def dumped(server: ScratchServer, url: str) -> str:
    """A database that is loaded from another's dump; its address."""
    name = server.create()
    text = server.backup(url.partition("@/")[2].partition("?")[0])
    assert server.run(name, "dump.sql", text, within=60).error is None
    return server.url(name)


def of(url: str) -> list[Part]:
    with psycopg.connect(url) as connection:
        return parts(connection)


def test_text_that_postgresql_writes_anew(server: ScratchServer) -> None:
    """Raw texts differ; after one load more of each they do not, whichever was loaded oftener."""
    url = made(server, REWRITTEN)
    copy = dumped(server, url)
    twice = dumped(server, copy)
    raw = [str(one or other) for one, other in different_parts(of(url), of(copy))]
    assert len(raw) > 15

    kinds = {each.partition(" ")[0] for each in raw}
    assert {"constraint", "index", "view", "trigger", "policy", "rule", "generated"} <= kinds
    assert differing_once_loaded(copy, of(url), of(copy)) == []
    assert differing_once_loaded(url, of(twice), of(url)) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check, ADD CONSTRAINT jobs_kind_check CHECK (id > 0)",
            ["constraint jobs.jobs_kind_check"],
        ),
        (
            "DROP INDEX jobs_open; CREATE INDEX jobs_open ON jobs (size) WHERE status IN ('queued')",
            ["index jobs_open"],
        ),
        (
            "DROP INDEX events_what; CREATE INDEX events_what ON events (at DESC) WHERE what IN ('a', 'b')",
            ["index events_what", "index events_2026_at_idx"],
        ),
        ("CREATE OR REPLACE VIEW renamed AS SELECT id AS one, size AS two FROM jobs", ["view renamed"]),
        ("ALTER TABLE jobs DISABLE TRIGGER stamped", ["trigger state jobs.stamped"]),
        ("ALTER TABLE jobs ALTER status SET DEFAULT 'done'", ["default jobs.status"]),
        ("ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY", ["table jobs"]),
        ("ALTER POLICY own ON jobs USING (status IN ('queued'))", ["policy using jobs.own"]),
        ("ALTER TYPE mood ADD VALUE 'so' BEFORE 'bad'", ["label mood.'bad'", "label mood.'so'"]),
        ("ALTER FUNCTION stamp() SECURITY DEFINER", ["function stamp()"]),
        ("ALTER SEQUENCE jobs_id_seq CYCLE", ["sequence jobs_id_seq"]),
        (
            'ALTER TABLE slots ALTER room TYPE varchar COLLATE "C"',
            ["column slots.room"],
        ),
        ("ALTER TABLE slots SET UNLOGGED", ["table slots"]),
        ("COMMENT ON TABLE slots IS 'Rooms.'", ["comment table slots"]),
    ],
)
def test_what_differs_still_does(
    server: ScratchServer, loaded: str, change: LiteralString, found: list[str]
) -> None:
    other = made(server, REWRITTEN, change)

    pairs = differing_once_loaded(loaded, of(loaded), of(other))

    assert [str(one or another) for one, another in pairs] == found


def test_rights_are_sets(server: ScratchServer) -> None:
    """The same grants in another order; chains of them; and one that is not there."""
    server.create_roles(["api", "reports", "lead"])
    base: LiteralString = "CREATE TABLE jobs (id int, note text);"
    grants: LiteralString = (
        "GRANT SELECT ON jobs TO api; GRANT INSERT, SELECT ON jobs TO reports;"
        "GRANT UPDATE (note) ON jobs TO api;"
        "GRANT SELECT ON jobs TO lead WITH GRANT OPTION;"
        "SET SESSION AUTHORIZATION lead; GRANT SELECT ON jobs TO PUBLIC; RESET SESSION AUTHORIZATION;"
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO api;"
    )
    turned: LiteralString = (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO api;"
        "GRANT SELECT ON jobs TO lead WITH GRANT OPTION;"
        "SET SESSION AUTHORIZATION lead; GRANT SELECT ON jobs TO PUBLIC; RESET SESSION AUTHORIZATION;"
        "GRANT UPDATE (note) ON jobs TO api; GRANT SELECT, INSERT ON jobs TO reports;"
        "GRANT SELECT ON jobs TO api;"
    )
    one, other = made(server, base, grants), made(server, base, turned)

    assert different_parts(of(one), of(other)) == []
    assert different_parts(of(one), of(dumped(server, one))) == []
    less = made(server, base, grants, "REVOKE INSERT ON jobs FROM reports")
    assert [str(here) for here, _ in different_parts(of(one), of(less))] == [
        "right table jobs: INSERT to reports"
    ]
    chain = made(server, base, grants, "REVOKE GRANT OPTION FOR SELECT ON jobs FROM lead CASCADE")
    names = [str(here) for here, _ in different_parts(of(one), of(chain))]
    assert names == ["right table jobs: SELECT to PUBLIC", "right table jobs: SELECT to lead"]


def test_partitions_of_the_month(server: ScratchServer) -> None:
    """They come and go, where only the schema counts."""
    more: LiteralString = (
        "CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');"
    )
    rest: LiteralString = "CREATE TABLE events_rest PARTITION OF events DEFAULT;"
    one, other = of(made(server, REWRITTEN)), of(made(server, REWRITTEN, more, rest))

    assert different_parts(one, other) != []
    assert different_parts(without_partitions(one), without_partitions(other)) == []
