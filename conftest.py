"""The fixtures that checks are given. Hooks and options live in noxgate.plugin."""

from collections.abc import Iterator

import pytest

from noxgate.clients.api import ApiClient, ApiSession
from noxgate.clients.cache import Cache, CacheSession
from noxgate.clients.catalog import Catalog, read_catalog
from noxgate.clients.database import Database, DatabaseSession
from noxgate.clients.observation import Observe
from noxgate.clients.tls import TlsClient
from noxgate.clients.websocket import WebSocketClient
from noxgate.plugin.gate import gate_of
from noxgate.runbook import Release, Runbook
from noxgate.target import Target


@pytest.fixture(scope="session")
def runbook(pytestconfig: pytest.Config) -> Runbook:
    """`runbook.toml`: what each line expects, and its limits."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    return gate.runbook


@pytest.fixture(scope="session")
def release(runbook: Runbook) -> Release:
    """The release being shipped."""
    return runbook.release


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    """The target chosen by `--target`."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    assert gate.target is not None
    return gate.target


@pytest.fixture(scope="session")
def api_session(target: Target) -> Iterator[ApiSession]:
    """One set of HTTPS connections for the run."""
    session = ApiSession(target)
    yield session
    session.close()


@pytest.fixture
def api(target: Target, api_session: ApiSession, observe: Observe) -> ApiClient:
    """The NOX API of the target."""
    return ApiClient(target, api_session, observe)


@pytest.fixture
def websocket(target: Target, api_session: ApiSession, observe: Observe) -> WebSocketClient:
    """The WebSocket of the target's API."""
    return WebSocketClient(target, api_session, observe)


@pytest.fixture
def tls(target: Target, api_session: ApiSession, observe: Observe) -> TlsClient:
    """The TLS endpoint in front of the target's API."""
    return TlsClient(target, api_session.patience, observe)


@pytest.fixture(scope="session")
def database_session(target: Target) -> Iterator[DatabaseSession]:
    """One database connection for the run, opened at the first look."""
    session = DatabaseSession(target)
    yield session
    session.close()


@pytest.fixture
def database(database_session: DatabaseSession, observe: Observe) -> Database:
    """The target's PostgreSQL, read only."""
    return Database(database_session, observe)


@pytest.fixture(scope="session")
def cache_session(target: Target) -> Iterator[CacheSession]:
    """One Redis connection for the run, opened at the first look."""
    session = CacheSession(target)
    yield session
    session.close()


@pytest.fixture
def cache(cache_session: CacheSession, observe: Observe) -> Cache:
    """The target's Redis, read only."""
    return Cache(cache_session, observe)


@pytest.fixture(scope="session")
def catalog(release: Release) -> Catalog:
    """What the release's migration must leave in the database."""
    return read_catalog(release.schema)
