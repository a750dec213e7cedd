"""The locks that a migration takes on tables that are in use: read inside its own transactions, not guessed.

PostgreSQL keeps a lock until its transaction ends and tells nobody afterwards. So a second copy of the script
runs on a scratch database, in which each statement stands in a transaction of its own, or in the one that the
script opens, and after each statement comes a look at pg_locks. A statement that must stand alone
cannot be looked into: those are named, with the mode that PostgreSQL's documentation gives them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from noxgate.clients.migration_lint import must_stand_alone
from noxgate.clients.sql_script import Script, Statement

HOME = "noxgate_scratch"
PREPARE = f"""
CREATE SCHEMA {HOME};
CREATE TABLE {HOME}.locks (line integer, place oid, mode text);
CREATE TABLE {HOME}.before AS SELECT c.oid AS place, n.nspname, c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '{HOME}');
"""
FOUND = (
    "SELECT b.relname, l.mode, min(l.line) FROM noxgate_scratch.locks AS l"
    " JOIN noxgate_scratch.before AS b USING (place) GROUP BY 1, 2"
)
# Weakest first. Reading takes the first one only, writing the third: who waits for whom follows from that.
MODES = (
    *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"),
    *("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"),
)
_ENDS_ITSELF = re.compile(r"\b(commit|rollback)\b", re.IGNORECASE)
_CONCURRENT_ON = re.compile(r"create (?:unique )?index concurrently\b.*? on (?:only )?(\S+)")


@dataclass(frozen=True)
class TableLock:
    """A lock on a table that was there before the migration, and the line of the statement that takes it."""

    table: str
    mode: str
    line: int

    def __str__(self) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.mode.removesuffix("Lock")).upper()
        return f"{self.table}: {words} (line {self.line}{_who_waits(self.mode)})"


def looking(script: Script) -> str:
    """The script with looks at its locks in it, line for line as it was."""
    parts: list[str] = []
    kept = 0
    for statement in script.statements:
        inside = script.text[statement.start : statement.stop]
        look = _look(statement.line)
        if statement.ends:  # before it: afterwards the locks are gone
            parts += script.text[kept : statement.start], look, inside
        elif statement.begun is not None and inside.endswith(";") and not _takes_data(statement):
            parts += script.text[kept : statement.stop], look
        elif _can_be_wrapped(script, statement):
            parts += script.text[kept : statement.start], f"BEGIN; {inside} {look} COMMIT;"
        else:
            continue
        kept = statement.stop
    return "".join([*parts, script.text[kept:]])


def strongest(locks: Iterable[TableLock]) -> list[TableLock]:
    """For each table the first of its strongest locks; strongest first, and none that only reads."""
    found: dict[str, TableLock] = {}
    for lock in sorted(locks, key=lambda lock: (-MODES.index(lock.mode), lock.line)):
        if lock.mode != MODES[0]:
            found.setdefault(lock.table, lock)
    return list(found.values())


def documented(script: Script, tables: Iterable[str]) -> list[TableLock]:
    """The locks of CREATE INDEX CONCURRENTLY on these tables, as the documentation has them."""
    found = []
    for statement in script.statements:
        on = _CONCURRENT_ON.match(statement.words)
        table = on[1].rpartition(".")[2].partition("(")[0] if on else ""
        if table in tables:
            found.append(TableLock(table, "ShareUpdateExclusiveLock", statement.line))
    return found


def not_seen(script: Script) -> list[int]:
    """The lines of statements that cannot be looked into, and of which nothing is documented here."""
    return [
        statement.line
        for statement in script.statements
        if statement.begun is None
        and not (statement.begins or _is_setting(statement) or _can_be_wrapped(script, statement))
        and not _CONCURRENT_ON.match(statement.words)
    ]


def _can_be_wrapped(script: Script, statement: Statement) -> bool:
    text = script.text[statement.start : statement.stop]
    return (
        statement.begun is None
        and text.endswith(";")  # not sent by a command of psql
        and not (statement.begins or statement.ends or _is_setting(statement) or must_stand_alone(statement))
        and not _takes_data(statement)
        and not (re.match(r"(do|call)\b", statement.words) and _ENDS_ITSELF.search(text))
    )


def _takes_data(statement: Statement) -> bool:
    return re.match(r"copy\b.*\bfrom stdin\b", statement.words) is not None


def _is_setting(statement: Statement) -> bool:
    return re.match(r"(set|reset|show|listen|unlisten|discard)\b", statement.words) is not None


def _look(line: int) -> str:
    return (
        f" INSERT INTO {HOME}.locks SELECT {line}, relation, mode FROM pg_catalog.pg_locks"
        " WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted;"
    )


def _who_waits(mode: str) -> str:
    strength = MODES.index(mode)
    if strength == len(MODES) - 1:
        return ", readers and writers wait"
    return ", writers wait" if strength >= MODES.index("ShareLock") else ""
