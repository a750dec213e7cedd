"""The runbook's journeys by 1,500 users over HTTPS on a rehearsal: `noxgate load`'s own users, and k6's."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
from benchmarks.generators.processes import GENERATOR, PATIENCE, ROOT, TARGET, Used, k6, running, watched

from nox_rehearsal.world import lifecycle
from nox_rehearsal.world.ports import free_ports
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.project.profile import read_target
from noxgate.project.runbook import Runbook, read_runbook
from noxgate.project.target import Target
from noxgate.slo.ramps import Level, Ramp
from noxgate.slo.result import Result
from noxgate.slo.run import Processes, run

USERS = 1500
RISE = 10.0
SETTLE = 6.0  # seconds from the last user's start until each has connected
SECONDS = 10  # that are looked at
Think = tuple[float, float]
THINK: Think = (1.0, 4.0)
MANY, MANY_RISE = 5000, 30.0
MANY_THINK: Think = (4.0, 14.0)  # as many requests a second: the rehearsal answers no more on one core
SOCKET = 3  # requests of a WebSocket, as we count them: open, echo, close


@contextmanager
def rehearsal() -> Iterator[tuple[World, Target, Runbook]]:
    """A rehearsal of its own, all of it on the target's core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {TARGET})  # what is started from here on inherits it
    try:
        with lifecycle.running("benchmark", say=lambda _: None) as here:
            runbook = read_runbook(ROOT / "runbook.toml")
            phases = [phase.name for phase in runbook.phases.values() if phase.folder]
            yield here, read_target(ROOT, str(here.profile), phases), runbook
    finally:
        os.sched_setaffinity(0, before)


def ours(
    target: Target, runbook: Runbook, users: int = USERS, rise: float = RISE, think: Think = THINK
) -> tuple[Used, Result]:
    """What our users do and use while all of them are there."""
    level = Level(users, rise, int(SETTLE) + SECONDS + 3)
    ramp = Ramp("bench", "benchmark", (level,), 1, 1, think, 0, evidence=False, lag_ms=50, cpu_percent=95)
    holding = threading.Event()
    results: list[Result | None] = []

    def tell(line: Mapping[str, Any]) -> None:
        if line.get("holding"):
            holding.set()

    def lead() -> None:
        os.sched_setaffinity(0, {GENERATOR})  # of this thread, and of what it starts
        results.append(run(ROOT, target, runbook, ramp, Processes(), tell))

    leader = threading.Thread(target=lead)
    leader.start()
    assert holding.wait(rise + PATIENCE), "expected all users within their time"
    (process,) = (child for child in psutil.Process().children() if "locust" in " ".join(child.cmdline()))
    threading.Event().wait(SETTLE)
    start = time.time()
    used = watched(process, lambda: 0, SECONDS)
    seconds = range(round(start), round(start) + SECONDS)
    leader.join()
    (result,) = results
    assert result is not None
    done = sum(len(by[second].times) for by in result.seconds.values() for second in seconds if second in by)
    return replace(used, requests=done), result


def its(target: Target, result: Path, users: int = USERS, rise: float = RISE, think: Think = THINK) -> Used:
    """The same of k6."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    variables = {
        "MIX": "yes", "CHECK": "yes", "TOKEN": target.credential("test_token").reveal(),
        "THINK": ",".join(map(str, think)), "SSL_CERT_FILE": target.ca_file,
    }  # fmt: skip
    command, known = k6(target.base_url, users, 90, result, **variables)

    def count(metric: str) -> int:
        answer = httpx.get(f"http://{address}/v1/metrics/{metric}", trust_env=False)
        return int(answer.json()["data"]["attributes"]["sample"]["count"]) if answer.is_success else 0

    def busy() -> None:
        try:
            assert count("http_reqs")
        except httpx.HTTPError as error:
            raise AssertionError(f"k6 does not answer: {error}") from None

    with running(GENERATOR, [*command, "--address", address], known) as process:
        eventually(busy, within=PATIENCE, every=0.2)
        threading.Event().wait(rise + SETTLE)
        used = watched(
            psutil.Process(process.pid), lambda: count("http_reqs") + SOCKET * count("ws_sessions"), SECONDS
        )
        process.kill()
    return used
