"""Requests for each second of the generator's CPU beside Debian's wrk, which checks nothing.

wrk shows how far the kernel's neighbourhood is: what a request costs when nothing is done with it. The
target's own CPU proves that it was not what both waited for; where it was, the row is not met.
"""

import shutil
import statistics
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
from benchmarks.generators.figures import Row
from benchmarks.generators.processes import (
    GENERATOR,
    PATIENCE,
    Fast,
    Used,
    ours,
    running,
    watched,
)

from noxgate.look.waiting import eventually

USERS, ROUNDS, WINDOW = 2, 3, 3.0  # so few leave the target time; wrk knows no pause
SATURATED = 0.9  # of a core


def beside(fast: Fast, folder: Path) -> Iterator[Row]:
    """HTTP and HTTPS, in turns."""
    if shutil.which("wrk") is None:
        yield Row("requests/CPU s beside wrk", "measured", "not measured: apt-get install wrk", met=False)
        return
    for scheme in ("http", "https"):
        mine: list[Used] = []
        its: list[Used] = []
        busiest = 0.0
        for number in range(ROUNDS):
            for who in ("ours", "wrk") if number % 2 else ("wrk", "ours"):
                used, target = _one(fast, scheme, folder, who)
                (mine if who == "ours" else its).append(used)
                busiest = max(busiest, target)
        ratio = statistics.median(a.each_second / b.each_second for a, b in zip(mine, its, strict=True))
        own = statistics.median(one.each_second for one in mine)
        wrks = statistics.median(one.each_second for one in its)
        measured = f"{ratio:.3f}x ({own:,.0f}/s, wrk {wrks:,.0f}/s; target at most {busiest:.0%} of a core)"
        figure = f"requests/CPU s, {scheme}, no checks, beside wrk"
        yield Row(figure, f"target <= {SATURATED:.0%}", measured, busiest <= SATURATED)


def _one(fast: Fast, scheme: str, folder: Path, who: str) -> tuple[Used, float]:
    """What one used, and how much of a core the target did meanwhile."""
    url = f"{fast.plain if scheme == 'http' else fast.tls}/healthy"
    if who == "ours":
        command, variables = ours(url, USERS, 120, folder / "wrk.json", CA_FILE=fast.ca_file, CHECK="no")
    else:
        url = url.replace("localhost", "127.0.0.1")  # it tries no second address
        command, variables = ["wrk", "-t1", f"-c{USERS}", "-d120s", url], {}

    def all_there() -> None:
        there = fast.count()[1]
        assert there >= USERS, f"expected {USERS} users of {who} on {scheme}, saw {there}"

    with running(GENERATOR, command, variables) as process:
        eventually(all_there, within=PATIENCE, every=0.2)
        threading.Event().wait(1)  # handshakes are over
        target = _nginx(fast)
        before = sum(target.cpu_times()[:2])
        used = watched(psutil.Process(process.pid), lambda: fast.count()[0], WINDOW)
        busy = (sum(target.cpu_times()[:2]) - before) / WINDOW
        assert process.poll() is None, f"{who} ended early"
        process.kill()
    return used, busy


def _nginx(fast: Fast) -> psutil.Process:
    """The worker that answers."""
    (worker,) = psutil.Process(fast.pid).children()
    return worker
