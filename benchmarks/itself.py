"""What people wait for, beside the same at an earlier commit: set-up, tests, rehearsal, start, an idle world.

Makes a clone of each commit in a folder of its own, runs what is asked for in turns, A B A B, and prints the
medians and their ratio. Of use on a machine at rest, and across machines only as ratios.

    python benchmarks/itself.py [--base c7f1ac9] [--rounds 3] [--only NAME …] [--folder DIR]

`test` and `ci` take long and are run once; name them to have them: --only test.
"""

import argparse
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASE = "c7f1ac9"
# Debian's packages are there by then.
PYTHON_PART = "rm -rf .venv .venv-science && make setup"
UNCACHED = 'export UV_CACHE_DIR="$(mktemp -d)" PIP_NO_CACHE_DIR=1 && '
# pytest's last line says how long its tests took.
CI = r"set -o pipefail; bash .ci/run 2>&1 | sed -E 's/^[0-9]+ (passed|failed).* in ([0-9.]+)s.*/&\ntests \2/'"
IDLE = 20  # seconds that an idle world is looked at


@dataclass(frozen=True)
class Wait:
    """One thing that people wait for: a command for bash, and what its output says besides of figures."""

    name: str
    command: str
    figures: tuple[str, ...] = ()  # names of figures that it prints itself, as `name 1.23`
    once: bool = False


WAITS = (
    Wait("setup-cached", PYTHON_PART),
    Wait("setup-uncached", UNCACHED + PYTHON_PART),
    Wait("world", "{python} {world}", figures=("up", "up-cpu", "idle")),
    Wait("help", "{bin}/noxgate --help"),
    Wait("checks", "{bin}/noxgate checks"),
    Wait("collect", "{bin}/python -m pytest --collect-only -q -m staging"),
    Wait("gate", "{bin}/python benchmarks/gate.py 3", figures=("staging", "pre-flight")),
    Wait("rehearse", "make rehearse"),
    Wait("test", "make test", once=True),
    Wait("ci", CI, figures=("tests",), once=True),
)
WORLD = """
import os, time
from pathlib import Path
try:
    from nox_rehearsal.world import lifecycle as world
except ImportError:  # the earlier commit
    from noxgate.rehearsal import world

TICKS = os.sysconf("SC_CLK_TCK")


def used(supervisor):
    "Seconds of CPU of a process and its descendants, those that have ended included."
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
    family, before = {supervisor}, 0
    while len(family) != before:
        before = len(family)
        family |= {pid for pid, (parent, _) in found.items() if parent in family}
    return sum(found[pid][1] for pid in family)


started = time.monotonic()
here = world.up("benchmark")
print("up", time.monotonic() - started)
print("up-cpu", used(here.supervisor))
time.sleep(5)
before = used(here.supervisor)
time.sleep(IDLE)
print("idle", (used(here.supervisor) - before) / IDLE)
world.down("benchmark")
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds and print a row for each figure; exit status 1 where a command failed."""
    parser = argparse.ArgumentParser(description="this commit beside an earlier one")
    parser.add_argument("--base", default=BASE, metavar="COMMIT", help=f"beside which (default {BASE})")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each (default 3)")
    usual = [wait.name for wait in WAITS if not wait.once]
    parser.add_argument("--only", nargs="+", choices=[wait.name for wait in WAITS], default=usual)
    parser.add_argument("--folder", type=Path, help="where the clones are kept for the next call")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        clones = {commit: _clone(folder, commit) for commit in (given.base, "HEAD")}
        print(f"{'figure':<24}{given.base:>12}{'HEAD':>12}{'ratio':>8}", flush=True)
        failed = False
        for wait in [wait for wait in WAITS if wait.name in given.only]:
            rounds = 1 if wait.once else given.rounds
            seen: dict[str, dict[str, list[float]]] = {commit: {} for commit in clones}
            for commit in list(clones) * rounds:
                for name, value in _measure(wait, clones[commit]):
                    seen[commit].setdefault(name, []).append(value)
            failed |= any("failed" in found for found in seen.values())
            _print(wait, *seen.values())
    return int(failed)


def _clone(folder: Path, commit: str) -> Path:
    """A clone that is set up; one that is there is used again if it is at that commit."""
    named = _git(ROOT, "rev-parse", commit)
    clone = folder / named[:12]
    if not clone.exists():
        _git(folder, "clone", "--quiet", str(ROOT), str(clone))
        _git(clone, "checkout", "--quiet", named)
    _run("make setup", clone)
    return clone


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def _measure(wait: Wait, clone: Path) -> Iterator[tuple[str, float]]:
    """Wall and CPU seconds of a command, and the figures that it prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(WORLD.replace("IDLE", str(IDLE)))
        script.flush()
        bin_ = clone / ".venv" / "bin"
        command = wait.command.format(
            python=shlex.quote(str(bin_ / "python")), bin=shlex.quote(str(bin_)), world=script.name
        )
        status, wall, cpu, said = _run(command, clone)
    if status != 0:
        print(f"{wait.name}: {command} ended with {status} in {clone}: {said[-5000:]}", file=sys.stderr)
        yield "failed", 1
    yield "wall", wall
    yield "cpu", cpu
    for name in wait.figures:
        row = re.search(rf"^{name}\b.*?([\d.]+)$", said, re.MULTILINE)
        if row:
            yield name, float(row[1])


def _run(command: str, clone: Path) -> tuple[int, float, float, str]:
    """Exit status, seconds of wall and of CPU, and what it said."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, wall, cpu, done.stdout


def _print(wait: Wait, base: dict[str, list[float]], head: dict[str, list[float]]) -> None:
    for name, values in head.items():
        old, new = statistics.median(base.get(name, [0])), statistics.median(values)
        ratio = f"{new / old:>8.2f}" if old else ""
        print(f"{f'{wait.name} {name}':<24}{old:>12.2f}{new:>12.2f}{ratio}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
