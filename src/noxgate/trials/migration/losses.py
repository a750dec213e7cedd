"""What a migration takes away: rows, columns and tables that were there before.

A DELETE has no error and changes nothing in the catalog, and a second run finds nothing left to delete. Rows
are compared by the columns that they have before and after; rows that are new do not count.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from noxgate.machine.late import late
from noxgate.trials import sql_meaning
from noxgate.trials.sql_meaning import Name
from noxgate.trials.sql_script import Script, Statement

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg = late("psycopg")
    sql = late("psycopg.sql")

# For the body of a DO, which is only a string to SQL.
_CHANGES = re.compile(
    r"\b(delete\s+from|truncate(?:\s+table)?|update|merge\s+into)\s+(?:only\s+)?"
    r'(?:(\w+|"[^"]+")\s*\.\s*)?"?(\w+)',
    re.IGNORECASE,
)
_COLUMNS = (
    "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, a.attnum"
)

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
Columns = Mapping[tuple[str, str], Sequence[str]]  # by schema and table


def losses(before: str, after: str) -> dict[str, str]:
    """By table, or table.column: what is gone between the two databases that these URLs lead to."""
    found: dict[str, str] = {}
    with psycopg.connect(before) as old, psycopg.connect(after) as new:
        there = _columns(new)
        for table, columns in _columns(old).items():
            if table not in there:
                found[_shown(table)] = "the table is gone"
                continue
            found |= {
                f"{_shown(table)}.{name}": "the column is gone"
                for name in columns
                if name not in there[table]
            }
            common = [name for name in columns if name in there[table]]
            lost = _lost(old, new, table, common)
            if lost:
                found[_shown(table)] = f"{lost} of {_rows(old, table)} rows are gone, or not as they were"
    return found


def untried(script: Script, url: str) -> dict[int, str]:
    """By line: each statement that may take something from a table that has no row to show it."""
    with psycopg.connect(url) as connection:
        empty = [Name(*own) for own in _columns(connection) if not _rows(connection, own)]
    found = {}
    for statement in script.statements:
        for verb, table in _changes(script, statement):
            if any(table.may_be(each) for each in empty):
                found[statement.line] = f"line {statement.line}: {verb} {table.name}"
    return found


def _changes(script: Script, statement: Statement) -> Iterator[tuple[str, Name]]:
    """What it takes rows from; the body of a function that is made is for later."""
    if statement.words.startswith("create "):
        return
    meant = sql_meaning.of(script, statement)
    if meant is not None:
        yield from meant.changes
    text = script.text[statement.start : statement.stop] if meant is None else meant.done
    for verb, schema, table in _CHANGES.findall(re.sub(r"--.*", "", text)):
        yield " ".join(verb.upper().split()), Name(schema, table)


def _shown(table: tuple[str, str]) -> str:
    """A table's name, with its schema where that is not the usual one."""
    schema, name = table
    return name if schema == "public" else f"{schema}.{name}"


def _columns(connection: Connection) -> Columns:
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in connection.execute(_COLUMNS).fetchall():
        found.setdefault((schema, table), []).append(column)
    return found


def _rows(connection: Connection, table: tuple[str, str]) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))
    return int(_one(connection, query)[0])


def _lost(old: Connection, new: Connection, table: tuple[str, str], columns: Collection[str]) -> int:
    """How many of the rows before are not there any more; all of them are only fetched if some are other."""
    row = sql.SQL("hashtextextended(ROW({})::text, 0)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    place = sql.Identifier(*table)
    digest = sql.SQL("SELECT count(*), coalesce(sum({}), 0) FROM {}").format(row, place)
    if _one(old, digest) == _one(new, digest):
        return 0
    each = sql.SQL("SELECT {}, count(*) FROM {} GROUP BY 1").format(row, place)
    before, after = (Counter[int](dict(one.execute(each).fetchall())) for one in (old, new))
    return (before - after).total()


def _one(connection: Connection, query: "sql.Composed") -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row
