"""Whether the schema that a rehearsal starts from is the one that the migration will meet.

A dump of last month, or of another database, lets a migration pass that stops on the day: at a column that
somebody added by hand, a view that was made since, an index that has the name already.
"""

from collections.abc import Iterable
from typing import LiteralString

Row = tuple[str, str, str]  # what it is, its name, its definition

# Partitions come and go; what belongs to an extension comes with it, in the version that each server has.
QUERY: LiteralString = r"""
WITH homes AS (
    SELECT oid, nspname || '.' AS home FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), tables AS (
    SELECT c.oid, home || relname AS name FROM pg_class AS c JOIN homes ON homes.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND NOT relispartition
), extended AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
)
SELECT 'column', name || '.' || attname,
    format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
FROM tables JOIN pg_attribute ON attrelid = oid WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'index', indexrelid::regclass::text,
    pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
FROM tables JOIN pg_index ON indrelid = oid
UNION ALL
SELECT 'constraint', name || '.' || conname, pg_get_constraintdef(c.oid)
FROM tables JOIN pg_constraint AS c ON conrelid = tables.oid
UNION ALL
SELECT 'trigger', name || '.' || tgname, pg_get_triggerdef(t.oid)
FROM tables JOIN pg_trigger AS t ON tgrelid = tables.oid WHERE NOT tgisinternal
UNION ALL
SELECT 'view', home || relname, md5(replace(pg_get_viewdef(c.oid), 'public.', ''))
FROM pg_class AS c JOIN homes ON homes.oid = relnamespace
WHERE relkind IN ('v', 'm') AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extended)
UNION ALL
SELECT 'function', home || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    md5(replace(prosrc, E'\r', ''))
FROM pg_proc AS p JOIN homes ON homes.oid = pronamespace
WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM extended)
UNION ALL
SELECT 'label', home || typname || '.' || enumlabel, ''
FROM pg_enum JOIN pg_type AS t ON t.oid = enumtypid JOIN homes ON homes.oid = typnamespace
WHERE ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extended)
ORDER BY 1, 2
"""


def differing(here: Iterable[Row], there: Iterable[Row]) -> list[str]:
    """What the schema `here` lacks, has more, or has otherwise than the database `there`."""
    ours, theirs = (
        {(kind, _plain(name)): _plain(text) for kind, name, text in rows} for rows in (here, there)
    )
    found = []
    for thing in sorted({*ours, *theirs}):
        if ours.get(thing) != theirs.get(thing):
            kind, name = thing
            how = (
                "only there" if thing not in ours else "only here" if thing not in theirs else "another there"
            )
            found.append(f"{kind} {name}: {how}")
    return found


def _plain(text: str) -> str:
    """Without the usual schema, which PostgreSQL names or not by the search path of who asks."""
    return " ".join(text.replace("public.", "").split())
