"""A load test of a rehearsal, as a person runs one: `noxgate load` in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.day import quiet
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world.state import World
from noxgate.project.profile import read_target
from noxgate.project.runbook import read_runbook
from noxgate.slo import ramps
from noxgate.slo.run import Processes, keep, run

RAMP = "smoke"
# Of a hold whose result is known to be wrong: enough requests of every class to be sure of it, also where
# each third of science takes two seconds (then 35 a second of a class, of at least 400).
SHORT = "15s"
LONGEST = 400.0  # seconds of one load test: on a busy machine its start and its end take a while
FIRST = -10  # of nice: nine times the share of the processor that others get
LAST_WORDS = 500
AROUND = 6.0  # seconds that a load test takes beside its ramp
Wait = Callable[[str, float], None]


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


def again() -> AbstractContextManager[None]:
    """What lasts as long as a second or third try."""
    return _way.again()


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
