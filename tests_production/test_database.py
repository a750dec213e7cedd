"""Runbook 5, database: blue's and green's pools together, and what stands still in it."""

import pytest

from nox_service.clients import Clients
from noxgate.look.observation import Observation
from noxgate.project.runbook import Limits
from noxgate.systems.postgres import settings
from noxgate.systems.postgres.connections import crowded_rooms, rooms
from noxgate.systems.postgres.sessions import (
    backups,
    idle_in_transaction,
    left_prepared,
    long_waits,
    sessions,
    slow,
)


@pytest.mark.runbook("live.database-answers")
def test_database_answers(clients: Clients) -> None:
    """SELECT 1, as the role that the profile names, and from a database that takes writes."""
    rows = clients.database.rows("SELECT 1")
    unfit = settings.unfit(clients.database, clients.catalog)

    assert rows == [(1,)]
    assert unfit == []


@pytest.mark.runbook("live.database-connections")
def test_connections_are_left(clients: Clients, limits: Limits) -> None:
    """A role, or a database, may have a limit of its own, far below the server's."""
    database, catalog, role = clients.database, clients.catalog, clients.target.application_role
    own = [role] if role else []
    found = rooms(database, own + settings.owners(database, catalog.schema_name, catalog.columns))

    assert found[0].used > 0
    assert crowded_rooms(found, limits["percent"]) == []


@pytest.mark.runbook("live.database-longest-query")
def test_no_query_runs_on(clients: Clients, limits: Limits) -> None:
    """And no transaction stays open and idle: others wait for what it holds."""
    found = sessions(clients.database)
    left = left_prepared(clients.database, limits["idle_seconds"])
    for each in backups(found, limits["seconds"]):
        again = "psql -c 'SELECT * FROM pg_stat_progress_copy'"
        clients.observe(Observation(f"not judged, since it is a backup: {each}", again))

    assert slow(found, limits["seconds"]) == []
    assert idle_in_transaction(found, limits["idle_seconds"]) == [], "they are idle in transaction"
    assert left == [], "they were prepared, and neither committed nor rolled back"


@pytest.mark.runbook("live.database-locks")
def test_nobody_waits_for_a_lock(clients: Clients, limits: Limits) -> None:
    """Not for long: writers of one row wait for each other all the time, for less than a millisecond."""
    held_up = long_waits(clients.database, limits["seconds"])

    assert len(held_up) <= limits["blocked"], f"waiting, and for whom: {held_up}"


@pytest.mark.runbook("live.database-indexes")
def test_no_index_is_invalid(clients: Clients, limits: Limits) -> None:
    """One that CREATE INDEX CONCURRENTLY left behind is maintained, and never used."""
    ((indexes,),) = clients.database.rows("SELECT count(*) FROM pg_index")
    rows = clients.database.rows(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive)"
    )

    assert indexes > 0
    assert len(rows) <= limits["invalid"], f"invalid: {[row[0] for row in rows]}"
