"""How often equal versions are called slower, and how often a slower one is found.

    python benchmarks/slower.py [RUNS]

One hold of two versions, with all classes of users. Each request takes a lognormal time; 3 % of the time the
target is busy, for whiles of random length, in which everybody waits four times as long. The new version is
as slow as the old one, or 1.3 times, or the slowest tenth of its requests is 1.5 times as slow. Three judges,
on the same numbers:

rule        that of `staging.slower-than-before`, at most 1.2 times, without failures
bootstrap   the same limit, with percentile intervals of 200 draws of whole windows in place of the rule's own
Kayenta     Mann-Whitney as its judge NetflixACAJudge-v1.0 uses it (confidence 0.98, tolerance 0.25), of the
            windows' medians and of their p95; slower where one of the two is "High"

"red" is the share of runs that a judge calls slower; "green", that it lets through; the rest is undecided
(Kayenta has no such word).
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from math import exp, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from noxgate.project.runbook import read_runbook
from noxgate.slo.before.judging import PERCENTILES, Limits, limits_of, overall, percentiles
from noxgate.slo.before.ratio import Timed
from noxgate.slo.slos import SloOutcome

ROOT = Path(__file__).parents[1]
RUNS = 60
RARE = 30  # seconds: of whiles that long a hold lacks any, or sees a few, and the goals are only shown
SHORT = 300  # seconds of a hold; of longer ones only the rule is asked
DRAWS = 200  # of the bootstrap
SIGMA = 0.5
MEDIAN = 0.03  # seconds
PART, BUSY = 0.03, 4.0  # of the time the target is busy, and answers so many times slower
CONFIDENCE, TOLERANCE = 0.98, 0.25  # Kayenta's
TENTH = MEDIAN * exp(SIGMA * NormalDist().inv_cdf(0.9))  # seconds: the slowest tenth takes longer
EFFECTS: dict[str, Callable[[Any], Any]] = {
    "equal": lambda taken: taken,
    "1.3 times": lambda taken: 1.3 * taken,
    "a tenth 1.5 times": lambda taken: np.where(taken > TENTH, 1.5 * taken, taken),
}
MIX = (0.26, 0.18, 0.18, 0.18, 0.2)  # of requests: health, auth, science, data, websocket
QUICK, FULL = (tuple(rate * part for part in MIX) for rate in (48, 240))
GOALS = (5, 95)  # percent: red where equal, at most; red at 1.3 times, at least
GREEN, OPEN, RED = range(3)

Windows = list[Any]  # of arrays
Classes = list[Windows]
Random = np.random.Generator
Judge = Callable[[Classes, Classes, Limits, Random], int]


@dataclass(frozen=True)
class Case:
    """A hold: requests a second of each class; how long the target is busy on average (0: a request)."""

    name: str
    rates: tuple[float, ...]
    busy: float
    seconds: int = SHORT
    window: int = 5
    goals: bool = True  # whether the rule must meet them
    drawn: bool = False  # whether the bootstrap judges it, too, which takes a while


CASES = [
    Case("quick", QUICK, 0),
    Case("quick", QUICK, 2, drawn=True),
    Case("quick", QUICK, 10, drawn=True),
    Case("quick", QUICK, 30, goals=False),
    Case("full, 500 users", FULL, 2),
    *(Case("quick, 15 min", QUICK, busy, 900, goals=busy < RARE) for busy in (0, 2, 10, 30)),
]


def hold(rng: Random, case: Case, slowed: Callable[[Any], Any]) -> Classes:
    """The response times of each class by window, as a version answers that is so much slower."""
    whiles = _whiles(rng, case)
    found = []
    for rate in case.rates:
        count = rng.poisson(case.seconds * rate)
        at = np.sort(rng.uniform(0, case.seconds, count))
        taken = slowed(MEDIAN * rng.lognormal(0, SIGMA, count))
        is_busy = np.searchsorted(whiles, at) % 2 == 1 if case.busy else rng.random(count) < PART
        taken[is_busy] *= BUSY
        found.append(np.split(taken, np.searchsorted(at, range(case.window, case.seconds, case.window))))
    return found


def _whiles(rng: Random, case: Case) -> list[float]:
    """When the target begins to be busy, and ends, in turns."""
    quiet = case.busy * (1 - PART) / PART
    is_busy = bool(rng.random() < PART)
    found, now = [-1.0] * is_busy, 0.0
    while case.busy and now < case.seconds:
        now += rng.exponential(case.busy if is_busy else quiet)
        found.append(now)
        is_busy = not is_busy
    return found


def rule(now: Classes, before: Classes, limits: Limits, _: Random) -> int:
    found = []
    for pair in zip(now, before, strict=True):
        sides = [Timed([np.sort(window).tolist() for window in each]) for each in pair]
        found += percentiles("", sides[0], sides[1], limits)
    return {SloOutcome.PASSED: GREEN, SloOutcome.FAILED: RED}.get(overall(found), OPEN)


def bootstrap(now: Classes, before: Classes, limits: Limits, rng: Random) -> int:
    outcomes: list[int] = []
    for pair in zip(now, before, strict=True):
        count = min(sum(map(len, each)) for each in pair)
        shares = [share for name, share in PERCENTILES.items() if count >= limits.samples[name]]
        drawn = [_drawn(pair[0], rng, shares) / _drawn(pair[1], rng, shares) for _ in range(DRAWS)]
        low, high = np.quantile(np.array(drawn), (0.025, 0.975), axis=0)
        outcomes += np.where(low > limits.times, RED, np.where(high < limits.times, GREEN, OPEN)).tolist()
    return max(outcomes)


def _drawn(windows: Windows, rng: Random, shares: Sequence[float]) -> Any:
    chosen = rng.integers(0, len(windows), len(windows))
    return np.quantile(np.concatenate([windows[number] for number in chosen]), shares)


def kayenta(now: Classes, before: Classes, _: Limits, __: Random) -> int:
    for pair in zip(now, before, strict=True):
        for share in (0.5, 0.95):
            series = [np.array([np.quantile(one, share) for one in each if len(one)]) for each in pair]
            if _is_high(series[0], series[1]):
                return RED
    return GREEN


def _is_high(experiment: Any, control: Any) -> bool:
    """Whether the location shift's lower bound is beyond the tolerance: Hodges and Lehmann, normal ranks."""
    shifts = np.sort(np.subtract.outer(experiment, control), axis=None)
    m, n = len(experiment), len(control)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    rank = max(0, round(m * n / 2 - z * sqrt(m * n * (m + n + 1) / 12)))
    return bool(shifts[rank] > TOLERANCE * abs(np.median(shifts)))


JUDGES: dict[str, Judge] = {"rule": rule, "bootstrap": bootstrap, "Kayenta": kayenta}


def row(case: Case, judge: str, runs: int) -> tuple[str, bool]:
    """One line of the table, and whether it misses a goal."""
    limits = limits_of(read_runbook(ROOT / "runbook.toml").lines["staging.slower-than-before"])
    rng = np.random.default_rng(20250815)  # the same numbers for each judge
    other = np.random.default_rng(1)
    red, cells = [], ""
    for slowed in EFFECTS.values():
        said = [
            JUDGES[judge](hold(rng, case, slowed), hold(rng, case, EFFECTS["equal"]), limits, other)
            for _ in range(runs)
        ]
        red.append(100 * said.count(RED) / runs)
        cells += f"{red[-1]:10.0f}{100 * said.count(GREEN) / runs:10.0f}"
    busy = f"{case.busy:g} s" if case.busy else "independent"
    shape = f"{case.seconds // case.window} x {case.window} s, {sum(case.rates):.0f}/s"
    missed = judge == "rule" and case.goals and (red[0] > GOALS[0] or red[1] < GOALS[1])
    return f"{case.name:17}{shape:18}{busy:13}{judge:10}{cells}", missed


def _asks(case: Case, judge: str) -> bool:
    return case.drawn if judge == "bootstrap" else judge == "rule" or case.seconds == SHORT


def main() -> int:
    """Print the table; 1 where the rule misses a goal."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    asked = [(case, judge) for case in CASES for judge in JUDGES if _asks(case, judge)]
    print(f"{'':58}" + "".join(f"{f'{name}, %':>20}" for name in EFFECTS))
    head = f"{'hold':17}{'windows':18}{'busy for':13}{'judge':10}"
    print(head + f"{'red':>10}{'green':>10}" * len(EFFECTS), flush=True)
    missed = 0
    with ProcessPoolExecutor() as pool:
        for text, misses in pool.map(row, *zip(*asked, strict=True), repeat(runs)):
            print(text, flush=True)
            missed += misses
    sure = 100 * 0.05 ** (1 / runs)
    print(f"{runs} runs of each: all of them are more than {sure:.1f} %, none less than {100 - sure:.1f} %")
    print(f"goals of the rule: 5 % red at most where equal, 95 % at least at 1.3 times: {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
