"""The fixtures that the checks of staging are given; those of several phases are in ../conftest.py."""

import pytest

from noxgate.clients.api import ApiSession
from noxgate.clients.load_results import LoadResults, LoadTest
from noxgate.clients.observation import Observe
from noxgate.clients.tls import TlsClient
from noxgate.clients.websocket import WebSocketClient
from noxgate.loadtest.ramps import read_ramps
from noxgate.loadtest.result import results_folder
from noxgate.runbook import Release, Runbook
from noxgate.target import Target


@pytest.fixture
def websocket(target: Target, api_session: ApiSession, observe: Observe) -> WebSocketClient:
    """The WebSocket of the target's API."""
    return WebSocketClient(target, api_session, observe)


@pytest.fixture
def tls(target: Target, api_session: ApiSession, observe: Observe) -> TlsClient:
    """The TLS endpoint in front of the target's API."""
    return TlsClient(target, api_session.patience, observe)


@pytest.fixture(scope="session")
def load_results(pytestconfig: pytest.Config, target: Target, release: Release) -> LoadResults:
    """What `noxgate load` has left."""
    root = pytestconfig.rootpath
    return LoadResults(target, results_folder(root, target, release.version), read_ramps(root))


@pytest.fixture
def load_test(target: Target, load_results: LoadResults, runbook: Runbook, observe: Observe) -> LoadTest:
    """The newest load tests of the target."""
    return LoadTest(target, load_results, runbook, observe)
