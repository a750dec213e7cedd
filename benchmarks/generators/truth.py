"""What the generators say of a target, against the target's own clock."""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from benchmarks.generators.figures import Row
from benchmarks.generators.processes import GENERATOR, TARGET, Fast, finished, k6, ours

SECONDS = 12.0  # in which percentiles are looked at
ROUNDS = 3  # in turns, where the two are compared
SHARE = 0.05  # of the requests may take longer than an SLO's p95
P99_MS, STALL_OFF, BESIDE_K6 = 2.0, 0.06, 0.3  # goals
RATE_USERS, RATE_THINK = 400, 0.05  # 8,000 requests a second
STALL_RATE, STALL_SECONDS, STALL_USERS, STALL_P95 = 150, 20, 500, 1.5

PROBE = 0.005  # seconds


def at_a_high_rate(fast: Fast, folder: Path) -> Row:
    """What the generators add at a high rate: nginx answers within microseconds."""
    url = f"{fast.plain}/healthy"
    found: dict[str, Any] = {}
    for name, started in (("ours", ours), ("k6", k6)):
        result = folder / f"rate-{name}.json"
        command, variables = started(url, RATE_USERS, SECONDS, result, THINK=RATE_THINK, CHECK="yes")
        found[name] = finished(command, variables, result, SECONDS)
    p99 = found["ours"]["times"]["0.99"] * 1000
    beside = f"k6 {found['k6']['http_req_duration']['values']['p(99)']:.1f} ms"
    rates = (
        f"{found['ours']['requests'] / SECONDS:,.0f} and {found['k6']['http_reqs']['values']['rate']:,.0f}/s"
    )
    return Row(
        "error added to p99 near 8,000 requests/s",
        "<= 2 ms",
        f"{p99:.2f} ms ({beside}; {rates})",
        p99 <= P99_MS,
    )


@dataclass(frozen=True)
class Compared:
    """In ms, by share: what the server's own percentile was, and by how much ours and k6's differ from it.

    `lag` is the p99 of how late timers ran on the two cores meanwhile: what other work on the machine adds.
    """

    truth: dict[str, float]
    ours: dict[str, float]
    k6: dict[str, float]
    lag: float


def against_its_clock(url: str, folder: Path) -> Iterator[Row]:
    """p50, p95 and p99 against the server's own clock."""
    found = [compared(url, folder, users=100, seconds=SECONDS / ROUNDS) for _ in range(ROUNDS)]
    for share in found[0].truth:
        truth = statistics.median(one.truth[share] for one in found)
        mine = statistics.median(one.ours[share] for one in found)
        its = statistics.median(one.k6[share] for one in found)
        allowed = max(1.0, 0.005 * truth)
        goal = f"<= {allowed:.1f} ms, k6 + 0.3 ms" if share == "0.95" else ""
        met = mine <= allowed and mine <= its + BESIDE_K6 if share == "0.95" else None
        measured = f"{mine:+.2f} ms (k6 {its:+.2f} ms) of {truth:.0f} ms"
        yield Row(f"p{float(share) * 100:.0f} against the server's own clock", goal, measured, met)
    yield Row(
        "  how late timers ran meanwhile (p99)", "", f"{statistics.median(one.lag for one in found):.2f} ms"
    )


def compared(url: str, folder: Path, *, users: int, seconds: float) -> Compared:
    """Run both generators on the delays of the server that measures itself."""
    with _Lag() as lag:
        result = folder / "truth.json"
        mine, truth = _against(url, result, seconds, ours(f"{url}/delayed", users, seconds, result))
        result = folder / "truth-k6.json"
        its, its_truth = _against(url, result, seconds, k6(f"{url}/delayed", users, seconds, result))
    values = its["http_req_duration"]["values"]
    names = {"0.5": "med", "0.95": "p(95)", "0.99": "p(99)"}
    return Compared(
        truth={share: truth["times"][share] * 1000 for share in names},
        ours={share: (mine["times"][share] - truth["times"][share]) * 1000 for share in names},
        # k6 takes a mean of the two nearest
        k6={share: values[name] - its_truth["between"][share] * 1000 for share, name in names.items()},
        lag=lag.p99 * 1000,
    )


def _against(url: str, result: Path, seconds: float, started: tuple[list[str], dict[str, str]]) -> Any:
    httpx.get(f"{url}/truth", trust_env=False)
    found = finished(*started, result, seconds)
    return found, httpx.get(f"{url}/truth", trust_env=False).json()


class _Lag:
    """How late timers run on the cores of the generator and of the target."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._late: dict[int, list[float]] = {GENERATOR: [], TARGET: []}
        self._threads = [threading.Thread(target=self._watch, args=(core,)) for core in self._late]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def p99(self) -> float:
        """Seconds, of both cores."""
        return sum(sorted(late)[len(late) * 99 // 100] for late in self._late.values())

    def _watch(self, core: int) -> None:
        os.sched_setaffinity(0, {core})  # of this thread
        began = time.monotonic()
        while not self._over.wait(PROBE):
            now = time.monotonic()
            self._late[core].append(now - began - PROBE)
            began = now


def stalling(url: str, folder: Path) -> Row:
    """2 s of 10 without an answer, and requests that come all the same: 5 % wait for more than 1.5 s."""
    result = folder / "stall.json"
    options = {"RATE": STALL_RATE, "RATE_SECONDS": STALL_SECONDS}
    command, variables = ours(f"{url}/stalling", STALL_USERS, STALL_SECONDS + 4, result, **options)
    found = finished(command, variables, result, STALL_SECONDS + 10)
    p95 = found["times"]["0.95"]
    off = p95 / STALL_P95 - 1
    over = found["over"][0] / found["requests"]
    measured = f"{p95:.3f} s: {off:+.1%} ({over:.0%} over 300 ms, {found['dropped']} dropped)"
    goal = "within 6 %, never PASS"
    return Row("2 s stall in 10, open model: p95", goal, measured, abs(off) <= STALL_OFF and over > SHARE)
