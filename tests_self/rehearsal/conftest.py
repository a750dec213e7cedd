"""One rehearsal for the whole test session (one for each xdist worker), and a way to run the gate on it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from noxgate.rehearsal import loading, moments, prometheus
from noxgate.rehearsal import world as worlds
from noxgate.rehearsal.day import moment_of
from noxgate.rehearsal.sabotages.live_metrics import WINDOW
from noxgate.rehearsal.state import World
from noxgate.waiting import eventually, pause

APART = 6  # tests from one load test to the next


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of the day, since a world only moves forward; what belongs to no moment comes first."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    places = [index for index, item in enumerate(items) if item in here]
    for index, item in zip(places, _spread(sorted(here, key=_moment)), strict=True):
        items[index] = item


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Load tests apart from each other: one is run at a time, and another worker would wait for it."""
    slow = [item for item in items if "slo" in item.name and _moment(item) == 0]
    others = [item for item in items if item not in slow]
    for number, item in enumerate(slow):
        others.insert(min(number * APART, len(others)), item)
    return others


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
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """PostgreSQL, Redis, nginx and the NOX API on loopback."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with worlds.running(f"test-{worker}", say=lambda _: None) as world:
        yield world


@pytest.fixture
def load_tested(world: World) -> None:
    """The whole of staging is judged by a load test, too: one for each world, while nothing is broken."""
    loading.good(world)


def calm(world: World) -> None:
    """No alert is about to fire for what an earlier test broke: Prometheus forgets those requests."""
    if prometheus.values(world, "ALERTS"):
        prometheus.forget(world, '{__name__=~"http_request.*"}')
        eventually(lambda: _expect_no_alert(world), within=60, every=0.2)
        pause(WINDOW)  # as far as the checks look back


def _expect_no_alert(world: World) -> None:
    assert prometheus.values(world, "ALERTS") == []


@dataclass(frozen=True)
class Run:
    """One run of the gate: exit status, what it printed, and its folder (None where it made none)."""

    status: int
    output: str
    folder: Path | None


Gate = Callable[..., Run]


@pytest.fixture(scope="session")
def pytests(pytestconfig: pytest.Config) -> Iterator[subprocess.Popen[str]]:
    """The process that every run of pytest is forked from."""
    command = [sys.executable, str(Path(__file__).with_name("prefork.py"))]
    ours = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    with subprocess.Popen(
        command,
        cwd=pytestconfig.rootpath,
        env=ours,  # what is asked of the tests is not asked of the runs that they make
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process  # closing its stdin, as leaving this does, ends it


@pytest.fixture
def gate(world: World, pytests: subprocess.Popen[str], tmp_path: Path) -> Gate:
    """Run a phase's checks on the rehearsal in a pytest of their own."""
    assert pytests.stdin is not None
    assert pytests.stdout is not None
    tell, answers = pytests.stdin, pytests.stdout

    def run(*more: str, markers: str = "staging", profile: Path | None = None) -> Run:
        output = tmp_path / "output.txt"
        target = f"--target={profile or world.profile}"
        arguments = ["-m", markers, target, f"--reports={tmp_path}", "-q", *more]
        tell.write(json.dumps({"arguments": arguments, "output": str(output)}) + "\n")
        tell.flush()
        status = int(answers.readline())
        folders = sorted(tmp_path.glob("*/*/results.json"), key=lambda path: path.stat().st_mtime_ns)
        return Run(status, output.read_text(errors="replace"), folders[-1].parent if folders else None)

    return run
