"""How many rows tables have, as PostgreSQL counted them last: to count them anew may take minutes."""

from collections.abc import Collection
from dataclasses import dataclass

from noxgate.systems.postgres.database import Database

_LEAST_BYTES = 28  # of a row: its header, and where in its page it is


@dataclass(frozen=True)
class TableSize:
    """`rows` of a table, with its partitions; `most` that may be in it beside those, not counted."""

    rows: int
    most: int = 0


def table_sizes(database: Database, tables: Collection[str]) -> dict[str, TableSize]:
    """Of tables of these names, in any schema but PostgreSQL's own.

    A table that was loaded, or came with pg_upgrade, is not counted before an ANALYZE. An ordinary
    one is in no partition tree, not even its own.
    """
    rows = database.rows(
        "SELECT c.relname, sum(greatest(leaf.reltuples, 0))::bigint,"
        " sum(CASE WHEN leaf.reltuples < 0 THEN pg_relation_size(leaf.oid) ELSE 0 END)::bigint"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " CROSS JOIN LATERAL (SELECT c.oid AS relid UNION SELECT relid FROM pg_partition_tree(c.oid)) AS tree"
        " JOIN pg_class leaf ON leaf.oid = tree.relid AND leaf.relkind = 'r'"
        " WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'"
        " GROUP BY 1 ORDER BY 1",
        names=sorted(tables),
    )
    return {
        str(table): TableSize(int(counted), int(uncounted) // _LEAST_BYTES)
        for table, counted, uncounted in rows
    }
