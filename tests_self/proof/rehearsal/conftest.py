"""One rehearsal for all tests of this folder (one for each xdist worker), and a way to run the gate on it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests_self import pods, scheduling, turns
from tests_self.deployed_rehearsal import Cluster

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.cluster.objects import BLUE
from nox_rehearsal.day import loading, moments, quiet, under_load
from nox_rehearsal.day.phases import moment_of
from nox_rehearsal.parts import prometheus
from nox_rehearsal.sabotages.live_metrics import COMPARED, OF_USERS, WINDOW
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually, pause

from .pasting import Pasting

OF_PODS = ["test_pods.py", "test_production_pods.py"]
collect_ignore = [] if pods.possible() else OF_PODS  # left out, which the header says


def pytest_report_header() -> str:
    """Say what of these tests is left out on this machine, not skipped."""
    words = "run as processes" if pods.possible() else "left out: this user may not mount here"
    return f"pods of deploy/: {words}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Load tests take long and come first; all in the order of the day, as a world moves."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    places = [index for index, item in enumerate(items) if item in here]
    turns = sorted(here, key=lambda item: (not scheduling.makes_load(item.nodeid), _moment(item)))
    for index, item in zip(places, turns, strict=True):
        items[index] = item


def _moment(item: pytest.Item) -> int:
    given = getattr(item, "callspec", None)
    found = {} if given is None else given.params
    if "moment" in found:
        return moments.ORDER.index(found["moment"])
    if "sabotage" in found:
        return moments.ORDER.index(found["sabotage"].moment)
    phase = found.get("phase") if item.name.startswith("test_nothing_broken_is_go") else None
    return 0 if phase is None else moments.ORDER.index(moment_of(phase))


UP = pytest.StashKey[tuple[World, ExitStack]]()


@pytest.fixture(scope="session")
def before_interpreter(pytestconfig: pytest.Config, interpreter: str) -> Iterator[str]:
    """The interpreter, from which the world's supervisor is forked: it outlives the world."""
    yield interpreter
    _end_world(pytestconfig)


def _end_world(config: pytest.Config) -> None:
    if UP in config.stash:
        _, stack = config.stash[UP]
        del config.stash[UP]  # first: a world that did not end well is no longer one for tests
        stack.close()


@pytest.fixture
def world(request: pytest.FixtureRequest, before_interpreter: str) -> World:
    """PostgreSQL, Redis, nginx and the NOX API on loopback; up until the last test of this folder."""
    stash = request.config.stash
    if UP not in stash:
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        with ExitStack() as stack:
            stack.enter_context(under_load.by(under_load.Way(again=turns.alone)))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "executable", before_interpreter)
                world = stack.enter_context(worlds.running(f"test-{worker}", say=lambda _: None))
            stash[UP] = world, stack.pop_all()
    return stash[UP][0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End the world after its last test: what it does for its users takes a sixth of a core."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != item.path.parent:
            _end_world(item.config)


def _compared_with_a_good_blue(world: World) -> None:
    """Green is compared with blue's last hour: what earlier tests broke in blue is left out of it."""
    if moments.ORDER.index(moments.at(world)) < moments.ORDER.index(moments.LIVE):
        prometheus.forget(world, f'{{__name__=~"http_request.*",namespace="{BLUE}"}}')
        pause(WINDOW)  # its visitors are what is compared


@pytest.fixture(autouse=True)
def undisturbed(request: pytest.FixtureRequest) -> Iterator[None]:
    """The key metrics of production are looked at beside no load test, whichever world that is of."""
    live = _moment(request.node) == moments.ORDER.index(moments.LIVE)
    if live and "world" in request.fixturenames:
        _compared_with_a_good_blue(request.getfixturevalue("world"))
    with quiet.without_load() if live else nullcontext():
        yield


_FAILED = f'sum(http_requests_total{{{OF_USERS},status=~"5.."}}'


def _failed(world: World, seconds: float) -> bool:
    """Whether a request of users failed within the last seconds."""
    more = f"({_FAILED}) or vector(0)) - ({_FAILED} offset {seconds:.0f}s) or vector(0))"
    return any(prometheus.values(world, more))


@pytest.fixture
def load_tested(world: World) -> None:
    """The whole of staging is judged by a load test, too: one for each world, while nothing is broken."""
    loading.good(world)


def calm(world: World) -> None:
    """Nothing tells of what an earlier test broke, no alert and no failed request: Prometheus forgets those.

    It keeps as much as most checks look back upon, in which nothing may have failed.
    """
    if prometheus.alerts(world) or _failed(world, COMPARED):
        eventually(lambda: _expect_nothing(world), within=60, every=1)


def _expect_nothing(world: World) -> None:
    assert not _failed(world, WINDOW)
    # blue's last hour is what green is compared with: no user asks blue any more
    prometheus.forget(world, f'{{__name__=~"http_request.*",namespace!="{BLUE}"}}', WINDOW)
    assert prometheus.alerts(world) == []


@dataclass(frozen=True)
class Run:
    """One run of the gate: exit status, what it printed, and its folder (None if it made no folder)."""

    status: int
    output: str
    folder: Path | None


Gate = Callable[..., Run]


@pytest.fixture
def pasting(world: World, interpreter: str, tmp_path: Path) -> Pasting:
    """Pastes what a run shows under Repeat."""
    folder = tmp_path / "pasted"
    folder.mkdir()
    return Pasting(world, folder, interpreter)


@pytest.fixture
def gate(world: World, interpreter: str, tmp_path: Path, pytestconfig: pytest.Config) -> Gate:
    """Run a phase's checks on the rehearsal in a pytest of their own."""
    # what is asked of the tests is not asked of the runs that they make
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    def run(*more: str, markers: str = "staging", profile: Path | None = None) -> Run:
        output = tmp_path / "output.txt"
        target = f"--target={profile or world.profile}"
        command = [interpreter, "-m", "pytest", "-m", markers, target, f"--reports={tmp_path}", "-q", *more]
        with output.open("wb") as file:
            status = subprocess.run(
                command, cwd=pytestconfig.rootpath, env=ours, stdout=file, stderr=file, check=False
            ).returncode
        folders = sorted(tmp_path.glob("*/*/results.json"), key=lambda path: path.stat().st_mtime_ns)
        return Run(status, output.read_text(errors="replace"), folders[-1].parent if folders else None)

    return run


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/gate of the image, of the commit that is checked out here."""
    return pods.build(ROOT, tmp_path_factory.mktemp("image"))


@pytest.fixture
def cluster(world: World, tmp_path: Path, image: Path) -> Iterator[Cluster]:
    """The world's, with deploy/ in it as long as the test lasts."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    made = Cluster(world, tmp_path, image)
    yield made
    made.restore()
    made.admin.close()
