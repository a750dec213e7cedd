"""The fixtures that checks are given. Hooks and options live in noxgate.plugin."""

import shlex
from collections.abc import Callable, Iterator
from functools import cache as cached
from pathlib import Path

import pytest

from noxgate.clients.alert_tests import AlertTests
from noxgate.clients.api import ApiClient, ApiSession
from noxgate.clients.backup import Backup
from noxgate.clients.backup_trial import BackupTrial
from noxgate.clients.cache import Cache, CacheSession
from noxgate.clients.catalog import Catalog, read_catalog
from noxgate.clients.database import Database, DatabaseSession
from noxgate.clients.first_minutes import FirstMinutes, Rounds
from noxgate.clients.forward import Forward
from noxgate.clients.grafana import Grafana
from noxgate.clients.ingress_meaning import changed_at
from noxgate.clients.key_metrics import KeyMetrics, since
from noxgate.clients.kube import Kube
from noxgate.clients.kube_session import KubeSession
from noxgate.clients.links import Links
from noxgate.clients.load_results import LoadResults, LoadTest
from noxgate.clients.manifests import Document, read_manifests
from noxgate.clients.metric_queries import MetricQueries
from noxgate.clients.migration import Migration
from noxgate.clients.migration_files import MigrationFiles
from noxgate.clients.migration_output import Output, output
from noxgate.clients.migration_trial import Trial
from noxgate.clients.observation import Observation, Observe
from noxgate.clients.pod_logs import PodLogs
from noxgate.clients.prometheus import Prometheus, PrometheusSession
from noxgate.clients.registry import Registry
from noxgate.clients.registry_session import RegistrySession
from noxgate.clients.repository import Repository
from noxgate.clients.rollback_manifests import RollbackManifests
from noxgate.clients.rolled_back import RolledBack
from noxgate.clients.running import running
from noxgate.clients.science import Science, ScienceSession
from noxgate.clients.sentry import Sentry
from noxgate.clients.switching import live_ingress
from noxgate.clients.tls import TlsClient
from noxgate.clients.tools import Tools
from noxgate.clients.vulnerabilities import Vulnerabilities
from noxgate.clients.watching import Watching
from noxgate.clients.websocket import WebSocketClient
from noxgate.clients.window_metrics import WindowMetrics
from noxgate.evidence.recorded import recorded
from noxgate.loadtest.ramps import read_ramps
from noxgate.loadtest.result import results_folder
from noxgate.plugin import checkpoint
from noxgate.plugin.gate import gate_of
from noxgate.profile import read_peer
from noxgate.release_facts import FactsError, ReleaseFacts, read_release_facts
from noxgate.runbook import Release, Runbook
from noxgate.target import Runtime, Target, UnreachableError
from noxgate.waiting import pause


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
def load_results(pytestconfig: pytest.Config, target: Target, release: Release) -> LoadResults:
    """What `noxgate load` has left."""
    root = pytestconfig.rootpath
    return LoadResults(target, results_folder(root, target, release.version), read_ramps(root))


@pytest.fixture
def load_test(target: Target, load_results: LoadResults, runbook: Runbook, observe: Observe) -> LoadTest:
    """The newest load tests of the target."""
    return LoadTest(target, load_results, runbook, observe)


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
    yield from _sessions(target)


@pytest.fixture
def kube(kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Kube:
    """The target's Kubernetes cluster."""
    return Kube(*kube_sessions, observe)


@pytest.fixture
def forward(kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Forward:
    """Ways to single pods of the target's cluster."""
    return Forward(kube_sessions[0], observe)


@pytest.fixture
def grafana(target: Target, observe: Observe) -> Grafana:
    """The dashboard that the profile names."""
    return Grafana(target, observe)


@pytest.fixture
def sentry(target: Target, observe: Observe) -> Sentry:
    """The service's issues, where the profile names them."""
    return Sentry(target, observe)


@pytest.fixture
def pod_logs(kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> PodLogs:
    """The logs of the target's pods."""
    return PodLogs(kube_sessions[0], observe)


@pytest.fixture(scope="session")
def rounds(
    target: Target,
    runbook: Runbook,
    api_session: ApiSession,
    kube_sessions: tuple[KubeSession, KubeSession],
) -> Rounds:
    """The first minutes on the public host, watched once for the run; each check records its own share."""
    limits = runbook.lines["live.health"].limits

    def unrecorded(_: Observation) -> None:
        """The check that asks says what was seen."""

    kube = Kube(*kube_sessions, unrecorded)
    return Rounds(
        ApiClient(target, api_session, unrecorded),
        ("/health", "/version", "/ready"),
        lambda: kube.list("Pod", target.green_namespace, "app=nox-api"),
        during=target.waiting(limits["observe_seconds"]),
        every=target.waiting(limits["every_seconds"]),
    )


@pytest.fixture
def first_minutes(rounds: Rounds, observe: Observe) -> FirstMinutes:
    """What must hold for the first ten minutes."""
    return FirstMinutes(rounds, observe)


@pytest.fixture(scope="session")
def production(pytestconfig: pytest.Config, target: Target, runbook: Runbook) -> Target:
    """The peer that the profile names: production, seen from staging."""
    return read_peer(pytestconfig.rootpath, target, list(runbook.phases))


@pytest.fixture(scope="session")
def production_kube_sessions(production: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    """As `kube_sessions`, of production."""
    yield from _sessions(production)


@pytest.fixture
def production_kube(production_kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Kube:
    """Production's Kubernetes cluster."""
    return Kube(*production_kube_sessions, observe)


@pytest.fixture(scope="session")
def registry_session(target: Target) -> Iterator[RegistrySession]:
    """The connections to the registries of the target's images."""
    session = RegistrySession(target, target.registry)
    yield session
    session.close()


@pytest.fixture
def registry(registry_session: RegistrySession, observe: Observe) -> Registry:
    """The registries of the target's images."""
    return Registry(registry_session, observe)


@pytest.fixture(scope="session")
def production_registry_session(production: Target) -> Iterator[RegistrySession]:
    """As `registry_session`, of production."""
    session = RegistrySession(production, production.registry)
    yield session
    session.close()


@pytest.fixture
def production_registry(production_registry_session: RegistrySession, observe: Observe) -> Registry:
    """The registries of production's images."""
    return Registry(production_registry_session, observe)


@pytest.fixture(scope="session")
def staging(pytestconfig: pytest.Config, target: Target, runbook: Runbook) -> Target:
    """The peer that the profile names: staging, where the release was validated, seen from production."""
    return read_peer(pytestconfig.rootpath, target, list(runbook.phases), key="staging")


@pytest.fixture(scope="session")
def staging_kube_sessions(staging: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    """As `kube_sessions`, of staging."""
    yield from _sessions(staging)


@pytest.fixture
def staging_kube(staging_kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Kube:
    """Staging's Kubernetes cluster."""
    return Kube(*staging_kube_sessions, observe)


@pytest.fixture(scope="session")
def staging_registry_session(staging: Target) -> Iterator[RegistrySession]:
    """As `registry_session`, of staging."""
    session = RegistrySession(staging, staging.registry)
    yield session
    session.close()


@pytest.fixture
def staging_registry(staging_registry_session: RegistrySession, observe: Observe) -> Registry:
    """The registries of staging's images."""
    return Registry(staging_registry_session, observe)


@pytest.fixture
def runtime(target: Target) -> Runtime:
    """What the images must declare."""
    if target.runtime is None:
        raise UnreachableError(f'{target.path.name} names no runtime = {{ name = "node", version = "20" }}')
    return target.runtime


@pytest.fixture(scope="session")
def manifest_reader() -> Callable[[Path], tuple[Document, ...]]:
    """Reads a folder of manifests once for the run: YAML takes its time."""
    return cached(read_manifests)


@pytest.fixture
def manifests(
    target: Target, manifest_reader: Callable[[Path], tuple[Document, ...]], observe: Observe
) -> tuple[Document, ...]:
    """The manifests that the release ships for the target."""
    return _manifests(target, manifest_reader, observe)


@pytest.fixture
def production_manifests(
    production: Target, manifest_reader: Callable[[Path], tuple[Document, ...]], observe: Observe
) -> tuple[Document, ...]:
    """The manifests that the release ships for production's green."""
    return _manifests(production, manifest_reader, observe)


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
def key_metrics(prometheus: Prometheus, kube: Kube, target: Target, runbook: Runbook) -> KeyMetrics:
    """Green's key metrics of the first half hour, which has to be over."""
    seconds = target.waiting(runbook.lines["live.p95-within-target"].limits["observe_seconds"])
    pause(seconds - since(changed_at(live_ingress(kube, target))))
    pods = list(running(kube, target.green_namespace, "nox-api-deployment-green"))
    return KeyMetrics(prometheus, target.green_namespace, "nox-api", pods, seconds)


@pytest.fixture
def watching(pytestconfig: pytest.Config, observe: Observe) -> Watching:
    """The 48-hour window, as the records of this release on this target have it."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    assert gate.trust is not None
    assert gate.now is not None
    found = checkpoint.read(pytestconfig, gate.runbook, gate.trust)
    folder = checkpoint.chain(pytestconfig, gate.runbook, gate.trust).folder
    return Watching(found, folder, gate.now.at, observe)


@pytest.fixture
def window_metrics(
    watching: Watching, prometheus: Prometheus, target: Target, runbook: Runbook
) -> WindowMetrics:
    """Green's metrics from the switch to the end of the window, or to now."""
    limits = runbook.lines["window.prometheus-coverage"].limits
    window = watching.window()
    queries = MetricQueries(target.green_namespace)
    start, end = (each.replace(microsecond=0) for each in (window.switched, min(watching.now, window.ends)))
    return WindowMetrics(prometheus, queries, start, end, limits["coverage_percent"], limits["gap_minutes"])


@pytest.fixture(scope="session")
def production_database_session(production: Target) -> Iterator[DatabaseSession]:
    """One connection to production's database."""
    session = DatabaseSession(production)
    yield session
    session.close()


@pytest.fixture
def production_database(production_database_session: DatabaseSession, observe: Observe) -> Database:
    """Production's PostgreSQL, read only."""
    return Database(production_database_session, observe)


@pytest.fixture(scope="session")
def production_cache_session(production: Target) -> Iterator[CacheSession]:
    """One connection to production's Redis."""
    session = CacheSession(production)
    yield session
    session.close()


@pytest.fixture
def production_cache(production_cache_session: CacheSession, observe: Observe) -> Cache:
    """Production's Redis, read only."""
    return Cache(production_cache_session, observe)


@pytest.fixture
def facts(target: Target, observe: Observe) -> ReleaseFacts:
    """The release record that the profile names; it shows no person's number."""
    assert target.record is not None
    repeat = f"cat {shlex.quote(str(target.record))}"
    try:
        facts = read_release_facts(target.record)
    except (UnreachableError, FactsError) as error:
        observe(Observation(str(error), repeat))
        raise
    said = f"version {facts.version}, {facts.date}, {facts.planned_minutes} minutes"
    observe(Observation(f"{said}, {len(facts.contacts)} contacts, channels {facts.channels}", repeat))
    return facts


@pytest.fixture
def links(target: Target, observe: Observe) -> Links:
    """Addresses that people will open tonight."""
    return Links(target, observe)


@pytest.fixture
def repository(target: Target, observe: Observe) -> Repository:
    """The release's git checkout; its remote is asked, nothing is fetched."""
    if target.source is None:
        raise UnreachableError(f"{target.path.name} names no source, the checkout of the release repository")
    return Repository(target.source, observe)


@pytest.fixture
def vulnerabilities(target: Target, observe: Observe) -> Vulnerabilities:
    """What an image scanner reported."""
    return Vulnerabilities(target.path.name, target.vulnerabilities, observe)


@pytest.fixture(scope="session")
def migration_trial(target: Target) -> Iterator[Trial]:
    """A scratch server for the release's migration, started at the first look."""
    files = MigrationFiles(
        target.path.name, target.migration, target.schema, target.old_queries, target.postgres_bin
    )
    trial = Trial(target, files)
    yield trial
    trial.close()


@pytest.fixture
def migration(migration_trial: Trial, production_database: Database, observe: Observe) -> Migration:
    """The release's migration, tried on a scratch server of production's own version."""
    return Migration(migration_trial, production_database, observe)


@pytest.fixture(scope="session")
def backup_trial(target: Target) -> Iterator[BackupTrial]:
    """A scratch server for the night's backup, started at the first look."""
    trial = BackupTrial(target)
    yield trial
    trial.close()


@pytest.fixture
def backup(
    backup_trial: BackupTrial, release: Release, database_session: DatabaseSession, observe: Observe
) -> Backup:
    """The night's backup of the target's database."""
    return Backup(backup_trial, release, database_session, observe)


@pytest.fixture
def migration_output(target: Target, release: Release, observe: Observe) -> Output:
    """What the migration said when it ran on the target."""
    return output(target, release.version, observe)


@pytest.fixture
def rollback_manifests(target: Target, kube: Kube, observe: Observe) -> RollbackManifests:
    """What was saved of the target's namespace for the way back."""
    return RollbackManifests(target, kube, observe)


@pytest.fixture
def rolled_back(target: Target, observe: Observe) -> RolledBack:
    """What was kept of tonight's rollback."""
    return RolledBack(target, observe)


@pytest.fixture
def previous_version(pytestconfig: pytest.Config, target: Target, release: Release, observe: Observe) -> str:
    """Blue's version, as the checks of prep found it before the release."""
    line = "prep.blue-version"
    folder = pytestconfig.rootpath / pytestconfig.option.reports / release.version
    found = recorded(folder, target.name, line, "previous-version")
    if found is None:
        raise UnreachableError(f"no run in {folder} says which version blue had: {line} records it, in prep")
    repeat = f"jq .facts {shlex.quote(str(found.folder / 'results.json'))}"
    observe(Observation(f"blue was {found.value}, says {found.folder.name}", repeat))
    return found.value


@pytest.fixture(scope="session")
def science_session(target: Target) -> ScienceSession:
    """What the API's own Python says: asked at the first look, once for the run."""
    return ScienceSession(target)


@pytest.fixture
def science(science_session: ScienceSession, observe: Observe) -> Science:
    """The Python of the image that ships."""
    return Science(science_session, observe)


@pytest.fixture
def tools(target: Target, observe: Observe) -> Tools:
    """The programs on this machine that the day needs."""
    return Tools(target, observe)


@pytest.fixture
def alert_tests(target: Target, observe: Observe) -> AlertTests:
    """Prometheus' unit tests of the shipped rules."""
    return AlertTests(target, observe)


def _sessions(target: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    sessions = KubeSession(target), KubeSession(target, for_dry_runs=True)
    yield sessions
    for session in sessions:
        session.close()


def _manifests(
    target: Target, read: Callable[[Path], tuple[Document, ...]], observe: Observe
) -> tuple[Document, ...]:
    if target.source is None or target.manifests is None:
        missing = "source, a checkout of NOX" if target.source is None else "manifests, a folder below source"
        raise UnreachableError(f"{target.path.name} names no {missing}: add it there")
    folder = target.source / target.manifests
    documents = read(folder)
    files = dict.fromkeys(document.file for document in documents)
    seen = f"{len(documents)} documents in {target.manifests}: {', '.join(files)}"
    observe(Observation(seen, f"ls {shlex.quote(str(folder))}"))
    return documents
