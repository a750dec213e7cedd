"""What cannot be tried, or would reach beyond the scratch server, is said and not run."""

import pytest
from tests_self.fast.trials.migration.workshop import GOOD, SCHEMA, Asked, Workshop

from noxgate.errors import UnreachableError
from noxgate.machine.doctor import program
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.migration.release import Migration
from noxgate.trials.migration.trial import Trial
from noxgate.trials.server.programs import programs


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
