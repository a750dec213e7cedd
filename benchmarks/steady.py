"""Whether a healthy rehearsal is GO, and the suite's own tests pass, while the machine has other work to do.

Busy loops run beside all of it, one for each of two cores. Every round must end well: one that does not is a
fault of the suite or of its rehearsal, as nothing is broken on purpose. A round that takes too long is ended,
and did not end well. Not in CI: its usual numbers take hours.

    python benchmarks/steady.py [--rehearsals 20] [--tests 5] [--loops 2]
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from nox_rehearsal.world import lifecycle

ROOT = Path(__file__).parents[1]
REHEARSAL = (sys.executable, "-m", "noxgate.cli", "rehearse", "run")
TESTS = ("make", "test")
VERDICTS = {0: "GO", 1: "NO-GO", 2: "INCONCLUSIVE"}
MOST_SECONDS = {"rehearsal": 1800.0, "make test": 3 * 3600.0}  # twice of what a slow machine needs
ENDING = 90.0  # seconds that a round has to end when it is told to; then it is killed
# Ends by itself with the process that started it, however that ends: it is then another's child.
LOOP = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    pass"
# Of what a round said: all that was not as it should be, and load tests that were run again.
_TELLING = re.compile(
    r"^(?:\[.*?\] undecided: .*|(?:NO-GO|INCONCLUSIVE|FAILED|ERROR)\b.*|\d+ failed.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Round:
    """How one ended, and the file with all that it said."""

    what: str
    verdict: str
    seconds: float
    said: Path

    @property
    def is_good(self) -> bool:
        return self.verdict in {"GO", "passed"}

    def telling(self) -> list[str]:
        """What it said that matters here."""
        return _TELLING.findall(self.said.read_text(encoding="utf-8", errors="replace"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds and print a row for each; exit status 0 if all ended well."""
    parser = argparse.ArgumentParser(description="rehearsals and tests beside busy loops")
    parser.add_argument("--rehearsals", type=int, default=20, metavar="N", help="rounds (default 20)")
    parser.add_argument("--tests", type=int, default=5, metavar="N", help="rounds of make test (default 5)")
    parser.add_argument(
        "--loops", type=int, default=2, metavar="N", help="busy loops beside them (default 2)"
    )
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    if given.rehearsals and lifecycle.find() is not None:
        print("expected no rehearsal of this checkout, saw one that is up: noxgate rehearse down")
        return 2
    rounds: list[Round] = []
    folder = Path(tempfile.mkdtemp(prefix="noxgate-steady-"))
    print(f"{given.loops} busy loops beside each round; what the rounds say is kept in {folder}")
    print(f"{'round':<8}{'what':<12}{'verdict':<16}{'seconds':>8}", flush=True)
    try:
        with busy(given.loops):
            for one in _rounds(folder, given.rehearsals, given.tests):
                rounds.append(one)
                print(f"{len(rounds):<8}{one.what:<12}{one.verdict:<16}{one.seconds:>8.0f}", flush=True)
                for line in one.telling():
                    print(f"        {line}", flush=True)
    except KeyboardInterrupt:
        print("interrupted: the rounds so far")
    return summary(rounds, given.rehearsals + given.tests)


def summary(rounds: Sequence[Round], asked: int) -> int:
    """Say how many ended well; exit status 0 where all that were asked for did."""
    for what in dict.fromkeys(one.what for one in rounds):
        these = [one for one in rounds if one.what == what]
        took = sorted(one.seconds for one in these)
        good = sum(one.is_good for one in these)
        print(f"{what}: {good} of {len(these)} ended well, in {took[0]:.0f} to {took[-1]:.0f} s")
    return 0 if len(rounds) == asked and all(one.is_good for one in rounds) else 1


@contextmanager
def busy(loops: int) -> Iterator[list[int]]:
    """So many processes that do nothing but run, for as long as the context lasts; gives their pids."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(loops):
            command = [sys.executable, "-c", LOOP, str(os.getpid())]
            running.append(subprocess.Popen(command, start_new_session=True))  # Ctrl-C is for us alone
        yield [one.pid for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()


def run(what: str, command: Sequence[str], said: Path, within: float) -> tuple[int | None, float]:
    """Run one round in a session of its own; its exit status, None where it was ended, and its seconds."""
    began = time.monotonic()
    with said.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(timeout=within), time.monotonic() - began
        except subprocess.TimeoutExpired:
            file.write(f"\nERROR {what}: ended after {within:g} s\n".encode())
            return None, time.monotonic() - began
        finally:
            _end(process)


def _rounds(folder: Path, rehearsals: int, tests: int) -> Iterator[Round]:
    for number in range(1, rehearsals + tests + 1):
        what, command = ("rehearsal", REHEARSAL) if number <= rehearsals else ("make test", TESTS)
        said = folder / f"{number:02}.txt"
        status, seconds = run(what, command, said, MOST_SECONDS[what])
        yield Round(what, _verdict(what, status), seconds, said)


def _verdict(what: str, status: int | None) -> str:
    if status is None:
        return "too long"
    if what == "rehearsal":
        return VERDICTS.get(status, f"status {status}")
    return "passed" if status == 0 else "failed"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have a round end by itself, with what it started: a rehearsal ends its world at this signal."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=ENDING)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else is in it
    process.wait()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
