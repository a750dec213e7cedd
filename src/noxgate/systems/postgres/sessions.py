"""Sessions that stand still: a query that runs on, or a transaction that is open and idle."""

import re
from dataclasses import dataclass, field

from noxgate.errors import UnreachableError
from noxgate.systems.postgres.database import Database

RUNNING = {"active", "fastpath function call"}
IDLE = "idle in transaction"  # or the same, (aborted)
# What pg_dump runs, cut off where PostgreSQL cuts it: a table's rows, its lock, a sequence, the catalog.
_OF_A_DUMP = re.compile(
    r"\s*(?:(?:COPY|FETCH|DECLARE|CLOSE|LOCK TABLE|BEGIN|SET|EXECUTE|PREPARE|SELECT last_value, is_called)\b"
    r"|SELECT\b[\s\S]*\bpg_)"
)
# Physical backups (pgBackRest, Barman, WAL-G) wait for a checkpoint, and for WAL to be kept. Else only who
# asks for a checkpoint does, or what PostgreSQL makes one for.
_WAITS_OF_A_COPY = frozenset({"CheckpointStart", "CheckpointDone", "BackupWaitWalArchive"})
_CHECKPOINTS = re.compile(r"(?:CHECKPOINT|CREATE|DROP|ALTER)\b|$", re.IGNORECASE)
# pg_dump --serializable-deferrable waits for it with its first question to the catalog, and has no lock yet.
_WAITS_OF_A_DUMP = "SafeSnapshot"
_COMMENT = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Session:
    """One of this database's clients, but our own look. `seconds`: since its state, or its query, began.

    `dumps`: its transaction is a dump's. `waits`: PostgreSQL's name of what it waits for, if it does.
    """

    pid: int
    user: str | None
    application: str
    state: str
    seconds: float
    query: str = field(default="", repr=False)  # it may hold what users wrote
    dumps: bool = False
    waits: str = ""

    @property
    def is_backup(self) -> bool:
        """Whether it is of a program that reads the whole database, and not of the application.

        By what it does: its name, and what stands in its query, are the client's own to choose.
        """
        if self.state not in RUNNING:
            return self.dumps
        if self.waits in _WAITS_OF_A_COPY and not _CHECKPOINTS.match(_uncommented(self.query)):
            return True
        return (self.dumps or self.waits == _WAITS_OF_A_DUMP) and bool(_OF_A_DUMP.match(self.query))


def _uncommented(query: str) -> str:
    """The query without the comments before it, one inside another; "" where it was cut within them."""
    while (query := query.lstrip()).startswith(("--", "/*")):
        if query.startswith("--"):
            query = query.partition("\n")[2]
            continue
        depth, end = 0, len(query)
        for sign in _COMMENT.finditer(query):
            depth += 1 if sign[0] == "/*" else -1
            if depth == 0:
                end = sign.end()
                break
        query = query[end:]
    return query


def backups(found: list[Session], seconds: float) -> list[Session]:
    """Those that are not judged, though they have been at it for longer."""
    return [one for one in found if one.is_backup and one.seconds > seconds]


def sessions(database: Database) -> list[Session]:
    """All of them, without those that are only signing in: these have no state yet.

    A dump reads in one transaction that has written nothing, has no lock beyond a reader's, keeps its view of
    every row while it is idle, and has read of all relations which are foreign, and which an extension's.
    With several jobs each has a session of its own, which shares that view.

    Raises UnreachableError if this account does not see what others do.
    """
    rows = database.rows(
        """WITH locked AS (
               SELECT pid, bool_and(mode = 'AccessShareLock') AS to_read,
                      array_agg(relation) @> ARRAY[
                          'pg_catalog.pg_class'::regclass::oid, 'pg_catalog.pg_depend'::regclass,
                          'pg_catalog.pg_extension'::regclass, 'pg_catalog.pg_foreign_table'::regclass
                      ] AS of_all
               FROM pg_locks WHERE granted AND locktype = 'relation' GROUP BY pid),
           seen AS (
               SELECT a.*, of_all, coalesce(to_read, true)
                      AND backend_xid IS NULL AND xact_start < query_start AS only_reads
               FROM pg_stat_activity a LEFT JOIN locked USING (pid)
               WHERE datname = current_database()
                     AND coalesce(backend_type, 'client backend') = 'client backend'
                     AND (state IS NOT NULL OR backend_type IS NULL))
           SELECT pid, usename::text, application_name, state,
                  extract(epoch FROM clock_timestamp() - query_start)::float,
                  extract(epoch FROM clock_timestamp() - state_change)::float, coalesce(query, ''),
                  only_reads AND EXISTS (
                      SELECT FROM seen d WHERE d.of_all AND d.only_reads AND d.backend_xmin = one.backend_xmin
                             AND (d.usename, d.application_name) = (one.usename, one.application_name)
                             AND d.client_addr IS NOT DISTINCT FROM one.client_addr),
                  coalesce(wait_event, '')
           FROM seen one"""
    )
    assert rows != []
    if [row[0] for row in rows if row[3] is None]:
        raise UnreachableError("this account does not see what others run: GRANT pg_read_all_stats")
    if untold := [row[0] for row in rows if row[3] == "disabled"]:
        raise UnreachableError(f"sessions {untold} say nothing of what they do: track_activities is off")
    return [
        Session(
            pid, user, application, state, (since_query if state in RUNNING else since_state) or 0.0, *more
        )
        for pid, user, application, state, since_query, since_state, *more in rows
    ]


def slow(found: list[Session], seconds: float) -> list[Session]:
    """Whose query has been running for longer; a backup's may."""
    return [one for one in found if one.state in RUNNING and one.seconds > seconds and not one.is_backup]


def idle_in_transaction(found: list[Session], seconds: float) -> list[Session]:
    """Who holds a transaction open, with its locks and its view of every row, and does nothing."""
    return [
        one for one in found if one.state.startswith(IDLE) and one.seconds > seconds and not one.is_backup
    ]


def left_prepared(database: Database, seconds: float) -> list[str]:
    """Transactions that were prepared and left: they hold the same, and have no session any more."""
    rows = database.rows(
        """SELECT gid, owner::text, extract(epoch FROM clock_timestamp() - prepared)::float
           FROM pg_prepared_xacts WHERE database = current_database()"""
    )
    return [f"{gid} of {owner}, {age:.0f} s" for gid, owner, age in rows if age > seconds]


def long_waits(database: Database, seconds: float) -> list[str]:
    """Who has waited for another's lock for longer, and for whom, so that the end of the chain can be found.

    Before PostgreSQL 14 no wait says when it began: it is as old as its query.
    """
    rows = database.rows(
        """SELECT a.pid, pg_blocking_pids(a.pid)::text, coalesce(extract(epoch FROM clock_timestamp()
                  - CASE WHEN to_jsonb(l) ? 'waitstart' THEN (to_jsonb(l) ->> 'waitstart')::timestamptz
                         ELSE a.query_start END), 0)::float
           FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
           WHERE a.datname = current_database() AND cardinality(pg_blocking_pids(a.pid)) > 0"""
    )
    return [f"{pid} for {blockers}, {since:.1f} s" for pid, blockers, since in rows if since > seconds]
