"""The fixtures that checks of several phases are given. Hooks and options live in noxgate.plugin."""

from collections.abc import Iterator
from functools import cache as cached

import pytest

from nox_service.api import ApiClient, ApiSession
from nox_service.together import Together
from nox_service.websocket import WebSocketClient
from noxgate.blue_green.nodes import platform_of_nodes
from noxgate.blue_green.side import Side, side_of
from noxgate.blue_green.switching import SwitchPoint
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe
from noxgate.plugin.gate import gate_of
from noxgate.project.runbook import Limits, Release, Runbook
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems.http.tls import TlsClient
from noxgate.systems.kubernetes.kube import Kube, sessions
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.postgres.catalog import Catalog, read_catalog
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.prometheus.client import Prometheus, PrometheusSession
from noxgate.systems.redis import Cache, CacheSession
from noxgate.systems.registry.client import Registry
from noxgate.systems.registry.session import RegistrySession
from noxgate.systems.repository import Repository
from noxgate.trials.shipped import Read, read, shipped


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
def release(runbook: Runbook) -> Release:
    """The release being shipped."""
    return runbook.release


@pytest.fixture(scope="session")
def service(runbook: Runbook) -> Service:
    """What the service calls its parts."""
    return runbook.service


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


@pytest.fixture
def together(target: Target, api_session: ApiSession, observe: Observe) -> Together:
    """The same, asked many things at once."""
    return Together(target, api_session, observe)


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


@pytest.fixture(scope="session")
def kube_sessions(target: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    """The target's cluster: the credential that looks, and the one for dry runs."""
    yield from sessions(target)


@pytest.fixture
def kube(kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Kube:
    """The target's Kubernetes cluster."""
    return Kube(*kube_sessions, observe)


@pytest.fixture
def green(kube: Kube, target: Target, service: Service) -> Side:
    """Green: in staging it is all there is."""
    return side_of(kube, target, service, target.green_namespace, service.green)


@pytest.fixture
def switch_point(kube: Kube, target: Target, service: Service) -> SwitchPoint:
    """Where the target's traffic is switched."""
    return SwitchPoint(kube, target, service)


@pytest.fixture(scope="session")
def registry_session(target: Target) -> Iterator[RegistrySession]:
    """The connections to the registries of the target's images."""
    session = RegistrySession(target, target.registry, target.platform)
    yield session
    session.close()


@pytest.fixture
def registry(
    registry_session: RegistrySession, kube: Kube, target: Target, service: Service, observe: Observe
) -> Registry:
    """The registries of the target's images, which are for its nodes."""
    return Registry(
        registry_session,
        observe,
        lambda: platform_of_nodes(kube, target.green_namespace, service.label, target.path.name),
    )


@pytest.fixture(scope="session")
def manifest_reader() -> Read:
    """Reads a folder of manifests once for the run: YAML takes its time."""
    return cached(read)


@pytest.fixture
def manifests(target: Target, manifest_reader: Read, observe: Observe) -> tuple[Document, ...]:
    """The manifests that the release ships for the target."""
    return shipped(target, manifest_reader, observe)


@pytest.fixture(scope="session")
def prometheus_session(target: Target) -> Iterator[PrometheusSession]:
    """The connections to the target's Prometheus."""
    session = PrometheusSession(target)
    yield session
    session.close()


@pytest.fixture
def prometheus(prometheus_session: PrometheusSession, observe: Observe) -> Prometheus:
    """The target's Prometheus."""
    return Prometheus(prometheus_session, observe)


@pytest.fixture
def repository(target: Target, observe: Observe) -> Repository:
    """The release's git checkout; its remote is asked, nothing is fetched."""
    if target.source is None:
        raise UnreachableError(f"{target.path.name} names no source, the checkout of the release repository")
    return Repository(target.source, observe)
