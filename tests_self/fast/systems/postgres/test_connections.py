"""How many connections are left, on a real PostgreSQL: of the server, of a database and of a role."""

from contextlib import ExitStack

import psycopg

from noxgate.systems.postgres.connections import Room, crowded_rooms, rooms
from noxgate.systems.postgres.database import Database
from noxgate.trials.scratch import ScratchServer


def test_limits_of_roles_and_databases(server: ScratchServer, looking: Database) -> None:
    """Far below the server's; a monitor's role with its one connection is not the application's."""
    with ExitStack() as stack:
        own = stack.enter_context(psycopg.connect(server.url("postgres"), autocommit=True))
        for role, limit in (("app", 5), ("monitor", 1), ("free", -1)):
            own.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {limit}".encode())
        for role in ("app", "app", "app", "monitor"):
            stack.enter_context(psycopg.connect(server.url("postgres", role)))
        few = rooms(looking, ["app", "free"])

        assert few[1:] == [Room("role app", 3, 5)]
        assert few[0].used >= len(("app", "app", "app", "monitor", "own"))
        assert crowded_rooms(few, 80) == []

        stack.enter_context(psycopg.connect(server.url("postgres", "app")))
        assert crowded_rooms(rooms(looking, ["app", "free"]), 80) == ["4 of 5 connections of role app"]
        assert crowded_rooms(rooms(looking, []), 80) == []

        own.execute("ALTER DATABASE postgres CONNECTION LIMIT 7")  # five of the roles', and ours
        assert crowded_rooms(rooms(looking, []), 80) == ["6 of 7 connections of database postgres"]
        own.execute("ALTER DATABASE postgres CONNECTION LIMIT 60")
        assert crowded_rooms(rooms(looking, []), 80) == []


def test_role_that_may_not_come_in() -> None:
    """A limit of 0 connections is crowded."""
    assert crowded_rooms([Room("role app", 0, 0)], 80) == ["0 of 0 connections of role app"]
