"""What the tables of a database hold, to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, TypeAlias

from noxgate.machine.late import late
from noxgate.trials.scratch import Ran
from noxgate.trials.whole_catalog import SPELLING

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg = late("psycopg")
    sql = late("psycopg.sql")

# A generated value is made anew when a dump is loaded, by the locale that is there: it is in no dump.
_TABLES = (
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND NOT EXISTS (SELECT FROM pg_depend d"
    " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
    " GROUP BY 1, 2"
)
_COLUMNS = (
    "SELECT n.nspname, c.relname, coalesce(array_agg(a.attname::text ORDER BY a.attnum)"
    f" FILTER (WHERE coalesce(to_jsonb(a) ->> 'attgenerated', '') = ''), '{{}}') {_TABLES} ORDER BY 1, 2"
)
_WITH_GENERATED = (
    "SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)"
    f" {_TABLES} HAVING bool_or(to_jsonb(a) ->> 'attgenerated' <> '') ORDER BY 1, 2"
)
LARGE_OBJECTS = "large objects"
_LARGE_OBJECTS = (
    "SELECT count(*), coalesce(sum(hashtextextended(oid || md5(lo_get(oid)), 0)), 0)::text"
    " FROM pg_largeobject_metadata"
)

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"


@dataclass(frozen=True)
class Contents:
    """What a table holds: rows, and a sum over all of them."""

    rows: int
    digest: str


@dataclass(frozen=True)
class SecondRun:
    """What a second run did to what the first one left."""

    error: str | None
    catalog: tuple[str, ...]  # the lines of pg_dump that differ, with their - and +
    rows: dict[str, tuple[int, int]]  # table -> before and after, where they differ
    contents: tuple[str, ...]  # tables of as many rows as before, but others


@dataclass(frozen=True)
class RestoreDifference:
    """What a restore came to: of `tables`, those whose rows (before, after) or contents differ.

    `catalog` are the lines of pg_dump that differ: an index, a constraint, a function.
    """

    ran: Ran
    tables: int
    lost: dict[str, tuple[int, int]]
    catalog: tuple[str, ...] = ()


def contents(url: str) -> dict[str, Contents]:
    """By table; outside of public with the schema before it."""
    found = {}
    query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} AS t")
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
            " ORDER BY 1, 2"
        ).fetchall()
        for schema, table in tables:
            row = connection.execute(query.format(sql.Identifier(schema, table))).fetchone()
            assert row is not None
            found[table if schema == "public" else f"{schema}.{table}"] = Contents(*row)
    return found


def columns(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The columns of each table that a dump holds."""
    return _columns(connection, _COLUMNS)


def with_generated(connection: Connection) -> dict[str, tuple[str, ...]]:
    """All columns of the tables that have generated ones."""
    return _columns(connection, _WITH_GENERATED)


def _columns(connection: Connection, query: LiteralString) -> dict[str, tuple[str, ...]]:
    return {
        str(table) if schema == "public" else f"{schema}.{table}": tuple(names)  # type: ignore[arg-type]
        for schema, table, names in connection.execute(query).fetchall()
    }


def held(connection: Connection, tables: Mapping[str, Sequence[str]]) -> dict[str, Contents]:
    """What these columns of these tables hold, spelled alike whoever asks, in the open transaction."""
    for statement in SPELLING:
        connection.execute(statement.encode())
    found = {}
    for table, names in tables.items():
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(hashtextextended(row({})::text, 0)), 0)::text FROM ONLY {}"
        ).format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            _place(table),
        )
        row = connection.execute(query).fetchone()
        assert row is not None
        found[table] = Contents(int(str(row[0])), str(row[1]))
    return found


def large_objects(connection: Connection) -> Contents:
    """What is in no table."""
    row = connection.execute(_LARGE_OBJECTS).fetchone()
    assert row is not None
    return Contents(int(str(row[0])), str(row[1]))


def rows(connection: Connection, table: str) -> int:
    """How many a table has."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(_place(table))).fetchone()
    assert row is not None
    return int(str(row[0]))


def hides_rows(connection: Connection, table: str) -> bool:
    """Whether row-level security keeps rows of a table from this role."""
    asked = "SELECT row_security_active(to_regclass(%s))"
    row = connection.execute(asked, (_place(table).as_string(connection),)).fetchone()
    return row is not None and bool(row[0])


def _place(table: str) -> "sql.Identifier":
    return sql.Identifier(*(table.split(".", 1) if "." in table else ("public", table)))
