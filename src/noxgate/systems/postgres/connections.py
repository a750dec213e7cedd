"""How many connections are taken, of those that may be: of a server, a database and a role."""

from collections.abc import Iterable
from dataclasses import dataclass

from noxgate.systems.postgres.database import Database


@dataclass(frozen=True)
class Room:
    """A limit, and how much of it is taken."""

    of: str
    used: int
    most: int

    def __str__(self) -> str:
        return f"{self.used} of {self.most} connections of {self.of}"


def rooms(database: Database, roles: Iterable[str]) -> list[Room]:
    """Of the server, without what it keeps back for superusers and others with a right to it.

    Then, where they have a CONNECTION LIMIT, of this database and of these roles. Of what we may not see we
    count each session.
    """
    ((used, most),) = database.rows(
        """SELECT (SELECT count(*) FROM pg_stat_activity
                   WHERE backend_type = 'client backend' OR backend_type IS NULL AND datid IS NOT NULL),
                  current_setting('max_connections')::int
                  - current_setting('superuser_reserved_connections')::int
                  - coalesce(current_setting('reserved_connections', true), '0')::int"""
    )
    limited = database.rows(
        """SELECT 'database ' || datname, datconnlimit,
                  (SELECT count(*) FROM pg_stat_activity a
                   WHERE a.datid = d.oid AND a.pid <> pg_backend_pid())
           FROM pg_database d WHERE datname = current_database() AND datconnlimit >= 0
           UNION ALL
           SELECT 'role ' || rolname, rolconnlimit,
                  (SELECT count(*) FROM pg_stat_activity a
                   WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid())
           FROM pg_roles r WHERE rolname = ANY(%(roles)s) AND rolconnlimit >= 0 AND NOT rolsuper
           ORDER BY 1""",
        roles=sorted(roles),
    )
    return [Room("the server", used, most), *(Room(of, taken, limit) for of, limit, taken in limited)]


def crowded_rooms(found: Iterable[Room], percent: float) -> list[str]:
    """Of which so much is taken, or that allow none at all."""
    return [str(room) for room in found if not 100 * room.used < percent * room.most]
