"""How often a target passes whose true share of bad requests is exactly at the limit.

    python benchmarks/slo_boundary.py [RUNS]

Three judges: the share alone (k6's thresholds), Wilson's interval as if requests were independent, and the
rule of the gate. A sound 95 % interval of two sides lets 2.5 % pass. Then the rule on a target with 0.6 and
with 1.5 times the limit: how often it passes and fails as it must; to decide nothing is of no use either.

Bad requests come independently, or four of five in stalls of random length in which 90 % are bad. The shorter
the hold and the longer the stalls, the more holds see none at all: no rule can know of those.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import log, log1p

from noxgate.slo.confidence import Counts, share_interval, wilson
from noxgate.slo.holds import in_windows, total
from noxgate.slo.slos import SloOutcome, decide

RUNS = 1000
IN_STALLS = 0.8  # of the bad requests
BAD_IN_STALL = 0.9
BETTER, WORSE = 0.6, 1.5  # times the limit


@dataclass(frozen=True)
class Case:
    """A hold and a target: requests a second, and seconds that a stall takes on average (0: none)."""

    name: str
    seconds: int
    window: int
    rate: int
    stall: float
    limit: float = 0.05


HOLDS = [("smoke", 20, 1, 25), ("quick, full", 300, 5, 20), ("full, 1000 users", 600, 5, 60)]
CASES = [
    *(Case(*hold, stall=stall) for hold in HOLDS for stall in (0, 0.5, 2, 10)),
    Case("the least for p99", 20, 1, 20, 0, limit=0.01),
    Case("p99", 300, 5, 20, 0, limit=0.01),
    Case("p99", 300, 5, 20, 0.5, limit=0.01),
]


def binomial(chance: random.Random, count: int, share: float) -> int:
    """How many of `count` are bad: by the gaps between them, as few are."""
    if share > 0.5:  # noqa: PLR2004
        return count - binomial(chance, count, 1 - share)
    if share <= 0:
        return 0
    bad, at = -1, 0
    while at <= count:
        at += int(log(1 - chance.random()) / log1p(-share)) + 1
        bad += 1
    return bad


def stalled(chance: random.Random, case: Case, part: float) -> Iterator[float]:
    """For each second how much of it was stalled; on average `part`."""
    mean = {True: case.stall, False: case.stall * (1 - part) / part}
    now = chance.random() < part
    left = chance.expovariate(1 / mean[now])
    for _ in range(case.seconds):
        to_go, stall = 1.0, 0.0
        while left < to_go:
            stall += left * now
            to_go -= left
            now = not now
            left = chance.expovariate(1 / mean[now])
        left -= to_go
        yield stall + to_go * now


def hold(chance: random.Random, case: Case, share: float) -> list[Counts]:
    """The counts by window of one hold on a target with this share of bad requests."""
    part = IN_STALLS * share / BAD_IN_STALL if case.stall else 0
    base = (share - part * BAD_IN_STALL) / (1 - part)
    stalls = stalled(chance, case, part) if part else (0.0 for _ in range(case.seconds))
    seconds = [
        (case.rate, binomial(chance, case.rate, base + stall * (BAD_IN_STALL - base))) for stall in stalls
    ]
    return [total(window) for window in in_windows(seconds, case.window)]


def row(case: Case, runs: int) -> str:
    """One line of the table."""
    chance = random.Random(20250815)  # noqa: S311 (the same table each time)
    minimum = 400 if case.limit == 0.01 else 300  # noqa: PLR2004
    alone = independent = passed = failed = good = bad = 0
    burst = 0.0
    for _ in range(runs):
        windows = hold(chance, case, case.limit)
        requests, seen = total(windows)
        outcome = decide(windows, case.limit, minimum=minimum).outcome
        alone += seen / requests < case.limit
        independent += wilson(seen, requests)[1] < case.limit
        passed += outcome is SloOutcome.PASSED
        failed += outcome is SloOutcome.FAILED
        burst += share_interval(windows)[1] / runs
        windows = hold(chance, case, case.limit * BETTER)
        good += decide(windows, case.limit, minimum=minimum).outcome is SloOutcome.PASSED
        windows = hold(chance, case, case.limit * WORSE)
        bad += decide(windows, case.limit, minimum=minimum).outcome is SloOutcome.FAILED
    stall = f"stalls of {case.stall:g} s" if case.stall else "independent"
    shape = f"{case.seconds // case.window} x {case.window} s, {case.rate}/s"
    rates = "".join(f"{100 * count / runs:8.1f}" for count in (alone, independent, passed, failed, good, bad))
    return f"{case.name:18}{shape:17}{case.limit:5.0%}  {stall:15}{rates}{burst:8.1f}"


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    began = time.perf_counter()
    print(f"{'':57}{'passes at the limit, %':>24}{'fails':>8}{'0.6 x':>8}{'1.5 x':>8}")
    print(
        f"{'hold':18}{'windows':17}limit  {'bad requests':15}"
        f"{'alone':>8}{'Wilson':>8}{'rule':>8}{'rule':>8}{'passes':>8}{'fails':>8}{'burst':>8}"
    )
    for case in CASES:
        print(row(case, runs), flush=True)
    error = 100 * 1.96 * (0.025 * 0.975 / runs) ** 0.5
    took = time.perf_counter() - began
    print(f"{runs} runs of each, so 2.5 % is known to {error:.1f} points; {took:.0f} s")


if __name__ == "__main__":
    main()
