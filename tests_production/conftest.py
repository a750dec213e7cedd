"""The fixtures that the checks of production are given; those of several phases are in ../conftest.py."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from nox_service.clients import Clients, Sessions
from nox_service.first_minutes import FirstMinutes, Rounds
from nox_service.pages import PROFILE
from noxgate.blue_green.running import running_images, starts_of
from noxgate.blue_green.slower.check import SinceSwitch
from noxgate.blue_green.switch_time import Switch, kept_beside, time_of_switch
from noxgate.blue_green.switching import live_ingress
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.look.waiting import pause
from noxgate.plugin import checkpoint
from noxgate.plugin.gate import gate_of
from noxgate.project.profile import read_peer
from noxgate.project.runbook import Limits, Runbook
from noxgate.project.saved import saved_files
from noxgate.systems.prometheus.coverage import Waiting
from noxgate.systems.prometheus.key_metrics import KeyMetrics, since
from noxgate.systems.prometheus.quiet import Quiet, nginx_requests
from noxgate.systems.prometheus.window_metrics import WindowMetrics
from noxgate.trials.backup.tonight import Backup
from noxgate.trials.backup.trial import BackupTrial, backup_settings
from noxgate.trials.migration.output import Output, newest_output
from noxgate.trust.keys import read_trust
from noxgate.trust.recorded import recorded
from noxgate.window.watching import Watching

FEWEST = 20.0  # seconds: of a rehearsal, which is scraped each second, so that bursts can be told


@pytest.fixture(scope="session")
def rounds(sessions: Sessions, runbook: Runbook) -> Rounds:
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

    clients = Clients(sessions, unrecorded)
    target, kube, chosen = clients.target, clients.kube, clients.service.label
    return Rounds(
        clients.api,
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
def staging_sessions(pytestconfig: pytest.Config, sessions: Sessions, runbook: Runbook) -> Iterator[Sessions]:
    """The connections to the peer that the profile names: staging, where the release was validated."""
    peer = read_peer(pytestconfig.rootpath, sessions.target, list(runbook.phases), key="staging")
    with closing(Sessions(peer, runbook)) as found:
        yield found


@pytest.fixture
def staging(staging_sessions: Sessions, observe: Observe) -> Clients:
    """The clients of staging's systems."""
    return Clients(staging_sessions, observe)


@pytest.fixture
def switch(pytestconfig: pytest.Config, clients: Clients) -> Switch:
    """When traffic was switched, or switched back: kept from the first look on, or as the operator says."""
    gate = gate_of(pytestconfig)
    assert gate is not None
    folder = None if gate.trust is None else checkpoint.chain(pytestconfig, gate.runbook, gate.trust).folder
    place = None if folder is None else kept_beside(folder)
    found = time_of_switch(live_ingress(clients.switch_point), place, checkpoint.switched_at(pytestconfig))
    ingress, namespace = clients.service.ingress, clients.target.namespace
    words = ("get", "ingress", ingress, "-n", namespace, "--show-managed-fields", "-o", "yaml")
    clients.observe(Observation(str(found), clients.kube.again(*words)))
    return found


@pytest.fixture(scope="session")
def for_samples(runbook: Runbook) -> Waiting:
    """How long the checks of a run wait, together, for Prometheus to have nearly all samples."""
    return Waiting(runbook.lines["live.p95-within-target"].limits["coverage_seconds"])


@pytest.fixture
def key_metrics(clients: Clients, limits: Limits, for_samples: Waiting, switch: Switch) -> KeyMetrics:
    """Green's key metrics of the first half hour, which has to be over."""
    seconds = clients.target.waiting(limits["observe_seconds"])
    pause(seconds - since(switch.at))
    pods, queries = list(running_images(clients.green)), clients.metric_queries
    return KeyMetrics(clients.prometheus, queries, pods, seconds, for_samples, starts_of(clients.green))


@pytest.fixture
def since_switch(
    clients: Clients,
    runbook: Runbook,
    for_samples: Waiting,
    switch: Switch,
    tmp_path_factory: pytest.TempPathFactory,
) -> SinceSwitch:
    """Green since the switch beside blue; its first half hour has to be over."""
    line = runbook.lines["live.slower-than-before"]
    target, prometheus, queries = clients.target, clients.prometheus, clients.metric_queries
    seconds = max(FEWEST, target.waiting(line.limits["observe_seconds"]))
    pause(seconds - since(switch.at))
    pods = list(running_images(clients.green))
    metrics = KeyMetrics(prometheus, queries, pods, seconds, for_samples, starts_of(clients.green))

    def folder(name: str) -> Path:
        made = tmp_path_factory.mktemp("beside") / name
        made.mkdir()
        return made

    return SinceSwitch(prometheus, metrics, queries, target, switch.at, line, clients.observe, folder)


@pytest.fixture
def refused_percent(request: pytest.FixtureRequest, clients: Clients) -> Callable[[float], float | None]:
    """The share of 4xx in what signed-in users are answered; None if the profile does not tell them."""
    target = clients.target
    selector = target.signed_in_requests
    if selector is None:
        seen = f"4xx of other users are not counted: {target.path.name} names no signed_in_requests"
        clients.observe(Observation(seen, f"cat {shlex.quote(str(target.path))}"))
        return lambda _: None
    metrics: KeyMetrics = request.getfixturevalue("key_metrics")  # which waits for half an hour to be over
    return lambda limit: metrics.refused_percent(selector, against=limit)


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
def window_metrics(clients: Clients, watching: Watching, limits: Limits, runbook: Runbook) -> WindowMetrics:
    """Green's metrics from the switch on, for the hours that the line is about, or to now."""
    coverage = runbook.lines["window.prometheus-coverage"].limits
    window = watching.window()
    ends = min(watching.now, window.switched + timedelta(hours=limits["hours"]))
    start, end = (each.replace(microsecond=0) for each in (window.switched, ends))
    percent, minutes = coverage["coverage_percent"], coverage["gap_minutes"]
    return WindowMetrics(clients.prometheus, clients.metric_queries, start, end, percent, minutes)


@pytest.fixture
def quiet(clients: Clients, watching: Watching) -> Quiet:
    """What tells a quiet night from users who do not get through."""
    target, service = clients.target, clients.service
    switched = watching.window().switched
    named = target.quiet.ingress
    ingress = nginx_requests(target.namespace, service.ingress) if named is None else (named,)
    return Quiet(target.quiet.hours, ingress, switched, target.blue_namespace)


@pytest.fixture(scope="session")
def backup_trial(sessions: Sessions) -> Iterator[BackupTrial]:
    """A scratch server for the night's backup, started at the first look."""
    trial = BackupTrial(backup_settings(sessions.target))
    yield trial
    trial.close()


@pytest.fixture
def backup(backup_trial: BackupTrial, sessions: Sessions, observe: Observe) -> Backup:
    """The night's backup of the target's database."""
    pattern = sessions.service.files.backup
    return Backup(backup_trial, sessions.release, pattern, sessions.database_session, observe)


@pytest.fixture
def migration_output(clients: Clients) -> Output:
    """What the migration said when it ran on the target."""
    pattern = clients.service.files.migration_log.replace("{version}", clients.release.version)
    return newest_output(saved_files(clients.target), pattern, clients.observe)


@pytest.fixture
def previous_version(pytestconfig: pytest.Config, clients: Clients) -> str:
    """Blue's version, as the checks of prep found it before the release."""
    target, release = clients.target, clients.release
    line = "prep.blue-version"
    folder = pytestconfig.rootpath / pytestconfig.option.reports / release.version
    trust = read_trust(pytestconfig.rootpath, str(target.path))
    found = recorded(folder, target.name, line, "previous-version", trust.signers)
    if found is None:
        raise UnreachableError(f"no run in {folder} says which version blue had: {line} records it, in prep")
    if found.doubt:
        raise UnreachableError(f"{found.folder.name} says which version blue had, and {found.doubt}")
    repeat = f"python3 -m json.tool {shlex.quote(str(found.folder / 'results.json'))}"
    clients.observe(Observation(f"blue was {found.value}, says {found.folder.name}", repeat))
    return found.value
