"""One real master of a load test, and simulated workers: what became of the run, and what it cost."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from benchmarks.generators.processes import HERE, ROOT, peak

from nox_rehearsal.world.ports import free_ports
from noxgate.project.runbook import read_runbook
from noxgate.slo.plan import CLASSES, PLAN, TOKEN, Plan, write_plan
from noxgate.slo.ramps import Level, Ramp
from noxgate.slo.result import NAME, Result, read
from noxgate.slo.slos import Slo, limits_by_class, read_slos
from noxgate.slo.table import verdict

LONGEST = 60.0  # seconds beyond its ramp that a run may take


@dataclass(frozen=True)
class Mastered:
    """A run: its result, why it is not passed, and of the master its CPU in a hold (cores), and its memory.

    `told`: how often a second it said on the hold how it goes, which is once where it keeps up. `late`: by
    how many seconds at most what a simulated worker sent was late, which is no fault of the master's.
    """

    result: Result
    reasons: tuple[str, ...]
    cpu: float
    memory: int
    told: float
    messages: int
    bytes: int
    seconds: float
    late: float
    writing: float  # seconds from its last word on the hold until its result was written
    judging: float  # seconds of CPU for a million, to read the result and to judge it


def mastered(workers: Sequence[Mapping[str, float]], each_second: int, hold: int = 8) -> Mastered:
    """Let a master lead workers that would each send so much."""
    slos = read_slos(read_runbook(ROOT / "runbook.toml").lines)
    limits = limits_by_class(slos, CLASSES)
    level = Level(10 * len(workers), 3, hold)
    ramp = Ramp("bench", "workers that send nothing", (level,), 1, 1, (0.0, 0.0), 0, evidence=False,
                lag_ms=50, cpu_percent=95)  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="noxgate-master-") as name:
        folder = Path(name)
        told, telling = os.pipe()
        (port,) = free_ports(1)
        plan = Plan(
            target="simulated", base_url="http://127.0.0.1:9", rehearsal=True, release="8.0.0",
            version="8.0.0", ca_file=None, ramp=ramp, limits=limits, processes=len(workers),
            result=folder / NAME, progress=telling,
        )  # fmt: skip
        write_plan(folder / "plan.json", plan)
        variables = {PLAN: str(folder / "plan.json"), TOKEN: "-", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "locustfile.py"), "--headless"]
        command += ["--only-summary", "--loglevel", "ERROR", "--stop-timeout", "5", "--host", plan.base_url]
        command += ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
        command += ["--expect-workers", str(sum(not one.get("joins") for one in workers))]
        play = {"port": port, "each_second": each_second, "limits": limits, "workers": list(workers)}
        players = [sys.executable, str(HERE / "simulated_workers.py"), json.dumps(play)]
        began = time.monotonic()
        with (
            subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables}, pass_fds=(telling,),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as master,
            subprocess.Popen(players, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
                             stdout=subprocess.PIPE, text=True) as simulated,
        ):  # fmt: skip
            os.close(telling)
            too_late = threading.Timer(ramp.seconds + LONGEST, master.kill)
            too_late.start()
            try:
                looks = _follow(told, psutil.Process(master.pid))
            finally:
                ended = time.monotonic()
                too_late.cancel()
                master.wait(LONGEST)
                if _is_silent(simulated):
                    simulated.terminate()
                said = simulated.communicate(timeout=LONGEST)[0]
        began_judging = time.process_time()
        result = read(folder / NAME)
        reasons = _reasons(result, slos)
        judging = (time.process_time() - began_judging) / max(1, result.sent) * 1e6
    counted: dict[str, Any] = json.loads(said or '{"messages": 0, "bytes": 0, "late": 0}')
    first, last = looks[0], looks[-1]
    between = max(1e-9, last[0] - first[0])
    return Mastered(
        result, reasons, (last[1] - first[1]) / between, max(look[2] for look in looks),
        (len(looks) - 1) / between, counted["messages"], counted["bytes"], time.monotonic() - began,
        counted["late"], ended - last[0], judging,
    )  # fmt: skip


def _reasons(result: Result, slos: Sequence[Slo]) -> tuple[str, ...]:
    """Without that nothing new was asked: there is nobody to ask."""
    return tuple(why for why in verdict(result, slos).reasons if not why.startswith("nothing new was asked"))


def _follow(told: int, master: psutil.Process) -> list[tuple[float, float, int]]:
    """When it told of its hold, the seconds of CPU that it had used by then, and its memory."""
    looks = [(time.monotonic(), 0.0, 0)]
    with os.fdopen(told, encoding="utf-8") as progress:
        for line in progress:
            if line.strip() and json.loads(line)["holding"]:
                times = master.cpu_times()
                looks.append((time.monotonic(), times.user + times.system, peak(master)))
    return looks[1:] or looks


def _is_silent(simulated: subprocess.Popen[str]) -> bool:
    """Whether workers that were lost still wait for a master that has gone."""
    try:
        simulated.wait(3)
    except subprocess.TimeoutExpired:
        return True
    return False
