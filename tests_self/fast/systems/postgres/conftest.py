"""A real PostgreSQL for each file, and a look at it as a check has."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests_self.building.databases import target_at

from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    yield server
    server.close()


@pytest.fixture
def looking(server: ScratchServer, loopback: "Loopback") -> Iterator[Database]:
    with closing(DatabaseSession(settings.database(target_at(loopback, server.url("postgres"))))) as session:
        yield Database(session, lambda _: None)
