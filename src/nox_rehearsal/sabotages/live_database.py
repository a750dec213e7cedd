"""After the traffic switch: the database is too busy, or somebody holds it up."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import psycopg

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.parts import postgres
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import in_production, sql
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.project.runbook import read_runbook

After = partial(Sabotage, moment="live")

CROWD = 84  # connections: more than 80 % of what 100 leaves for all but superusers
OF_ROLE = 40


def sabotages() -> Iterator[Sabotage]:
    line = "live.database-connections"
    yield After(line, "crowd", "81 % of the connections are taken", _crowd, "of the server")
    yield After(line, "role", "95 % of what the role may have", _crowd_of_role, "of role nox_production_app")
    line = "live.database-longest-query"
    deny = ("REVOKE pg_monitor FROM {0}", "GRANT pg_monitor TO {0}")
    blind = in_production(sql(*(each.format(postgres.PRODUCTION.read_only) for each in deny)))
    what = "this account does not see what others run"
    yield After(line, "blind", what, blind, "does not see", outcome="unreachable")
    yield After(line, "idle", "a transaction was left open", _left_open, "idle in transaction")
    named = partial(_left_open, application="pg_dump")
    yield After(line, "named", "and its client calls itself pg_dump", named, "idle in transaction")
    line = "live.database-locks"
    yield After(line, "waiting", "a session has waited for another's lock for too long", _waiting, "waiting")
    line = "live.database-indexes"
    flag = "UPDATE pg_index SET indisvalid = {} WHERE indexrelid = 'idx_jobs_tags'::regclass"
    invalid = in_production(sql(flag.format("false"), flag.format("true")))
    yield After(line, "invalid", "CONCURRENTLY was broken off", invalid, "idx_jobs_tags")


@contextmanager
def _crowd(world: World, of: str = "backend_type = 'client backend'", most: int = CROWD) -> Iterator[None]:
    """Sessions that do nothing, until there are so many."""
    with ExitStack() as stack:
        own = stack.enter_context(psycopg.connect(world.production_dsn, autocommit=True))
        query = f"SELECT count(*) FROM pg_stat_activity WHERE {of}"

        def taken() -> int:
            row = own.execute(query.encode()).fetchone()
            assert row is not None
            return int(row[0])

        for _ in range(max(0, most - taken())):
            stack.enter_context(psycopg.connect(world.production_application_dsn))
        yield


@contextmanager
def _crowd_of_role(world: World) -> Iterator[None]:
    """Few for the server, and nearly all that the application's role may have."""
    role = postgres.PRODUCTION.application
    limit = "ALTER ROLE {} CONNECTION LIMIT {}"
    with (
        in_production(sql(limit.format(role, OF_ROLE), limit.format(role, -1)))(world),
        _crowd(world, f"usename = '{role}'", OF_ROLE - 2),
    ):
        yield


@contextmanager
def _left_open(world: World, application: str = "nox-api") -> Iterator[None]:
    """One session has changed a row and does nothing, for longer than the limit."""
    limit = read_runbook(ROOT / "runbook.toml").lines["live.database-longest-query"].limits
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
        f" AND clock_timestamp() - state_change > interval '{limit['idle_seconds'] + 1} s'"
    )
    with (
        psycopg.connect(world.production_application_dsn, application_name=application) as first,
        psycopg.connect(world.production_dsn, autocommit=True) as second,
    ):
        first.execute("SELECT 1")

        def left() -> None:
            assert second.execute(query).fetchone() is not None

        eventually(left, within=limit["idle_seconds"] + 30, every=0.5)
        try:
            yield
        finally:
            first.rollback()


@contextmanager
def _waiting(world: World) -> Iterator[None]:
    """One session has changed a row and does nothing; another has wanted the same row for too long."""
    change = "UPDATE users SET email = email WHERE id = 1"
    with (
        psycopg.connect(world.production_dsn) as first,
        psycopg.connect(world.production_dsn, autocommit=True) as second,
        psycopg.connect(world.production_dsn, autocommit=True) as third,
    ):
        first.execute(change)
        waits = threading.Thread(target=lambda: second.execute(change))
        waits.start()

        limit = read_runbook(ROOT / "runbook.toml").lines["live.database-locks"].limits["seconds"]

        def blocked() -> None:
            query = f"SELECT 1 FROM pg_locks WHERE clock_timestamp() - waitstart > interval '{limit} s'"
            assert third.execute(query).fetchone() is not None

        eventually(blocked, within=limit + 5, every=0.05)
        try:
            yield
        finally:
            first.rollback()
            waits.join()
