"""The sessions that PostgreSQL and Redis themselves see, but for the gate's own."""

import time
from datetime import datetime

from noxgate.blue_green.connected.sessions import SeenSession
from noxgate.errors import UnreachableError
from noxgate.systems.postgres.database import Database
from noxgate.systems.redis import Cache


def of_database(database: Database, since: datetime) -> list[SeenSession]:
    """Of the database that the gate asks; in use are those that have asked something since then."""
    rows = database.rows(
        """SELECT coalesce(host(client_addr), ''), coalesce(application_name, ''),
                  coalesce(query_start >= %(since)s, false), coalesce(usename, '')
           FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        since=since,
    )
    return [SeenSession(*row) for row in rows]


def of_redis(cache: Cache, began: float) -> list[SeenSession] | None:
    """Of the Redis that the gate asks; None if it does not tell. It counts whole seconds of silence."""
    try:
        found = cache.clients()
    except UnreachableError:
        return None
    seconds = time.monotonic() - began
    return [
        SeenSession(_host(str(each["addr"])), str(each.get("name", "")), int(each["idle"]) + 1 <= seconds)
        for each in found
    ]


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
