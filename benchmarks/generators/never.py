"""Runs that prove nothing, by the real `noxgate load`: not one of them may end with status 0."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from benchmarks.generators.figures import Row
from benchmarks.generators.processes import GENERATOR, PATIENCE, ROOT

from nox_rehearsal.sabotages.ways import answers
from nox_rehearsal.world.state import World

LOOSE = "evidence = false\nlag_ms = 50\ncpu_percent = 95"  # it shares its machine with the target
RAMPS = f"""\
[good]
what = "nothing is wrong with it"
levels = [{{ users = 60, rise = 2, hold = 10 }}]
fall = 1
window = 1
think = [0.1, 0.3]
{LOOSE}

[idle]
what = "nobody asks for anything"
levels = [{{ users = 5, rise = 1, hold = 4 }}]
fall = 1
window = 1
think = [60, 60]
{LOOSE}

[flood]
what = "more than one core can send"
levels = [{{ users = 300, rise = 2, hold = 6 }}]
fall = 1
window = 1
think = [0, 0]
lag_ms = 5
cpu_percent = 70

[rate]
what = "more arrivals than there are users"
levels = [{{ users = 4, rise = 1, hold = 6 }}]
fall = 1
window = 1
rate = 200
{LOOSE}
"""
PASSED, LONGEST = 0, 120

Broken = Callable[[World], AbstractContextManager[None]]


@dataclass(frozen=True)
class Case:
    """A run that proves nothing, and what it must say of it."""

    what: str
    ramp: str
    says: str
    processes: int = 1
    broken: Broken = field(default_factory=lambda: answers({}))
    loses_a_worker: bool = False


CASES = (
    Case("no data", "idle", "no samples"),
    Case("a lost worker", "good", "was lost", processes=2, loses_a_worker=True),
    Case("saturation", "flood", "the generator was"),
    Case("drops", "rate", "arrivals were dropped", broken=answers({"GET /health": {"delay": 0.2}})),
    Case("a limiter", "good", "rate limiter",
         broken=answers({"GET /api/public/stats": {"status": 429, "json": {"error": "slow"}, "share": 0.1}})),
)  # fmt: skip


def passed(world: World) -> Iterator[Row]:
    """First that one with nothing wrong passes: else the others would show nothing."""
    with _root() as root:
        good = _run(root, world, Case("", "good", ""))
        yield Row("noxgate load, nothing wrong", "PASS", _last(good), good.returncode == PASSED)
        wrong = []
        for case in CASES:
            done = _run(root, world, case)
            if done.returncode == PASSED or case.says not in done.stdout:
                wrong.append(f"{case.what}: {_last(done)}")
    what = f"noxgate load, {', '.join(case.what for case in CASES)}"
    yield Row(what, "never PASS", "; ".join(wrong) or f"none of {len(CASES)}, each for its reason", not wrong)


@contextmanager
def _root() -> Iterator[Path]:
    """A checkout with ramps of its own: what the load test needs of one."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copy(ROOT / "runbook.toml", root)
        shutil.copytree(ROOT / "load", root / "load", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "load" / "ramps.toml").write_text(RAMPS)
        yield root


def _run(root: Path, world: World, case: Case) -> subprocess.CompletedProcess[str]:
    command = ["taskset", "-c", str(GENERATOR), sys.executable, "-m", "noxgate.cli", "load"]
    command += [f"--target={world.profile}"]
    command += [f"--ramp={case.ramp}", f"--processes={case.processes}"]
    said = ""
    with (
        case.broken(world),
        subprocess.Popen(
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running,
    ):
        assert running.stdout is not None
        for line in running.stdout:
            said += line
            if case.loses_a_worker and ", hold" in line:
                workers = [one for main in psutil.Process(running.pid).children() for one in main.children()]
                workers[0].kill()
                break
        said += running.communicate(timeout=LONGEST + PATIENCE)[0]
    return subprocess.CompletedProcess(command, running.returncode, said)


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "NOT"))]
    return f"{lines[-1] if lines else done.stdout[-200:]} (status {done.returncode})"
