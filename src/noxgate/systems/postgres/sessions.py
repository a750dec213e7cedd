"""Sessions that stand still: a query that runs on, or a transaction that is open and idle."""

from dataclasses import dataclass

from noxgate.errors import UnreachableError
from noxgate.systems.postgres.database import Database

RUNNING = {"active", "fastpath function call"}
IDLE = "idle in transaction"  # or the same, (aborted)


@dataclass(frozen=True)
class Session:
    """One of this database's clients, but our own look. `seconds`: since its state, or its query, began."""

    pid: int
    user: str | None
    application: str
    state: str
    seconds: float


def sessions(database: Database) -> list[Session]:
    """All of them, without those that are only signing in: these have no state yet.

    Raises UnreachableError if this account does not see what others do.
    """
    rows = database.rows(
        """SELECT pid, usename::text, application_name, state,
                  extract(epoch FROM clock_timestamp() - query_start)::float,
                  extract(epoch FROM clock_timestamp() - state_change)::float
           FROM pg_stat_activity
           WHERE datname = current_database()
                 AND coalesce(backend_type, 'client backend') = 'client backend'
                 AND (state IS NOT NULL OR backend_type IS NULL)"""
    )
    assert rows != []
    if [row[0] for row in rows if row[3] is None]:
        raise UnreachableError("this account does not see what others run: GRANT pg_read_all_stats")
    if untold := [row[0] for row in rows if row[3] == "disabled"]:
        raise UnreachableError(f"sessions {untold} say nothing of what they do: track_activities is off")
    return [
        Session(pid, user, application, state, (since_query if state in RUNNING else since_state) or 0.0)
        for pid, user, application, state, since_query, since_state in rows
    ]


def slow(found: list[Session], seconds: float) -> list[Session]:
    """Whose query has been running for longer."""
    return [one for one in found if one.state in RUNNING and one.seconds > seconds]


def idle_in_transaction(found: list[Session], seconds: float) -> list[Session]:
    """Who holds a transaction open, with its locks and its view of every row, and does nothing."""
    return [one for one in found if one.state.startswith(IDLE) and one.seconds > seconds]


def left_prepared(database: Database, seconds: float) -> list[str]:
    """Transactions that were prepared and left: they hold the same, and have no session any more."""
    rows = database.rows(
        """SELECT gid, owner::text, extract(epoch FROM clock_timestamp() - prepared)::float
           FROM pg_prepared_xacts WHERE database = current_database()"""
    )
    return [f"{gid} of {owner}, {age:.0f} s" for gid, owner, age in rows if age > seconds]


def waiting(database: Database, seconds: float) -> list[str]:
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
