"""Load tests of a rehearsal, as a person runs them: `noxgate load` in a process of its own."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from noxgate.loadtest import ramps
from noxgate.loadtest.result import NAME, Result, read, write
from noxgate.loadtest.run import Processes, keep, run
from noxgate.profile import read_target
from noxgate.rehearsal.error import RehearsalError
from noxgate.rehearsal.state import World
from noxgate.runbook import read_runbook

ROOT = Path(__file__).parents[3]
RAMP = "smoke"
SHORT = "10s"  # of a hold whose result is known to be wrong: enough requests of every class to be sure of it
STARTS = 60.0  # seconds that a generator on a busy machine may need until its users are there
LAST_WORDS = 500
TRIES = 3
_LATE = "the generator was "


def folder(world: World) -> Path:
    return world.folder / "load"


def results(world: World) -> list[Path]:
    """The folders of all results, the newest last."""
    return sorted(folder(world).glob(f"*Z-*-{RAMP}"))


def command(world: World, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "noxgate.cli", "load", f"--target={world.profile}", f"--ramp={RAMP}", *options
    ]  # fmt: skip


@dataclass(frozen=True)
class Way:
    """How load tests are run; `plain`: without TLS, which no profile may say, for the tests of this alone."""

    plain: bool = False
    processes: int = 1


_way = Way()


@contextmanager
def by(way: Way) -> Iterator[None]:
    """Load tests are run this way for as long as the context lasts."""
    global _way  # noqa: PLW0603 (what runs them has no other way to be told)
    before, _way = _way, way
    try:
        yield
    finally:
        _way = before


def smoke(world: World, *options: str) -> int:
    """Run the smoke ramp; its exit status. RehearsalError where it left no result."""
    if _way.plain:
        return _plainly(world)
    before = results(world)
    if _way.processes > 1:
        options = (*options, f"--processes={_way.processes}")
    with _alone():
        done = subprocess.run(
            command(world, *options), cwd=ROOT, capture_output=True, text=True, check=False, timeout=200
        )
    if results(world) == before:
        words = " ".join((done.stdout + done.stderr).split())[-LAST_WORDS:]
        raise RehearsalError(f"the load test left no result: {words}")
    return done.returncode


def _plainly(world: World) -> int:
    """The same without TLS, from the ingress's other port; it must not redirect meanwhile."""
    runbook = read_runbook(ROOT / "runbook.toml")
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    target = replace(read_target(ROOT, str(world.profile), phases), base_url=world.plain_url)
    ramp = ramps.chosen(ROOT, RAMP).lasting(ramps.duration(SHORT))
    with _alone():
        result = run(ROOT, target, runbook, ramp, Processes(_way.processes), lambda _: None)
    assert result is not None
    keep(result, folder(world))
    return 0


def good(world: World) -> Path:
    """The newest result, made first where there is none."""
    return results(world)[-1] if results(world) else _unspoiled(world)


def _unspoiled(world: World, *options: str) -> Path:
    """Run the smoke ramp, once more where the generator was late: that is this machine's other work."""
    for attempt in range(TRIES):
        smoke(world, *options)
        new = results(world)[-1]
        late = [why for held in read(new / NAME).holds for why in held.spoiled if why.startswith(_LATE)]
        if not late or attempt == TRIES - 1:
            break
        _remove(new)
    return new


@contextmanager
def one_more(world: World, *options: str) -> Iterator[None]:
    """A load test is run now; its result is the newest for as long as the context lasts."""
    good(world)
    new = _unspoiled(world, f"--duration={SHORT}", *options)
    try:
        yield
    finally:
        _remove(new)


@contextmanager
def edited(world: World, edit: Callable[[Result], Result]) -> Iterator[None]:
    """The newest result is a copy of the good one with something changed."""
    result = edit(read(good(world) / NAME))
    new = folder(world) / f"99991231T235959Z-{result.target}-{RAMP}"
    new.mkdir()
    try:
        write(new / NAME, result)
        yield
    finally:
        _remove(new)


@contextmanager
def damaged(world: World) -> Iterator[None]:
    """The newest result is cut in the middle."""
    content = (good(world) / NAME).read_bytes()
    new = folder(world) / f"99991231T235959Z-rehearsal-{RAMP}"
    new.mkdir()
    try:
        (new / NAME).write_bytes(content[: len(content) // 2])
        yield
    finally:
        _remove(new)


@contextmanager
def none(world: World) -> Iterator[None]:
    """There is no result at all."""
    good(world)
    hidden = folder(world).with_name("load.hidden")
    folder(world).rename(hidden)
    try:
        yield
    finally:
        hidden.rename(folder(world))


@contextmanager
def process_lost(world: World) -> Iterator[None]:
    """One of the generator's two processes is killed while the users rise or hold."""
    good(world)
    before = results(world)
    options = (f"--duration={SHORT}", "--processes=2")
    with (
        _alone(),
        subprocess.Popen(command(world, *options), cwd=ROOT, stdout=subprocess.PIPE, text=True) as running,
    ):
        assert running.stdout is not None
        for line in running.stdout:
            if ", hold" in line:
                break
        # a worker is a child of Locust's main process, which is a child of the command
        workers = [worker for main in psutil.Process(running.pid).children() for worker in main.children()]
        workers[0].kill()
        running.communicate(timeout=STARTS + 60)
    if results(world) == before:
        raise RehearsalError("the load test that lost a process left no result")
    new = results(world)[-1]
    try:
        yield
    finally:
        _remove(new)


@contextmanager
def _alone() -> Iterator[None]:
    """One load test of this checkout at a time: two would measure each other."""
    lock = os.open(ROOT / "load", os.O_RDONLY)  # the folder itself: nothing is left behind
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _remove(result: Path) -> None:
    for path in result.iterdir():
        path.unlink()
    with suppress(FileNotFoundError):
        result.rmdir()
