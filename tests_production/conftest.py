"""The fixtures that the checks of production are given; those of several phases are in ../conftest.py."""

import shlex
from collections.abc import Iterator

import pytest

from noxgate.clients.api import ApiClient, ApiSession
from noxgate.clients.backup import Backup
from noxgate.clients.backup_trial import BackupTrial
from noxgate.clients.database import DatabaseSession
from noxgate.clients.first_minutes import FirstMinutes, Rounds
from noxgate.clients.forward import Forward
from noxgate.clients.grafana import Grafana
from noxgate.clients.ingress_meaning import changed_at
from noxgate.clients.key_metrics import KeyMetrics, since
from noxgate.clients.kube import Kube, sessions
from noxgate.clients.kube_session import KubeSession
from noxgate.clients.metric_queries import MetricQueries
from noxgate.clients.migration_output import Output, output
from noxgate.clients.observation import Observation, Observe
from noxgate.clients.pod_logs import PodLogs
from noxgate.clients.prometheus import Prometheus
from noxgate.clients.registry import Registry
from noxgate.clients.registry_session import RegistrySession
from noxgate.clients.rollback_manifests import RollbackManifests
from noxgate.clients.rolled_back import RolledBack
from noxgate.clients.running import running
from noxgate.clients.sentry import Sentry
from noxgate.clients.switching import live_ingress
from noxgate.clients.vulnerabilities import Vulnerabilities
from noxgate.clients.watching import Watching
from noxgate.clients.window_metrics import WindowMetrics
from noxgate.evidence.recorded import recorded
from noxgate.evidence.trust import read_trust
from noxgate.plugin import checkpoint
from noxgate.plugin.gate import gate_of
from noxgate.profile import read_peer
from noxgate.runbook import Release, Runbook
from noxgate.target import Target, UnreachableError
from noxgate.waiting import pause


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
def staging(pytestconfig: pytest.Config, target: Target, runbook: Runbook) -> Target:
    """The peer that the profile names: staging, where the release was validated, seen from production."""
    return read_peer(pytestconfig.rootpath, target, list(runbook.phases), key="staging")


@pytest.fixture(scope="session")
def staging_kube_sessions(staging: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    """As `kube_sessions`, of staging."""
    yield from sessions(staging)


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


@pytest.fixture
def vulnerabilities(target: Target, observe: Observe) -> Vulnerabilities:
    """What an image scanner reported."""
    return Vulnerabilities(target.path.name, target.vulnerabilities, observe)


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
    trust = read_trust(pytestconfig.rootpath, str(target.path))
    found = recorded(folder, target.name, line, "previous-version", trust.signers)
    if found is None:
        raise UnreachableError(f"no run in {folder} says which version blue had: {line} records it, in prep")
    if found.doubt:
        raise UnreachableError(f"{found.folder.name} says which version blue had, and {found.doubt}")
    repeat = f"jq .facts {shlex.quote(str(found.folder / 'results.json'))}"
    observe(Observation(f"blue was {found.value}, says {found.folder.name}", repeat))
    return found.value
