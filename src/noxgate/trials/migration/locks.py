"""The locks that a migration takes on tables that are in use: read inside its own transactions, not guessed.

PostgreSQL keeps a lock until its transaction ends, and does not tell afterwards. So a second copy of the
script runs on a scratch database, in which each statement stands in a transaction of its own, or in the one
that the script opens, and after each statement comes a look at pg_locks, which writes nothing. A statement
that must stand alone cannot be looked into: those are named, with the mode that PostgreSQL's documentation
gives them.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import LiteralString, NamedTuple

from noxgate.trials import sql_meaning
from noxgate.trials.migration.lint import must_stand_alone
from noxgate.trials.scratch import Ran
from noxgate.trials.sql_script import Script, Statement

# A time shorter than this on fewer rows than this is the statement's own, and grows with no row.
SHORTEST, FEWEST_ROWS = 0.05, 1_000
ROWS_A_SECOND = 100_000  # that any server reads: a table of fewer is done within the limit
MARK = "noxgate-lock"  # begins a line of what psql prints
PLACES: LiteralString = """
SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
# Weakest first. Reading takes the first one only, writing the third: who waits for whom follows from that.
MODES = (
    *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"),
    *("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"),
)
_ENDS_ITSELF = re.compile(r"\b(commit|rollback)\b", re.IGNORECASE)
_OF_TRANSACTION = re.compile(r"set (?:local )?transaction")
_STANDS_ALONE = re.compile(r"cannot run inside a transaction block|invalid transaction termination")


@dataclass(frozen=True)
class TableLock:
    """A lock on a table that was there before the migration, and the line of the statement that takes it."""

    table: str
    mode: str
    line: int
    seconds: float = 0.0  # that it was held
    rows: int = 0  # of the table that were read meanwhile

    def __str__(self) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.mode.removesuffix("Lock")).upper()
        return f"{self.table}: {words} (line {self.line}{_who_waits(self.mode)})"


class SeenLock(NamedTuple):
    """One lock, seen once: of the transaction that began at `begun`."""

    line: int
    place: int
    mode: str
    begun: float
    at: float
    rows: int


def looking(script: Script, alone: Collection[int] = ()) -> str:
    """The script with looks at its locks in it, line for line as it was; none in those at `alone`."""
    parts: list[str] = []
    kept = 0
    for statement in script.statements:
        inside = script.text[statement.start : statement.stop]
        look = _look(statement.line)
        if statement.ends:  # before it: afterwards the locks are gone
            parts += script.text[kept : statement.start], look, inside
        elif statement.joined and not inside.endswith("\\;"):  # the last of them: its transaction ends there
            parts += script.text[kept : statement.stop - 1], "\\;", look
        elif _can_be_followed(script, statement):
            parts += script.text[kept : statement.stop], look
        elif _can_be_wrapped(script, statement) and statement.start not in alone:
            parts += script.text[kept : statement.start], f"BEGIN; {inside} {look} COMMIT;"
        elif _stands_alone(script, statement, alone) and inside.endswith(";") and not _takes_data(statement):
            parts += script.text[kept : statement.start], look, inside, look  # how long, at least
        else:
            continue
        kept = statement.stop
    return "".join([*parts, script.text[kept:]])


def refused(script: Script, alone: Collection[int], ran: Ran) -> set[int]:
    """Those that PostgreSQL would not run in a transaction of ours: REINDEX of a partitioned table, say."""
    if ran.line is None or ran.error is None or not _STANDS_ALONE.search(ran.error):
        return set()
    return {
        each.start
        for each in script.statements
        if each.line <= ran.line <= each.last_line
        and each.start not in alone
        and _can_be_wrapped(script, each)
    }


def found(script: Script, printed: str, places: Mapping[int, str], alone: Collection[int]) -> list[TableLock]:
    """The locks on these tables, with how long each was held, of what a looking script printed."""
    looks = [
        SeenLock(int(line), int(place), mode, float(begun), float(at), int(rows))
        for _, line, place, mode, begun, at, rows in (
            text.split("\t") for text in printed.splitlines() if text.startswith(f"{MARK}\t")
        )
    ]
    locks: dict[tuple[float, int, str], TableLock] = {}
    times: dict[float, list[float]] = {}  # of the looks of each transaction
    since: dict[tuple[float, int, str], float] = {}
    for look in looks:
        before = times.setdefault(look.begun, [look.begun])
        if look.at != before[-1]:
            before.append(look.at)
        key = (look.begun, look.place, look.mode)
        if look.place in places:
            held = look.at - since.setdefault(key, before[-2])
            line = locks[key].line if key in locks else look.line
            locks[key] = TableLock(places[look.place], look.mode, line, held, look.rows)
    at: dict[int, list[float]] = {}
    for look in looks:
        at.setdefault(look.line, []).append(look.at)
    took = {line: max(moments) - min(moments) for line, moments in at.items()}
    return [*locks.values(), *documented(script, places.values(), alone, took)]


def too_long(
    locks: Iterable[TableLock], limit: float, here: Mapping[str, int], there: Mapping[str, int]
) -> list[str]:
    """Those that keep readers or writers out for longer than `limit` seconds.

    Where all rows were read meanwhile, more rows take longer: `here` and `there` are those of the scratch
    database and of the target. Where that is not known, see `unknown`.
    """
    told = []
    for lock in filter(_keeps_out, locks):
        rows, real = here.get(lock.table, 0), there.get(lock.table, 0)
        grows = _grows(lock, rows, real) and _tells(lock, rows)
        seconds = lock.seconds * real / rows if grows else lock.seconds
        if seconds > limit:
            of_rows = f", {lock.seconds:.1f} s of them on {rows} rows, the target has {real}" if grows else ""
            told.append(f"{lock} held for {seconds:.1f} s{of_rows}")
    return told


def unknown(
    locks: Iterable[TableLock], limit: float, here: Mapping[str, int], there: Mapping[str, int]
) -> list[str]:
    """Those of large tables of the target that have too few rows on the scratch server to tell how long."""
    return [
        f"{lock}: {here.get(lock.table, 0)} rows on the scratch server, {real} in the target"
        for lock in filter(_keeps_out, locks)
        if (real := there.get(lock.table, 0)) > limit * ROWS_A_SECOND
        and (not here.get(lock.table, 0) or _grows(lock, here[lock.table], real))
        and not _tells(lock, here.get(lock.table, 0))
    ]


def uncounted(locks: Iterable[TableLock], limit: float, most: Mapping[str, int]) -> list[TableLock]:
    """Those of tables that may have too many rows in the target, and are not analyzed there."""
    return [lock for lock in filter(_keeps_out, locks) if most.get(lock.table, 0) > limit * ROWS_A_SECOND]


def _keeps_out(lock: TableLock) -> bool:
    return MODES.index(lock.mode) >= MODES.index("ShareLock")


def _grows(lock: TableLock, rows: int, real: int) -> bool:
    """Whether all rows were read meanwhile, and the target has more."""
    return 0 < rows <= lock.rows and real > rows


def _tells(lock: TableLock, rows: int) -> bool:
    """Whether the time on these rows says anything of more: else it is that of the statement alone."""
    return rows > 0 and (rows >= FEWEST_ROWS or lock.seconds >= SHORTEST)


def strongest(locks: Iterable[TableLock]) -> list[TableLock]:
    """For each table the first of its strongest locks; strongest first, and none that only reads."""
    found: dict[str, TableLock] = {}
    for lock in sorted(locks, key=lambda lock: (-MODES.index(lock.mode), lock.line)):
        if lock.mode != MODES[0]:
            found.setdefault(lock.table, lock)
    return list(found.values())


def documented(
    script: Script,
    tables: Iterable[str],
    alone: Collection[int] = (),
    took: Mapping[int, float] | None = None,
) -> list[TableLock]:
    """The locks on these tables of what must stand alone, as PostgreSQL's documentation has them."""
    there, found = set(tables), []
    for statement in script.statements:
        meant = sql_meaning.of(script, statement) if _stands_alone(script, statement, alone) else None
        for name, mode in meant.alone if meant is not None else ():
            if name.name in there:
                found.append(
                    TableLock(name.name, mode, statement.line, (took or {}).get(statement.line, 0.0))
                )
    return found


def not_seen(script: Script, alone: Collection[int] = ()) -> list[int]:
    """The lines of statements that cannot be looked into, and of which nothing is documented here."""
    unseen = [each for each in script.statements if _stands_alone(script, each, alone)]
    return [each.line for each in unseen if not (sql_meaning.of(script, each) or sql_meaning.Meaning()).alone]


def _stands_alone(script: Script, statement: Statement, alone: Collection[int]) -> bool:
    return (
        statement.begun is None
        and not (statement.begins or _is_setting(statement))
        and (statement.start in alone or not _can_be_wrapped(script, statement))
    )


def _can_be_followed(script: Script, statement: Statement) -> bool:
    """Whether a look may come after it, in a transaction of the script; not before SET TRANSACTION."""
    return (
        statement.begun is not None
        and script.text[statement.start : statement.stop].endswith(";")
        and not (statement.begins or _is_setting(statement) or _takes_data(statement))
        and not any(
            each.start > statement.start
            and each.begun == statement.begun
            and _OF_TRANSACTION.match(each.words)
            for each in script.statements
        )
    )


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
    """Printed, not written: it works in a transaction that is read only, and for whoever runs the script."""
    return (
        f" COPY (SELECT '{MARK}', {line}, l.relation, l.mode, extract(epoch FROM pg_catalog.now()),"
        " extract(epoch FROM pg_catalog.clock_timestamp()),"
        " pg_catalog.pg_stat_get_xact_tuples_returned(l.relation) FROM pg_catalog.pg_locks AS l"
        " WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted) TO STDOUT;"
    )


def _who_waits(mode: str) -> str:
    strength = MODES.index(mode)
    if strength == len(MODES) - 1:
        return ", readers and writers wait"
    return ", writers wait" if strength >= MODES.index("ShareLock") else ""
