"""The fixtures that the checks of production are given; those of several phases are in ../conftest.py."""

import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nox_service.api import ApiClient, ApiSession
from nox_service.first_minutes import FirstMinutes, Rounds
from nox_service.pages import PROFILE
from noxgate.blue_green.nodes import platform_of_nodes
from noxgate.blue_green.rollback_manifests import RollbackManifests
from noxgate.blue_green.rolled_back import RolledBack
from noxgate.blue_green.running import began, running
from noxgate.blue_green.side import Side, side_of
from noxgate.blue_green.slower.check import SinceSwitch
from noxgate.blue_green.switch_time import Switch, kept_beside, switch
from noxgate.blue_green.switching import SwitchPoint, live_ingress
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.look.waiting import pause
from noxgate.plugin import checkpoint
from noxgate.plugin.gate import gate_of
from noxgate.project.profile import read_peer
from noxgate.project.runbook import Limits, Release, Runbook
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems.http.grafana import Grafana
from noxgate.systems.http.sentry import Sentry
from noxgate.systems.kubernetes.forward import Forward
from noxgate.systems.kubernetes.kube import Kube, sessions
from noxgate.systems.kubernetes.pod_logs import PodLogs
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.postgres.database import DatabaseSession
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.key_metrics import KeyMetrics, Waiting, since
from noxgate.systems.prometheus.metric_queries import MetricQueries
from noxgate.systems.prometheus.quiet import Quiet, nginx_requests
from noxgate.systems.prometheus.window_metrics import WindowMetrics
from noxgate.systems.registry.client import Registry
from noxgate.systems.registry.session import RegistrySession
from noxgate.systems.registry.vulnerabilities import Vulnerabilities
from noxgate.trials.backup.tonight import Backup
from noxgate.trials.backup.trial import BackupTrial
from noxgate.trials.migration.output import Output, output
from noxgate.trust.keys import read_trust
from noxgate.trust.recorded import recorded
from noxgate.window.watching import Watching

FEWEST = 20.0  # seconds: of a rehearsal, which is scraped each second, so that bursts can be told


@pytest.fixture
def forward(kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Forward:
    """Ways to single pods of the target's cluster."""
    return Forward(kube_sessions[0], observe)


@pytest.fixture
def blue(kube: Kube, target: Target, service: Service) -> Side:
    """What users have until the switch, and again after a rollback."""
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")
    return side_of(kube, target, service, target.blue_namespace, service.blue)


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
    service: Service,
) -> Rounds:
    """The first minutes on the public host, watched once for the run; each check records its own share.

    As long and as often as the most demanding of its lines.
    """
    asked = [
        runbook.lines["live.health"].limits,
        runbook.lines["live.version"].limits,
        runbook.lines["live.ready"].limits,
        runbook.lines["live.pods-steady"].limits,
    ]

    def unrecorded(_: Observation) -> None:
        """The check that asks says what was seen."""

    kube = Kube(*kube_sessions, unrecorded)
    chosen = service.label
    return Rounds(
        ApiClient(target, api_session, unrecorded),
        ("/health", "/version", "/ready"),
        lambda: kube.list("Pod", target.green_namespace, chosen),
        during=target.waiting(max(limits["observe_seconds"] for limits in asked)),
        every=target.waiting(min(limits["every_seconds"] for limits in asked)),
        signed_in=(PROFILE,),
        get_pods=kube.again("get", "pods", "-n", target.green_namespace, "-l", chosen),
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


@pytest.fixture
def staging_green(staging_kube: Kube, staging: Target, service: Service) -> Side:
    """The release, where it was validated."""
    return side_of(staging_kube, staging, service, staging.namespace, service.green)


@pytest.fixture(scope="session")
def staging_registry_session(staging: Target) -> Iterator[RegistrySession]:
    """As `registry_session`, of staging."""
    session = RegistrySession(staging, staging.registry, staging.platform)
    yield session
    session.close()


@pytest.fixture
def staging_registry(
    staging_registry_session: RegistrySession,
    staging_kube: Kube,
    staging: Target,
    service: Service,
    observe: Observe,
) -> Registry:
    """The registries of staging's images, which are for its nodes."""
    return Registry(
        staging_registry_session,
        observe,
        lambda: platform_of_nodes(staging_kube, staging.namespace, service.label, staging.path.name),
    )


@pytest.fixture
def switched(
    pytestconfig: pytest.Config, switch_point: SwitchPoint, target: Target, observe: Observe
) -> Switch:
    """When traffic was switched, or switched back: kept from the first look on, or as the operator says."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    folder = None if gate.trust is None else checkpoint.chain(pytestconfig, gate.runbook, gate.trust).folder
    place = None if folder is None else kept_beside(folder)
    found = switch(live_ingress(switch_point), place, checkpoint.switched_at(pytestconfig))
    words = (
        "get",
        "ingress",
        switch_point.service.ingress,
        "-n",
        target.namespace,
        "--show-managed-fields",
        "-o",
        "yaml",
    )
    observe(Observation(str(found), switch_point.kube.again(*words)))
    return found


@pytest.fixture(scope="session")
def for_samples(runbook: Runbook) -> Waiting:
    """How long the checks of a run wait, together, for Prometheus to have nearly all samples."""
    return Waiting(runbook.lines["live.p95-within-target"].limits["coverage_seconds"])


@pytest.fixture
def metric_queries(target: Target, service: Service) -> MetricQueries:
    """Of green's pods, and of the application's container in them."""
    container = service.application(target.container)
    return MetricQueries(target.green_namespace, container.name, service.metrics)


@pytest.fixture
def key_metrics(
    prometheus: Prometheus,
    green: Side,
    target: Target,
    limits: Limits,
    metric_queries: MetricQueries,
    for_samples: Waiting,
    switched: Switch,
) -> KeyMetrics:
    """Green's key metrics of the first half hour, which has to be over."""
    seconds = target.waiting(limits["observe_seconds"])
    pause(seconds - since(switched.at))
    pods = list(running(green))
    return KeyMetrics(prometheus, metric_queries, pods, seconds, for_samples, began(green))


@pytest.fixture
def since_switch(
    prometheus: Prometheus,
    green: Side,
    metric_queries: MetricQueries,
    target: Target,
    runbook: Runbook,
    for_samples: Waiting,
    switched: Switch,
    observe: Observe,
    tmp_path_factory: pytest.TempPathFactory,
) -> SinceSwitch:
    """Green since the switch beside blue; its first half hour has to be over."""
    line = runbook.lines["live.slower-than-before"]
    seconds = max(FEWEST, target.waiting(line.limits["observe_seconds"]))
    pause(seconds - since(switched.at))
    pods = list(running(green))
    metrics = KeyMetrics(prometheus, metric_queries, pods, seconds, for_samples, began(green))

    def folder(name: str) -> Path:
        made = tmp_path_factory.mktemp("beside") / name
        made.mkdir()
        return made

    return SinceSwitch(prometheus, metrics, metric_queries, target, switched.at, line, observe, folder)


@pytest.fixture
def refused_percent(
    request: pytest.FixtureRequest, target: Target, observe: Observe
) -> Callable[[float], float | None]:
    """The share of 4xx in what signed-in users are answered; None if the profile does not tell them."""
    selector = target.signed_in_requests
    if selector is None:
        seen = f"4xx of other users are not counted: {target.path.name} names no signed_in_requests"
        observe(Observation(seen, f"cat {shlex.quote(str(target.path))}"))
        return lambda _: None
    metrics: KeyMetrics = request.getfixturevalue("key_metrics")  # which waits for half an hour to be over
    return lambda limit: metrics.refused_percent(selector, limit)


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
    watching: Watching,
    prometheus: Prometheus,
    metric_queries: MetricQueries,
    limits: Limits,
    runbook: Runbook,
) -> WindowMetrics:
    """Green's metrics from the switch on, for the hours that the line is about, or to now."""
    coverage = runbook.lines["window.prometheus-coverage"].limits
    window = watching.window()
    ends = min(watching.now, window.switched + timedelta(hours=limits["hours"]))
    start, end = (each.replace(microsecond=0) for each in (window.switched, ends))
    return WindowMetrics(
        prometheus, metric_queries, start, end, coverage["coverage_percent"], coverage["gap_minutes"]
    )


@pytest.fixture
def quiet(watching: Watching, target: Target, service: Service) -> Quiet:
    """What tells a quiet night from users who do not get through."""
    switched = watching.window().switched
    named = target.quiet.ingress
    ingress = nginx_requests(target.namespace, service.ingress) if named is None else (named,)
    return Quiet(target.quiet.hours, ingress, switched, target.blue_namespace)


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
    backup_trial: BackupTrial,
    release: Release,
    service: Service,
    database_session: DatabaseSession,
    observe: Observe,
) -> Backup:
    """The night's backup of the target's database."""
    return Backup(backup_trial, release, service.files.backup, database_session, observe)


@pytest.fixture
def migration_output(target: Target, release: Release, service: Service, observe: Observe) -> Output:
    """What the migration said when it ran on the target."""
    pattern = service.files.migration_log.replace("{version}", release.version)
    return output(target, pattern, observe)


@pytest.fixture
def rollback_manifests(target: Target, kube: Kube, service: Service, observe: Observe) -> RollbackManifests:
    """What was saved of the target's namespace for the way back."""
    return RollbackManifests(target, kube, service, observe)


@pytest.fixture
def rolled_back(target: Target, service: Service, observe: Observe) -> RolledBack:
    """What was kept of tonight's rollback."""
    return RolledBack(target, service.files, observe)


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
    repeat = f"python3 -m json.tool {shlex.quote(str(found.folder / 'results.json'))}"
    observe(Observation(f"blue was {found.value}, says {found.folder.name}", repeat))
    return found.value
