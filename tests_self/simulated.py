"""A load test as its generator would have measured it: users, pauses and answers, event by event."""

import heapq
import itertools
import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from noxgate.project.runbook import read_runbook
from noxgate.slo.holds import Second
from noxgate.slo.plan import CLASSES
from noxgate.slo.ramps import Ramp
from noxgate.slo.result import Held, NewJob, Problem, Result
from noxgate.slo.slos import limits_by_class, read_slos

ROOT = Path(__file__).parents[1]
LIMITS = limits_by_class(read_slos(read_runbook(ROOT / "runbook.toml").lines), CLASSES)
MIX = [*["health"] * 3, *["auth"] * 2, *["science"] * 2, *["data"] * 2, "websocket"]

_ASKED = itertools.count()
Answer = Callable[
    [random.Random, str, float], tuple[float, int, str]
]  # class, moment: seconds, status, reason


def at_once(rng: random.Random, name: str, _: float) -> tuple[float, int, str]:
    """A healthy target."""
    return rng.lognormvariate(-3.7, 0.4), 101 if name == "websocket" else 200, ""


@dataclass
class Measured:
    """What a generator counts."""

    times: dict[tuple[str, int], "array[float]"] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Counter[tuple[int, str]]] = field(default_factory=dict)
    visits: dict[int, list[int]] = field(default_factory=dict)
    accepted: int = 0
    sent: int = 0


def simulated(
    ramp: Ramp,
    *,
    answer: Answer = at_once,
    minutes_ago: float = 1,
    think: tuple[float, float] | None = None,
    connect: float = 0.0,
    late: float = 0.0,
    seed: int = 1,
    ended: datetime | None = None,
) -> Result:
    """A ramp that ended a while ago, or when it is said.

    `think` other than the ramp's, `connect` before each request, or timers that are `late`, in seconds: what
    a generator may do, or somebody who writes a result by hand.
    """
    rng = random.Random(seed)  # noqa: S311
    ended = ended or datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes_ago)
    started = ended - timedelta(seconds=ceil(ramp.seconds) + 10)
    measured = Measured()
    holds: list[Held] = []
    users: dict[int, int] = {}
    at = started.timestamp() + 1
    levels: list[tuple[float, int]] = []
    for number, level in enumerate(ramp.levels, 1):
        levels.append((at, level.users))
        start = ceil(at + level.rise) + 1
        end = start + level.hold
        holds.append(Held(level.name(number), level.users, level.judged, level.hold, start, end))
        users |= dict.fromkeys(range(start, end), level.users)
        at = end
    if ramp.rate:
        _arrivals(ramp, rng, measured, answer, levels[0][0], at)
    else:
        _users(rng, measured, answer, levels, at, think or ramp.think, connect, late)
    failures: Counter[tuple[str, int, str]] = Counter()
    for (name, _), outcomes in measured.outcomes.items():
        for (status, reason), count in outcomes.items():
            if reason:
                failures[name, status, reason] += count
    seconds: dict[str, dict[int, Second]] = {name: {} for name in CLASSES}
    for (name, second), times in measured.times.items():
        over = {limit: sum(map(limit.__lt__, times)) for limit in LIMITS[name]}
        seconds[name][second] = Second(times, dict(measured.outcomes[name, second]), over)
    return Result(
        target="staging",
        base_url="https://localhost:1",
        rehearsal=False,
        release="8.0.0",
        version="8.0.0",
        ramp=ramp,
        started=started.isoformat(),
        ended=ended.isoformat(),
        processes=1,
        stopped="",
        problems=(),
        holds=tuple(holds),
        classes=CLASSES,
        accepted=measured.accepted,
        right=measured.accepted,
        failures=tuple(
            Problem(name, name, status, reason, n) for (name, status, reason), n in failures.items()
        ),
        users=users,
        seconds=seconds,
        nonce="0" * 32,
        sent=measured.sent,
        visits={second: (began, ended_) for second, (began, ended_) in sorted(measured.visits.items())},
        new_jobs=new_jobs(ramp, holds),
    )


def new_jobs(ramp: Ramp, holds: Sequence[Held]) -> tuple[NewJob, ...]:
    """All that the ramp asks for, and each right after a second."""
    return tuple(
        NewJob(held.name, method, f"no. {next(_ASKED)}", at, at + 1, -5.1, -5.0, -5.07, 200, "")
        for held in holds
        for turn in range(ramp.new_jobs)
        for at in [held.start + held.planned * turn / ramp.new_jobs]
        for method in ramp.methods
    )


def _users(
    rng: random.Random,
    measured: Measured,
    answer: Answer,
    levels: list[tuple[float, int]],
    over: float,
    think: tuple[float, float],
    connect: float,
    late: float,
) -> None:
    """Each user in turn; one that is beyond the users of a level stops after its visit."""
    due: list[tuple[float, int]] = []
    known = 0
    for at, most in levels:
        for number in range(known, most):
            heapq.heappush(due, (at + rng.random() * 0.5, number))
        known = max(known, most)
    while due:
        at, number = heapq.heappop(due)
        most = [users for since, users in levels if since <= at][-1]
        if at >= over:
            continue
        if number >= most:
            following = [since for since, users in levels if since > at and number < users]
            if following:
                heapq.heappush(due, (following[0] + rng.random(), number))
            continue
        end = _visit(rng, measured, answer, at, connect)
        heapq.heappush(due, (end + rng.uniform(*think) + late, number))


def _arrivals(
    ramp: Ramp, rng: random.Random, measured: Measured, answer: Answer, start: float, over: float
) -> None:
    at = start
    while at < over:
        at += rng.expovariate(ramp.rate)
        _visit(rng, measured, answer, at, 0.0)


def _visit(rng: random.Random, measured: Measured, answer: Answer, at: float, connect: float) -> float:
    """One visit; when it ends."""
    measured.visits.setdefault(int(at), [0, 0])[0] += 1
    name = rng.choice(MIX)
    for _ in _requests(rng, name):
        at += connect
        seconds, status, reason = answer(rng, name, at)
        measured.times.setdefault((name, int(at)), array("f")).append(seconds)
        measured.outcomes.setdefault((name, int(at)), Counter())[status, reason] += 1
        measured.sent += 1
        measured.accepted += name == "science" and not reason
        at += seconds
        if reason:
            break
        if name == "science":
            at += 0.25
    measured.visits.setdefault(int(at), [0, 0])[1] += 1
    return at


def _requests(rng: random.Random, name: str) -> Iterator[int]:
    """A WebSocket's three; a job is looked at now and then."""
    return iter(range(3 if name == "websocket" else rng.choice((1, 1, 2, 5)) if name == "science" else 1))


def repeated(result: Result) -> Result:
    """One second again and again, as if by hand."""
    at = result.holds[0].start
    return replace(
        result, seconds={name: dict.fromkeys(by, by[at]) for name, by in result.seconds.items()}, failures=()
    )
