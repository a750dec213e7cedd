"""Load tests of a rehearsal, as a person runs them: `noxgate load` in a process of its own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.day import quiet
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world.state import World
from noxgate.project.profile import read_target
from noxgate.project.runbook import read_runbook
from noxgate.slo import generator, ramps
from noxgate.slo.result import NAME, Result, folder_name, read, write
from noxgate.slo.run import Processes, keep, run
from noxgate.slo.slos import read_slos
from noxgate.trust.keys import read_trust
from noxgate.trust.loads import Making

RAMP = "smoke"
# Of a hold whose result is known to be wrong: enough requests of every class to be sure of it, also where
# each third of science takes two seconds (then 35 a second of a class, of at least 400).
SHORT = "15s"
LOST = "60s"  # of a hold that is not to end before it is seen that a process is gone, on a busy machine too
LONGEST = 400.0  # seconds of one load test: on a busy machine its start and its end take a while
FIRST = -10  # of nice: nine times the share of the processor that others get
LAST_WORDS = 500
AROUND = 6.0  # seconds that a load test takes beside its ramp
Wait = Callable[[str, float], None]
TRIES = 3  # of one load test, where its generator could not keep up: this machine has other work


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
    """How load tests are run; `plain`: without TLS, which no profile may say, for the tests of this alone.

    `again`: what lasts as long as a second or third try, for other work that can wait.
    """

    plain: bool = False
    processes: int = 1
    again: Callable[[], AbstractContextManager[None]] = nullcontext


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


def smoke(world: World, *options: str, wait: Wait = lambda _, __: None) -> int:
    """Run the smoke ramp; its exit status. Raises RehearsalError if it left no result.

    `wait` is told what is waited for and how much of it is done.
    """
    if _way.plain:
        return _plainly(world)
    before = results(world)
    if _way.processes > 1:
        options = (*options, f"--processes={_way.processes}")
    with (
        quiet.alone(),
        subprocess.Popen(
            command(world, *options),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as running,
    ):
        put_first(running.pid)
        try:
            said = _said(running, wait)
        except BaseException as error:
            running.terminate()  # it ends its generator, and keeps what it has
            if isinstance(error, subprocess.TimeoutExpired):
                raise RehearsalError(f"the load test did not end within {LONGEST:g} s") from None
            raise
    if not set(results(world)) - set(before):
        raise RehearsalError(f"the load test left no result: {' '.join(said.split())[-LAST_WORDS:]}")
    return running.returncode


def _said(running: "subprocess.Popen[str]", wait: Wait) -> str:
    """What the load test says until its end; TimeoutExpired after LONGEST."""
    began = time.monotonic()
    usual = ramps.chosen(ROOT, RAMP).seconds + AROUND
    while True:
        took = time.monotonic() - began
        wait(f"under load: noxgate load --ramp {RAMP}", took / usual)
        try:
            return running.communicate(timeout=1)[0]
        except subprocess.TimeoutExpired:
            if took > LONGEST:
                raise


def put_first(pid: int) -> None:
    """Before this machine's other work, where we may (root may): a process that leads a session of its own.

    Target and generator share one machine here. A target that waits for it is slow, and is seen to be; of a
    generator that waits nothing is known.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, FIRST)
        # that is within its session: Linux shares the processor among sessions first
        Path(f"/proc/{pid}/autogroup").write_text(str(FIRST), encoding="ascii")


def _plainly(world: World) -> int:
    """The same without TLS, from the ingress's other port; it must not redirect meanwhile."""
    runbook = read_runbook(ROOT / "runbook.toml")
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    target = replace(read_target(ROOT, str(world.profile), phases), base_url=world.plain_url)
    ramp = ramps.chosen(ROOT, RAMP).lasting(ramps.duration(SHORT))
    with quiet.alone():
        result = run(ROOT, target, runbook, ramp, Processes(_way.processes), lambda _: None)
    assert result is not None
    keep(result, folder(world))
    return 0


def good(world: World) -> Path:
    """The newest result, which is made first if it is missing."""
    return results(world)[-1] if results(world) else decided(world)


def decided(
    world: World, *, say: Callable[[str], None] = lambda _: None, wait: Wait = lambda _, __: None
) -> Path:
    """Run the smoke ramp, at most twice more where only its own generator was wrong; the newest result.

    Every try is kept, and the newest counts, also if it is worse.
    """
    slos = read_slos(read_runbook(ROOT / "runbook.toml").lines)
    return _again(world, lambda result: generator.alone(result, slos), say, wait=wait)


def _again(
    world: World,
    spoiled: Callable[[Result], str],
    say: Callable[[str], None],
    *options: str,
    wait: Wait = lambda _, __: None,
) -> Path:
    for attempt in range(1, TRIES + 1):
        with _at_rest() if attempt > 1 else nullcontext():
            smoke(world, *options, wait=wait)
        new = results(world)[-1]
        why = spoiled(read(new / NAME))
        if not why:
            break
        if attempt == TRIES:
            say(f"undecided: {why}: it was the last of {TRIES} tries and is judged as it is")
            break
        undecided = f"undecided: {why}: run again ({attempt + 1} of {TRIES})"
        generator.mark_repeated(new, undecided)
        say(undecided)
    return new


@contextmanager
def _at_rest() -> Iterator[None]:
    with _way.again():
        quiet.wait_for_rest()
        yield


@contextmanager
def one_more(world: World, *options: str) -> Iterator[None]:
    """A load test is run now, of a fault that is known; its result is the newest while the context lasts."""
    good(world)
    before = set(results(world))
    try:
        _again(world, generator.late_or_busy, lambda _: None, f"--duration={SHORT}", *options)
        yield
    finally:
        for new in set(results(world)) - before:
            _remove(new)


@contextmanager
def edited(
    world: World, edit: Callable[[Result], Result], afterwards: Callable[[Path], None] = lambda _: None
) -> Iterator[None]:
    """There is one result, the good one with something changed, and signed as if it had been measured.

    `afterwards`: what is done to its folder once it is signed.
    """
    result = edit(read(good(world) / NAME))
    with none(world):
        new = folder(world) / folder_name(result)
        new.mkdir(parents=True)
        write(new / NAME, result)
        making(world, result.nonce).sign(new, result)
        afterwards(new)
        try:
            yield
        finally:
            shutil.rmtree(folder(world))


def making(world: World, nonce: str) -> Making:
    """What signs the load tests of this world."""
    return Making(nonce, read_trust(ROOT, str(world.profile)).to_sign({}))


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
    """The result is missing."""
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
    options = (f"--duration={LOST}", "--processes=2")  # it ends as soon as the loss is seen
    with (
        quiet.alone(),
        subprocess.Popen(
            command(world, *options), cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as running,
    ):
        put_first(running.pid)
        assert running.stdout is not None
        for line in running.stdout:
            if ", hold" in line:
                break
        # a worker is a child of Locust's main process, which is a child of the command
        workers = [worker for main in psutil.Process(running.pid).children() for worker in main.children()]
        if not workers:
            raise RehearsalError("the load test was over before one of its processes could be lost")
        workers[0].kill()
        running.communicate(timeout=LONGEST)
    if results(world) == before:
        raise RehearsalError("the load test that lost a process left no result")
    new = results(world)[-1]
    try:
        yield
    finally:
        _remove(new)


def _remove(result: Path) -> None:
    for path in result.iterdir():
        path.unlink()
    with suppress(FileNotFoundError):
        result.rmdir()
