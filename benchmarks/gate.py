"""The gate beside the shell: the same looks at one rehearsal, by pytest and by commands one after another.

Each check names the commands that show again what it saw (Repeat). This runs a phase, and then the curl,
psql, redis-cli and kubectl commands of its report, each once, as a shell script would. Both are timed in one
run, on one machine, in turns; the figures are ratios, and of no use across machines.

    python benchmarks/gate.py [ROUNDS]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nox_rehearsal.world import lifecycle
from nox_rehearsal.world.lifecycle import World
from noxgate.run.pytest_program import run_pytest
from noxgate.run.results import Results
from noxgate.run.results_file import read
from noxgate.run.verdict import Outcome

ROOT = Path(__file__).parents[1]
PROGRAMS = ("curl", "psql", "redis-cli", "kubectl")
# What no shell script did: a scratch server, the image's own Python, tests of rules, programs' versions.
APART = ("migration", "science", "alerts", "tools")
PHASES = {
    "staging, without the load test": "staging and not slo",
    "pre-flight": " and not ".join(["preflight", *APART]),
    "pre-flight, all of it": "preflight",
}


def main(rounds: int) -> int:
    """Print one row for each phase."""
    with _world() as here, tempfile.TemporaryDirectory() as folder:
        print(f"{'phase':<32}{'checks':>7}{'gate':>9}{'commands':>10}{'shell':>9}{'ratio':>8}")
        for name, markers in PHASES.items():
            times: list[tuple[float, float]] = []
            for _ in range(rounds):
                gate, results = _gate(here, markers, Path(folder))
                commands = list(_commands(results))
                times.append((gate, _shell(here, commands)))
            gate, shell = (statistics.median(each) for each in zip(*times, strict=True))
            checks = sum(1 for line in results.lines if line.outcome is Outcome.PASSED)
            print(
                f"{name:<32}{checks:>7}{gate:>7.2f} s{len(commands):>10}{shell:>7.2f} s{gate / shell:>8.2f}"
            )
    return 0


def _gate(here: World, markers: str, folder: Path) -> tuple[float, Results]:
    """Seconds of one run, pytest's own start included, and its results."""
    words = ["-q", "-m", markers, f"--target={here.profile}", f"--reports={folder}"]
    started = time.perf_counter()
    ended = run_pytest(ROOT, words, kept=True)
    seconds = time.perf_counter() - started
    assert ended.folder is not None, ended.output
    return seconds, read(ended.folder)


def _commands(results: Results) -> Iterator[str]:
    """The report's commands of the shell's four programs, each once for each line."""
    for line in results.lines:
        seen = [look.repeat for check in line.checks for look in check.observations]
        for command in dict.fromkeys(seen):
            if command.partition(" ")[0] in PROGRAMS and " FILE" not in command:
                yield command


def _shell(here: World, commands: list[str]) -> float:
    """Seconds of all commands, one after another, in one shell."""
    variables = _variables(here.env_file, "")
    variables |= _variables(here.folder / "credentials-production.env", "REHEARSAL_PRODUCTION_")
    started = time.perf_counter()
    subprocess.run(
        ["bash", "-c", "\n".join(commands)],
        cwd=ROOT,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return time.perf_counter() - started


def _variables(path: Path, prefix: str) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {prefix + name: value for name, _, value in (line.partition("=") for line in lines)}


@contextmanager
def _world() -> Iterator[World]:
    if (here := lifecycle.find()) is not None:
        yield here
        return
    with lifecycle.running("benchmark", say=lambda _: None) as here:
        yield here


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
