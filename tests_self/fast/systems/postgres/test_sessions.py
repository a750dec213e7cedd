"""Sessions that stand still, on a real PostgreSQL: idle in transaction, and what only looks like it."""

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, LiteralString, cast

import psycopg
import pytest
from tests_self.building.databases import LIMIT, is_seen, named, seen, target_at

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems import settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.postgres.sessions import (
    Session,
    idle_in_transaction,
    left_prepared,
    long_waits,
    sessions,
    slow,
)
from noxgate.trials.scratch import ScratchServer

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


def test_transaction_that_was_left_open(server: ScratchServer, looking: Database) -> None:
    """Beyond the limit, not before; one in which a query runs is not idle."""
    with named(server, "left-open") as connection:
        connection.execute("SELECT 1")

        assert seen(looking, idle_in_transaction, 3600) == []
        eventually(lambda: is_seen(looking, ["left-open"]), within=60, every=0.1)
        assert seen(looking, slow, LIMIT) == []

    eventually(lambda: is_seen(looking, []), within=60, every=0.1)


def test_transaction_that_failed_and_was_left(server: ScratchServer, looking: Database) -> None:
    """It holds the same until somebody rolls it back."""
    with named(server, "failed") as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")

        eventually(lambda: is_seen(looking, ["failed"]), within=60, every=0.1)


def test_session_of_a_pool_that_waits_is_fine(server: ScratchServer, looking: Database) -> None:
    """Idle outside of a transaction, for as long as it likes."""
    with named(server, "pooled", autocommit=True) as waiting, named(server, "left-open") as connection:
        waiting.execute("SELECT 1")
        connection.execute("SELECT 1")  # later than the other

        eventually(lambda: is_seen(looking, ["left-open"]), within=60, every=0.1)


def test_sessions_that_are_only_signing_in(server: ScratchServer, looking: Database) -> None:
    """Of an application without a pool: for a moment each has no state yet, and is not hidden from us."""
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            psycopg.connect(server.url("postgres"), application_name="brief").close()

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for each in threads:
        each.start()
    try:
        called = {one.application for _ in range(500) for one in sessions(looking)}
    finally:
        stop.set()
        for each in threads:
            each.join()

    assert "brief" in called


def test_sessions_of_others(server: ScratchServer, loopback: "Loopback") -> None:
    """PostgreSQL says of them that they are there, to an account that may not see more."""
    with named(server, "grants", autocommit=True) as connection:
        connection.execute("CREATE ROLE blind LOGIN")
        url = server.url("postgres", "blind")
        with closing(DatabaseSession(settings.database(target_at(loopback, url)))) as session:
            looking = Database(session, lambda _: None)
            with pytest.raises(UnreachableError, match="GRANT pg_read_all_stats"):
                sessions(looking)
            connection.execute("GRANT pg_read_all_stats TO blind")

            # what others have just left ends when the server has seen it
            eventually(lambda: are_there(looking, ["grants", "noxgate"]), within=60, every=0.1)


def are_there(looking: Database, expected: list[str]) -> None:
    assert [one.application for one in sessions(looking)] == expected


def test_writers_of_one_row(server: ScratchServer, looking: Database) -> None:
    """They wait for each other in half of all looks, for microseconds each."""
    stop = threading.Event()
    with named(server, "makes", autocommit=True) as connection:
        connection.execute("CREATE TABLE hot AS SELECT 0 AS changed")

    def change() -> None:
        with named(server, "writer", autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("UPDATE hot SET changed = changed + 1")

    threads = [threading.Thread(target=change) for _ in range(3)]
    for each in threads:
        each.start()
    try:
        eventually(lambda: some(long_waits(looking, 0)), within=60, every=0.01)
        for _ in range(50):
            assert long_waits(looking, 10) == []
    finally:
        stop.set()
        for each in threads:
            each.join()


def test_writer_whom_a_transaction_holds_up(server: ScratchServer, looking: Database) -> None:
    """And who waits behind that one, until it ends."""
    with named(server, "makes", autocommit=True) as connection:
        connection.execute("CREATE TABLE held AS SELECT 0 AS changed")

    def change() -> None:
        with named(server, "writer") as connection:
            connection.execute("UPDATE held SET changed = changed + 1")

    def both() -> list[str]:
        found = long_waits(looking, LIMIT)
        assert len(found) == len(threads)
        return found

    with named(server, "holder") as holder:
        holder.execute("LOCK held")
        longest = holder.info.backend_pid
        threads = [threading.Thread(target=change) for _ in range(2)]
        for each in threads:
            each.start()
        try:
            found = eventually(both, within=60, every=0.1)
            assert long_waits(looking, 3600) == []
        finally:
            holder.rollback()
            for each in threads:
                each.join()

    assert all(f"{longest}" in one for one in found)
    assert long_waits(looking, 0) == []


def some(found: list[str]) -> None:
    assert found != []


def answering(*answers: list[tuple[Any, ...]]) -> Database:
    """A database with these rows."""

    class Rows:
        def rows(self, _: LiteralString) -> list[tuple[Any, ...]]:
            return answers[0]

    return cast("Database", Rows())


def test_prepared_transactions() -> None:
    """They have no session that could be seen."""
    left = answering([("order-1", "nox", 31.0), ("order-2", "nox", 0.2)])

    assert left_prepared(left, 30) == ["order-1 of nox, 31 s"]
    assert left_prepared(answering([]), 30) == []


def test_sessions_that_say_nothing() -> None:
    """Of another role, or with track_activities off."""
    own = (1, "nox", "noxgate", "active", 0.0, 0.0, "", False, "")
    with pytest.raises(UnreachableError, match="GRANT pg_read_all_stats"):
        sessions(answering([own, (2, *[None] * 8)]))
    with pytest.raises(UnreachableError, match=r"sessions \[2\] .* track_activities is off"):
        sessions(answering([own, (2, "nox", "api", "disabled", None, None, "", False, "")]))


def test_queries_that_run_on() -> None:
    """By the time of the query; a function called by libpq's old way is one."""
    found = [
        Session(1, "nox", "api", "active", 61),
        Session(2, "nox", "api", "fastpath function call", 61),
        Session(3, "nox", "api", "active", 59),
        Session(4, "nox", "api", "idle", 3600),
    ]

    assert [one.pid for one in slow(found, 60)] == [1, 2]
