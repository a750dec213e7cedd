"""What one core of the load engine makes, when more are needed, and where one master ends: docs/SCALING.md.

A model is fitted to one process and held against two and four; a master leads workers that send nothing. All
on loopback, some eight minutes; of use on a machine at rest.

    python -m benchmarks.scaling [--write] [--end]    # --end: where one master ends, alone; three minutes
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
import numpy as np
import psutil
from benchmarks.generators import mix
from benchmarks.generators.one_master import Mastered, mastered
from benchmarks.generators.processes import (
    CORES,
    GENERATOR,
    PATIENCE,
    ROOT,
    TARGET,
    Fast,
    fast_target,
    ours,
    peak,
    running,
)

from nox_rehearsal.world.ports import free_ports
from noxgate.look.waiting import eventually
from noxgate.slo.result import ResultError
from noxgate_load.recorder import Recorder

PAGE = ROOT / "docs" / "SCALING.md"
MARK = "<!-- The tables are written by `make bench-scaling`. -->\n"
OF_END = "<!-- Where one master ends: `python -m benchmarks.scaling --write --end`. -->\n"
BUSY = 0.7  # of a core: a process that uses more is not believed
SETTLE, SECONDS = 2.0, 8.0
FEW_USERS, MANY_USERS = 200, 1200
THINKS = (0.8, 0.2, 0.1, 0.05)  # seconds that a user thinks: 250 to 4,000 requests/s
WORKERS = (1, 2, 4)
CHECKED = (600, 0.2)  # users and pause, with which the model is checked
MASTERED = (10, 25, 50, 100)  # workers
EACH = 4000  # requests a second of each of these
# Until it no longer keeps up: workers of few requests a second each, and fifty workers of ever more
CROWDS, FEW = (400, 800, 1600, 3200), 100
FLOODED, FLOODS = 50, (16_000, 32_000)
LATE = 1.0  # seconds: then the simulated workers are at their end, and nothing is said of the master
KEEPS_UP = 0.9  # times a second that it says how it goes
HEADER = (
    "| workers | requests/s | messages/s | MB/s | master's CPU | memory | says how it goes | verdict |",
    "|---|---|---|---|---|---|---|---|",
)
LIMITS = {"api": (0.3, 0.5)}


@dataclass(frozen=True)
class Did:
    """What the processes that sent did in a second, and used: cores, and bytes."""

    requests: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Model:
    """What a process costs (`idle` of a core, `empty` bytes), a request (`each`, seconds), a user (bytes)."""

    idle: float
    each: float
    empty: float
    user: float

    def cpu(self, workers: int, requests: float) -> float:
        return workers * self.idle + requests * self.each

    def memory(self, workers: int, users: int) -> float:
        return workers * self.empty + users * self.user


def main(*, write: bool, end: bool) -> int:
    """Print the tables, and put them into the page."""
    lines: list[str] = []
    for line in _of_today(_the_end()) if end else _tables():
        print(line, flush=True)
        lines.append(line)
    if write:
        begin = OF_END if end else MARK
        head, mark, _ = PAGE.read_text().partition(begin)
        PAGE.write_text(head + mark + "\n" + "\n".join(lines) + "\n")
    return 0


def _tables() -> Iterator[str]:
    yield from _of_today(_on_one_machine())
    yield f"\n{OF_END}"
    yield from _of_today(_the_end())


def _on_one_machine() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx' worker is another user
        with fast_target(folder) as fast:
            model = _fitted(fast, folder)
            yield from _one_core(model)
            yield from _held_against(model, fast, folder)
    yield from _one_master()


def _of_today(rows: Iterator[str]) -> Iterator[str]:
    busy = os.getloadavg()[0]
    today = time.strftime("%Y-%m-%d")
    yield f"Measured on {today}, on {len(CORES)} cores, the load average {busy:.1f} before.\n"
    yield from rows


def _fitted(fast: Fast, folder: Path) -> Model:
    """Least squares over what one process used at several rates."""
    did = [_did(fast, folder, 1, FEW_USERS, think) for think in THINKS]
    each, idle = np.polyfit([one.requests for one in did], [one.cpu for one in did], 1)
    many = _did(fast, folder, 1, MANY_USERS, THINKS[-1] * MANY_USERS / FEW_USERS)
    user = (many.memory - did[-1].memory) / (MANY_USERS - FEW_USERS)
    return Model(max(0.0, float(idle)), float(each), did[-1].memory - user * FEW_USERS, user)


def _one_core(model: Model) -> Iterator[str]:
    with mix.rehearsal() as (_, target, runbook):
        used, _ = mix.ours(target, runbook)
    cores = used.cpu / mix.SECONDS
    journeys = used.requests / mix.SECONDS * BUSY / cores
    yield "| one process, HTTPS, up to 70 % of a core | |\n|---|---|"
    yield f"| requests/s, one small request again and again | {(BUSY - model.idle) / model.each:,.0f} |"
    yield f"| CPU for each of them | {model.each * 1e6:.0f} µs |"
    yield f"| requests/s of the runbook's journeys | {journeys:,.0f} |"
    yield f"| users of the journeys, who pause for 1 to 4 s | {mix.USERS * BUSY / cores:,.0f} |"
    yield f"| memory of a process without users | {model.empty / 1e6:.0f} MB |"
    yield f"| memory of a user, its TLS connection with it | {model.user / 1e3:.0f} kB |\n"


def _held_against(model: Model, fast: Fast, folder: Path) -> Iterator[str]:
    users, think = CHECKED
    yield "| workers | requests/s | CPU, predicted | measured | memory, predicted | measured |"
    yield "|---|---|---|---|---|---|"
    for workers in WORKERS:
        did = _did(fast, folder, workers, users, think)
        cpu, memory = model.cpu(workers, did.requests), model.memory(workers, users)
        yield (
            f"| {workers} | {did.requests:,.0f} | {cpu:.3f} cores | {did.cpu:.3f} ({did.cpu / cpu - 1:+.0%}) "
            f"| {memory / 1e6:.0f} MB | {did.memory / 1e6:.0f} MB ({did.memory / memory - 1:+.0%}) |"
        )
    yield ""


def _did(fast: Fast, folder: Path, workers: int, users: int, think: float) -> Did:
    """A run over HTTPS; of more than one worker without the master, which sends nothing."""
    options: list[str] = []
    if workers > 1:
        port = str(free_ports(1)[0])
        options = ["--master-bind-port", port, "--master-port", port, "--processes", str(workers)]
    command, variables = ours(
        f"{fast.tls}/healthy", users, 120, folder / "one.json", *options, CA_FILE=fast.ca_file, THINK=think
    )

    def all_there() -> None:
        there = fast.count()[1]
        assert there >= users, f"expected {users} users, saw {there}"

    with running(GENERATOR, command, variables) as process:
        if workers > len(CORES) - 1:  # they share what there is, the target's core with it
            os.sched_setaffinity(process.pid, set(CORES))
        eventually(all_there, within=PATIENCE, every=0.2)
        main_process = psutil.Process(process.pid)
        senders = main_process.children() if workers > 1 else [main_process]
        threading.Event().wait(SETTLE)
        cpu, asked = _cpu(senders), fast.count()[0]
        began = time.monotonic()
        threading.Event().wait(SECONDS)
        seconds = time.monotonic() - began
        did = Did(
            (fast.count()[0] - asked) / seconds, (_cpu(senders) - cpu) / seconds, sum(map(peak, senders))
        )
        for one in {*senders, main_process}:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    return did


def _cpu(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def _one_master() -> Iterator[str]:
    yield from HEADER
    used = []
    os.sched_setaffinity(0, set(CORES))
    for workers in MASTERED:
        run = mastered([{}] * workers, EACH)
        used.append((workers, run.cpu))
        yield _row(workers, EACH, run)
    (low, little), (high, much) = used[0], used[-1]
    each = (much - little) / (high - low)
    yield ""
    merging = f"{_merging() * 1e6:,.0f} µs"
    yield f"To decode and merge a report of {EACH * 3:,} requests takes {merging}; messages and MB are of the"
    yield f"whole run, its start with it. A further worker takes {each:.2%} of the master's core."


def _the_end() -> Iterator[str]:
    """Ever more workers of few requests a second each, then as many as before of ever more."""
    yield from HEADER
    os.sched_setaffinity(0, set(CORES))
    last = None
    for loads in ([(workers, FEW) for workers in CROWDS], [(FLOODED, each) for each in FLOODS]):
        for workers, each in loads:
            try:
                run = mastered([{}] * workers, each)
            except ResultError:  # it was killed
                yield f"| {workers:,} | {workers * each:,} | | | | | | no result a minute after its ramp |"
                break
            yield _row(workers, each, run)
            last = run
            if run.told < KEEPS_UP or run.reasons:
                break
    if last is not None:
        yield ""
        yield f"From the end of the last load it took {last.writing:.0f} s until the master had written its"
        yield f"result, of {last.result.sent / 1e6:.0f} million requests. To read and to judge a million"
        yield f"takes {last.judging:.1f} s of CPU."


def _row(workers: int, each: int, run: Mastered) -> str:
    return (
        f"| {workers:,} | {workers * each:,} | {run.messages / run.seconds:,.0f} "
        f"| {run.bytes / run.seconds / 1e6:.1f} | {run.cpu:.0%} of a core | {run.memory / 1e6:.0f} MB "
        f"| {run.told:.2f} times a second | {'passed' if not run.reasons else run.reasons[0]}"
        f"{f'; the simulated workers were {run.late:.1f} s late' if run.late > LATE else ''} |"
    )


def _merging(rounds: int = 200) -> float:
    """Seconds of CPU for one report: three seconds of a worker in one class."""
    times = np.full(EACH, 0.02, np.float32).tobytes()
    cells = [["api", second, EACH, 0, [0, 0], [[200, "", EACH]], times] for second in range(3)]
    drained = {"limits": {"api": [0.3, 0.5]}, "retried": 0, "problems": [], "cells": cells}
    packed = msgpack.dumps(drained)
    recorder = Recorder(LIMITS)
    began = time.process_time()
    for number in range(rounds):
        recorder.merge(msgpack.loads(packed, strict_map_key=False), number * 3)
    return (time.process_time() - began) / rounds


if __name__ == "__main__":
    assert TARGET in CORES
    sys.exit(main(write="--write" in sys.argv, end="--end" in sys.argv))
