"""A migration's script, read and linted: how it is cut, what a transaction holds, what is used too early."""

import pytest

from noxgate.trials.migration.lint import refused, squawk, used_too_early
from noxgate.trials.sql_script import read_script

ODD = r"""
SELECT ';', E'\';', "a;b", $$ ; BEGIN; $$, $x$ ; $$ $x$ /* ; /* ; */ ; */ FROM t -- ; COMMIT
WHERE (1; 2);
\set x 1;
COPY t FROM STDIN;
CREATE INDEX CONCURRENTLY;
\.
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
SELECT 3 \gset
SELECT a$$b, 4; SELECT 5
"""


def test_scripts_are_cut_as_psql_cuts_them() -> None:
    script = read_script(ODD)

    assert [statement.words.rstrip(";") for statement in script.statements] == [
        "select '', '', \"a;b\", '', '' from t where (1; 2)",
        "copy t from stdin",
        "create function f() returns int begin atomic select case when true then 1 end; select 2; end",
        "select 3",
        "select a$$b, 4",
        "select 5",
    ]
    assert [statement.line for statement in script.statements] == [2, 5, 8, 9, 10, 10]
    assert [(command.line, command.text) for command in script.commands] == [(4, r"\set x 1;"), (9, r"\gset")]
    assert script.sql.count("\n") == ODD.count("\n")
    assert "CONCURRENTLY" not in script.sql


@pytest.mark.parametrize(
    ("begin", "end", "count"),
    [
        ("BEGIN", "COMMIT", 1),
        ("START TRANSACTION READ WRITE", "END", 1),
        ("begin work", "ROLLBACK", 1),
        ("BEGIN", "ABORT", 1),
        ("BEGIN", "ROLLBACK TO SAVEPOINT a", 2),
        ("BEGIN", "COMMIT AND CHAIN", 2),
        ("BEGIN", "COMMIT AND NO CHAIN", 1),
        ("SELECT 'BEGIN'", "SELECT 1", 0),
    ],
)
def test_transactions_are_followed(begin: str, end: str, count: int) -> None:
    """One statement inside, one after the end."""
    script = read_script(f"{begin};\nVACUUM users;\n{end};\nREINDEX TABLE CONCURRENTLY users;")

    assert len(refused(script)) == count


@pytest.mark.parametrize(
    "statement",
    [
        *("CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)", "DROP INDEX CONCURRENTLY i", "VACUUM (FULL) t"),
        *("REINDEX (VERBOSE) INDEX CONCURRENTLY i", "REINDEX DATABASE nox", "CREATE DATABASE x"),
        *("DROP TABLESPACE x", "ALTER SYSTEM SET work_mem = 1", "DISCARD ALL", "CLUSTER"),
        *("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "COMMIT PREPARED 'x'"),
    ],
)
def test_what_no_transaction_may_hold(statement: str) -> None:
    assert len(refused(read_script(f"BEGIN;\n/* now */ {statement};\nCOMMIT;"))) == 1
    assert refused(read_script(f"BEGIN; COMMIT;\n{statement};")) == {}


def test_what_a_transaction_may_hold() -> None:
    """Near misses."""
    script = read_script(
        "BEGIN; CREATE INDEX i ON t (x); REFRESH MATERIALIZED VIEW CONCURRENTLY m; CLUSTER t USING i;"
        "ALTER TYPE e ADD VALUE 'x'; REINDEX TABLE t; DISCARD TEMP; ANALYZE t; SELECT 'VACUUM'; COMMIT;"
    )

    assert refused(script) == {}


@pytest.mark.parametrize(
    "statement",
    [
        *("INSERT INTO later VALUES (1)", "UPDATE public.later SET x = 1", 'DELETE FROM "later"'),
        *(
            "CREATE INDEX i ON later (x)",
            "ALTER TABLE later ADD y int",
            "SELECT 1 FROM t JOIN later USING (x)",
        ),
        *("CREATE TABLE t (x int REFERENCES later (x))", "TRUNCATE later", "COPY later (x) FROM STDIN"),
        *("SELECT 1 FROM t, later", "DROP TABLE later", "LOCK TABLE t, ONLY later", 'TABLE "later"'),
        *("CREATE TABLE t (LIKE later)", "CREATE TABLE t () INHERITS (later)", "GRANT SELECT ON later TO r"),
        *(
            "MERGE INTO t USING later ON true WHEN MATCHED THEN DELETE",
            "VACUUM later",
            "SELECT :'x' FROM later",
        ),
        "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM later; END",
        "CREATE TRIGGER g AFTER INSERT ON later EXECUTE FUNCTION f()",
    ],
)
def test_use_before_creation(statement: str) -> None:
    script = read_script(f"{statement};\n\\.\nCREATE TABLE later (x int);")

    assert list(used_too_early(script, ())) == [1]
    assert used_too_early(script, ["later"]) == {}  # it was there already


@pytest.mark.parametrize(
    "statement",
    [
        *(
            "DROP TABLE IF EXISTS later",
            "ALTER TABLE IF EXISTS later ADD y int",
            "SELECT 'INSERT INTO later'",
        ),
        *("DO $$ BEGIN INSERT INTO later VALUES (1); END $$", "WITH later AS (SELECT 1) SELECT * FROM later"),
        *("-- INSERT INTO later\nSELECT 1", "INSERT INTO later2 VALUES (1)", 'SELECT 1 FROM "Later"'),
        *(
            "SELECT a FROM t WHERE a IS DISTINCT FROM later",
            "ALTER TABLE t ALTER a TYPE int USING later::int",
        ),
        *("SELECT extract(year FROM later), trim(both ' ' FROM later) FROM t", "FETCH 1 FROM later"),
        *("SELECT substring(later FROM later), overlay(a PLACING b FROM later) FROM t", "MOVE 2 FROM later"),
        *("SELECT 1 FROM old.later", 'SELECT 1 FROM "old.later"', 'INSERT INTO "la""ter" VALUES (1)'),
        *("CREATE INDEX later_i ON t USING gin (later)", "GRANT UPDATE (later) ON t TO r"),
        *(
            "ALTER TABLE t RENAME COLUMN later TO a",
            "SELECT 1 FROM t AS later",
            "DECLARE later CURSOR FOR TABLE t",
        ),
        *(
            "SELECT * FROM t FOR UPDATE OF t",
            "CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ),
        *(
            "WITH RECURSIVE a AS (SELECT 1), later (n) AS (TABLE a) SELECT * FROM later",
            "THIS IS NO SQL FROM later",
        ),
        "CREATE TABLE later (x int)",
    ],
)
def test_no_use_before_creation(statement: str) -> None:
    assert used_too_early(read_script(f"{statement};\nCREATE TABLE IF NOT EXISTS later (x int);"), ()) == {}


def test_squawk_counts_lines_as_people_do() -> None:
    """Its own count begins at 0; its findings after a ROLLBACK are not ours."""
    script = read_script("BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (x);\nCOMMIT;")

    findings = [
        finding.line for finding in squawk(script, "m.sql", "15.4") if finding.rule.startswith("ban-con")
    ]

    assert findings == [2]


@pytest.mark.parametrize(
    "making",
    [
        *("CREATE VIEW later AS SELECT 1", "CREATE TABLE later AS SELECT 1", "SELECT 1 INTO public.later"),
        *(
            "ALTER TABLE t RENAME TO later",
            "CREATE MATERIALIZED VIEW later AS SELECT 1",
            'CREATE TABLE "later" ()',
        ),
    ],
)
def test_every_way_to_make_a_table(making: str) -> None:
    """Used in another schema, it is another."""
    assert list(used_too_early(read_script(f"SELECT * FROM later;\n{making};"), ())) == [1]
    assert used_too_early(read_script(f"SELECT * FROM old.later;\n{making};"), ()) == {}
    assert used_too_early(read_script(f"{making};\nSELECT * FROM later;"), ()) == {}
