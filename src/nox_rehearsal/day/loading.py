"""Load tests of a rehearsal: run until they are decided, beside a fault, or kept with something changed."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

import psutil

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.day import quiet, under_load
from nox_rehearsal.day.under_load import LONGEST, RAMP, SHORT, Wait, command, folder, put_first, results
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world.state import World
from noxgate.project.runbook import read_runbook
from noxgate.slo import generator
from noxgate.slo.result import NAME, Result, folder_name, read, write
from noxgate.slo.slos import Slo, SloOutcome, read_slos
from noxgate.slo.table import judgements_of
from noxgate.trust.keys import read_trust
from noxgate.trust.loads import Making

LOST = "60s"  # of a hold that is not to end before it is seen that a process is gone, on a busy machine too
TRIES = 3  # of one load test, where its generator could not keep up: this machine has other work


def good(world: World) -> Path:
    """The newest result, which is made first if it is missing."""
    return results(world)[-1] if results(world) else decided(world)


def decided(
    world: World, *, say: Callable[[str], None] = lambda _: None, wait: Wait = lambda _, __: None
) -> Path:
    """Run the smoke ramp, at most twice more where only its own generator was wrong; the newest result.

    Every try is kept, and the newest counts, also if it is worse.
    """
    slos = _slos()
    return _again(world, lambda result: generator.alone(result, slos), say, wait=wait)


def _slos() -> tuple[Slo, ...]:
    return read_slos(read_runbook(ROOT / "runbook.toml").lines)


def _disturbed(slos: Sequence[Slo], result: Result) -> str:
    """What other work of this machine did to a load test of a known fault; empty if nothing.

    No such fault leaves an SLO undecided; a target that waits for the processor can.
    """
    judged = [one for slo in slos for one in judgements_of(result, slo)]
    undecided = [one.reason for one in judged if one.outcome is SloOutcome.UNDECIDED]
    return generator.late_or_busy(result) or "; ".join(undecided)


def _again(
    world: World,
    spoiled: Callable[[Result], str],
    say: Callable[[str], None],
    *options: str,
    wait: Wait = lambda _, __: None,
) -> Path:
    for attempt in range(1, TRIES + 1):
        with _at_rest() if attempt > 1 else nullcontext():
            under_load.smoke(world, *options, wait=wait)
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
    with under_load.again():
        quiet.wait_for_rest()
        yield


@contextmanager
def one_more(world: World, *options: str) -> Iterator[None]:
    """A load test is run now, of a fault that is known; its result is the newest while the context lasts."""
    good(world)
    before = set(results(world))
    try:
        _again(world, partial(_disturbed, _slos()), lambda _: None, f"--duration={SHORT}", *options)
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
