"""The fixtures that the checks of staging are given; those of several phases are in ../conftest.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nox_service.clients import Clients, Sessions
from noxgate.errors import UnreachableError
from noxgate.plugin.gate import gate_of
from noxgate.project.release_facts import read_release_facts
from noxgate.project.runbook import Runbook
from noxgate.slo.before.checked import Earlier, Slower
from noxgate.slo.kept.counted import less_counted
from noxgate.slo.kept.results import LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.ramps import read_ramps
from noxgate.slo.result import Result, results_folder
from noxgate.systems.prometheus.growth import growth


@pytest.fixture(scope="session")
def load_results(pytestconfig: pytest.Config, sessions: Sessions) -> LoadResults:
    """What `noxgate load` has left."""
    root, gate = pytestconfig.rootpath, gate_of(pytestconfig)
    assert gate is not None
    folder = results_folder(root, sessions.target, sessions.release.version)
    return LoadResults(LoadSettings.of(sessions.target), folder, read_ramps(root), gate.refused_load)


@pytest.fixture
def counted(clients: Clients) -> Callable[[Result], str] | None:
    """Compares a load test with the application's own counters, where the profile names them."""
    named = clients.target.load_counters
    if named is None:
        return None

    def compare(result: Result) -> str:
        grew = growth(clients.prometheus, named.query, result.start, result.end)
        return less_counted(result, named.uncounted, grew.seen, grew.unseen, grew.gaps, grew.first)

    return compare


@pytest.fixture
def load_test(
    clients: Clients, load_results: LoadResults, runbook: Runbook, counted: Callable[[Result], str] | None
) -> LoadTest:
    """The newest load tests of the target."""
    return LoadTest(load_results, runbook, clients.observe, counted)


@pytest.fixture
def slower(
    pytestconfig: pytest.Config,
    clients: Clients,
    load_test: LoadTest,
    runbook: Runbook,
    tmp_path_factory: pytest.TempPathFactory,
) -> Slower:
    """The newest load tests beside that of the release before, which the release record names."""
    gate, target = gate_of(pytestconfig), clients.target
    assert gate is not None
    if target.record is None:
        raise UnreachableError(f"{target.path.name} names no record, the release record")
    earlier = Earlier(target.record, read_release_facts(target.record).before, gate.refused_load)

    def folder(name: str) -> Path:
        made = tmp_path_factory.mktemp("beside") / name
        made.mkdir()
        return made

    line = runbook.lines["staging.slower-than-before"]
    return Slower(load_test, earlier, line, clients.observe, folder)
