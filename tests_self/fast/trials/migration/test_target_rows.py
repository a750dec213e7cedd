"""How long a lock is held on a target with other rows than the scratch server's."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests_self.building.databases import target_at
from tests_self.fast.trials.migration.workshop import Workshop

from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.trials.scratch import ScratchServer

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


@pytest.fixture
def production(server: ScratchServer, loopback: "Loopback") -> Iterator[Callable[[str], Database]]:
    """Makes the target's database of a script, on the same server."""
    name = server.create()
    with closing(DatabaseSession(settings.database(target_at(loopback, server.url(name))))) as session:

        def made(script: str) -> Database:
            with psycopg.connect(server.url(name), autocommit=True) as connection:
                if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'nox_app'").fetchall():
                    connection.execute("CREATE ROLE nox_app")
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement.encode())
            return Database(session, lambda _: None)

        yield made


ORDINARY = "CREATE TABLE users AS SELECT n AS id, n AS age FROM generate_series(1, 60000) AS n;"
PARTITIONED = """
CREATE TABLE users (id bigint, age integer) PARTITION BY RANGE (id);
CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (30000);
CREATE TABLE users_2 PARTITION OF users DEFAULT;
INSERT INTO users SELECT n, n FROM generate_series(1, 60000) AS n;
"""
INDEX = "CREATE INDEX users_age ON users (age);"


@pytest.mark.parametrize("table", [ORDINARY, PARTITIONED], ids=["ordinary", "partitioned"])
def test_rows_that_only_the_target_has(
    workshop: Workshop, production: Callable[[str], Database], table: str
) -> None:
    """Nine rows here and 60,000 there: whether writers wait for long is not known."""
    migration = workshop.migration(INDEX, target=production(f"{table} ANALYZE users;"))

    assert migration.held_too_long(5) == []
    with pytest.raises(UnreachableError, match=r"users: SHARE .* 9 rows on the scratch server, 60000 in the"):
        migration.held_too_long(0.5)


@pytest.mark.parametrize("table", [ORDINARY, PARTITIONED], ids=["ordinary", "partitioned"])
def test_rows_that_the_target_never_counted(
    workshop: Workshop, production: Callable[[str], Database], table: str
) -> None:
    """So it is after pg_upgrade: the catalog's number is -1, also of a full table."""
    migration = workshop.migration(INDEX, target=production(table))

    assert migration.held_too_long(5) == []
    with pytest.raises(
        UnreachableError, match=r"users: SHARE .*: the target never counted .*: ANALYZE users"
    ):
        migration.held_too_long(0.5)
