"""What the tables of a scratch database hold, to be compared."""

from dataclasses import dataclass

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Contents:
    """What a table holds: rows, and a sum over all of them."""

    rows: int
    digest: str


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
