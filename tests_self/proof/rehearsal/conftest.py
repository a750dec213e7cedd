"""One rehearsal for the whole test session (one for each xdist worker), and a way to run the gate on it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests_self import pods, scheduling

from nox_rehearsal.cluster.objects import BLUE
from nox_rehearsal.day import loading, moments
from nox_rehearsal.day.phases import moment_of
from nox_rehearsal.parts import prometheus
from nox_rehearsal.sabotages.live_metrics import OF_USERS, WINDOW
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually, pause

from .pasting import Pasting

collect_ignore = [] if pods.possible() else ["test_pods.py"]  # left out, which the header says


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


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest, interpreter: str) -> Iterator[World]:
    """PostgreSQL, Redis, nginx and the NOX API on loopback."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "executable", interpreter)
            world = stack.enter_context(worlds.running(f"test-{worker}", say=lambda _: None))
        yield world


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
    with loading.without_load() if live else nullcontext():
        yield


_FAILED = f'http_requests_total{{{OF_USERS},status=~"5.."}}'
_BEFORE = f"{_FAILED} offset {2 * WINDOW:.0f}s"
FAILED_LATELY = f"(sum({_FAILED}) or vector(0)) - (sum({_BEFORE}) or vector(0))"


@pytest.fixture
def load_tested(world: World) -> None:
    """The whole of staging is judged by a load test, too: one for each world, while nothing is broken."""
    loading.good(world)


def calm(world: World) -> None:
    """Nothing tells of what an earlier test broke, no alert and no failed request: Prometheus forgets those.

    It keeps the last seconds, in which nothing may have failed.
    """
    if prometheus.alerts(world) or any(prometheus.values(world, FAILED_LATELY)):
        pause(WINDOW)
        # blue's last hour is what green is compared with: no user asks blue any more
        prometheus.forget(world, f'{{__name__=~"http_request.*",namespace!="{BLUE}"}}')
        eventually(lambda: _expect_no_alert(world), within=60, every=0.2)
        pause(WINDOW)  # as far as the checks look back


def _expect_no_alert(world: World) -> None:
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
