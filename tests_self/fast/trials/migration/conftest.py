"""The scratch server, and what is tried on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests_self.building.migrations import MAJOR
from tests_self.fast.trials.migration.workshop import Workshop

from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    """One for all tests: starting it takes most of a second."""
    server = ScratchServer(programs(MAJOR))
    yield server
    server.close()


@pytest.fixture
def workshop(server: ScratchServer, tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(server, tmp_path)
    yield workshop
    for trial in workshop.trials:
        trial.close()
