"""The fixtures that checks of several phases are given. Hooks and options live in noxgate.plugin."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from nox_service.clients import Clients, Sessions
from noxgate.look.observation import Observe
from noxgate.plugin.gate import gate_of
from noxgate.project.runbook import Limits, Runbook


@pytest.fixture(scope="session")
def runbook(pytestconfig: pytest.Config) -> Runbook:
    """`runbook.toml`: what each line expects, and its limits."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    return gate.runbook


@pytest.fixture
def limits(request: pytest.FixtureRequest, runbook: Runbook) -> Limits:
    """The numbers of the line that the check proves: its marker says which."""
    (line,) = request.node.get_closest_marker("runbook").args
    return runbook.lines[line].limits


@pytest.fixture(scope="session")
def sessions(pytestconfig: pytest.Config, runbook: Runbook) -> Iterator[Sessions]:
    """The connections to the target chosen by `--target`."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    assert gate.target is not None
    with closing(Sessions(gate.target, runbook)) as found:
        yield found


@pytest.fixture
def clients(sessions: Sessions, observe: Observe) -> Clients:
    """The clients of the target's systems."""
    return Clients(sessions, observe)
