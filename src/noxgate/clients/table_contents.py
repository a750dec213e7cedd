"""What the tables of a database hold, to be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from noxgate.clients.scratch import Ran

# What a value looks like as text hangs on these, and they on who asks.
_SPELLING = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
)
_COLUMNS = (
    "SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " GROUP BY 1, 2 ORDER BY 1, 2"
)

Connection = psycopg.Connection[tuple[object, ...]]


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
class Restored:
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
    """The columns of each table."""
    rows = connection.execute(_COLUMNS).fetchall()
    return {
        str(table) if schema == "public" else f"{schema}.{table}": tuple(names)  # type: ignore[arg-type]
        for schema, table, names in rows
    }


def held(connection: Connection, tables: Mapping[str, Sequence[str]]) -> dict[str, Contents]:
    """What these columns of these tables hold, spelled alike whoever asks, in the open transaction."""
    for statement in _SPELLING:
        connection.execute(statement.encode())
    found = {}
    for table, names in tables.items():
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(hashtextextended(row({})::text, 0)), 0)::text FROM {}"
        ).format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.Identifier(*(table.split(".", 1) if "." in table else ("public", table))),
        )
        row = connection.execute(query).fetchone()
        assert row is not None
        found[table] = Contents(int(str(row[0])), str(row[1]))
    return found
