"""Load results that none can have measured; and odd ones that one has."""

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests_self.simulated import ROOT, at_once, repeated, simulated

from noxgate.slo.holds import Second
from noxgate.slo.possible import cannot_be, impossible, same_series
from noxgate.slo.ramps import Level, Ramp, read_ramps
from noxgate.slo.result import Result

RAMPS = read_ramps(ROOT)
SMOKE, QUICK, FULL, RATE = (RAMPS[name] for name in ("smoke", "quick", "full", "rate"))
SHORT = replace(FULL, levels=tuple(replace(level, rise=5, hold=20) for level in FULL.levels))
# its last fall is long enough for what is under way then
MEDIUM = replace(SHORT, levels=tuple(replace(each, users=each.users // 5, rise=20) for each in SHORT.levels))

Change = Callable[[Result], Result]


def each(result: Result, change: Callable[[Second], Second]) -> Result:
    """The result with each second changed."""
    return replace(
        result,
        seconds={
            name: {at: change(second) for at, second in by.items()} for name, by in result.seconds.items()
        },
    )


# ---------------------------------------------------------------- healthy and odd


def slow(rng: random.Random, name: str, at: float) -> tuple[float, int, str]:
    """Everything takes its time."""
    seconds, status, reason = at_once(rng, name, at)
    return seconds * 40, status, reason


def never(rng: random.Random, _: str, __: float) -> tuple[float, int, str]:
    """Nothing is answered within the patience."""
    return 15 + rng.random() / 100, 0, "timeout"


def stalls(rng: random.Random, name: str, at: float) -> tuple[float, int, str]:
    """Nothing is answered for two seconds of each eight."""
    seconds, status, reason = at_once(rng, name, at)
    return seconds + max(0.0, 2 - at % 8), status, reason


def fails(rng: random.Random, name: str, at: float) -> tuple[float, int, str]:
    seconds, status, reason = at_once(rng, name, at)
    return (seconds, 503, "status") if rng.random() < 0.4 else (seconds, status, reason)


def refuses(rng: random.Random, name: str, at: float) -> tuple[float, int, str]:
    """No connection, and that is known at once."""
    return at_once(rng, name, at)[0] / 100, 0, "refused"


def dies(rng: random.Random, name: str, at: float) -> tuple[float, int, str]:
    """From the middle of the hold on nothing is answered."""
    return never(rng, name, at) if at % 60 > 30 else at_once(rng, name, at)


def coarse(rng: random.Random, name: str, at: float) -> tuple[float, int, str]:
    """A clock that knows milliseconds."""
    seconds, status, reason = at_once(rng, name, at)
    return round(seconds, 3), status, reason


@pytest.mark.parametrize("answer", [at_once, slow, never, stalls, fails, refuses, dies])
@pytest.mark.parametrize(
    "ramp", [SMOKE, QUICK.lasting(60), QUICK.lasting(10), MEDIUM], ids=["smoke", "quick", "short", "full"]
)
def test_what_a_load_test_measures_can_be(ramp: Ramp, answer: Callable[..., tuple[float, int, str]]) -> None:
    """However slow or broken the target is: that is for the SLOs."""
    assert impossible(simulated(ramp, answer=answer)) == []


@pytest.mark.parametrize("second", range(0, 60, 2))
def test_target_may_die_at_any_moment_of_a_hold(second: int) -> None:
    """In its first second as well: users are counted once a second, and most visits begin before that."""
    ended = datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC)
    assert impossible(simulated(SMOKE, answer=dies, seed=second, ended=ended)) == []
    assert impossible(simulated(SMOKE, answer=stalls, seed=second, ended=ended)) == []


@pytest.mark.parametrize("seed", range(20))
def test_chance_is_no_forgery(seed: int) -> None:
    assert impossible(simulated(SMOKE, seed=seed)) == []


def test_full_and_rate_can_be() -> None:
    """As they are shipped, but for their time."""
    rate = replace(RATE, rate=200, levels=(Level(3000, 5, 30),))

    assert impossible(simulated(SHORT)) == []
    assert impossible(simulated(rate)) == []


@pytest.mark.parametrize("connect", [0.3, 0.9])
def test_far_away_target_that_keeps_no_connection(connect: float) -> None:
    """The time to connect is not part of a response time."""
    assert impossible(simulated(QUICK.lasting(60), connect=connect)) == []


@pytest.mark.parametrize("ramp", [SMOKE, QUICK.lasting(60)], ids=lambda ramp: ramp.name)
def test_generator_as_late_as_it_may_be(ramp: Ramp) -> None:
    assert impossible(simulated(ramp, late=ramp.lag_ms / 1000)) == []


def test_hold_that_the_generator_spoiled_is_not_looked_at() -> None:
    """It never passes; and the target is not charged because the generator's machine was busy."""
    result = simulated(SMOKE, late=0.4)
    assert impossible(result) != []

    spoiled = tuple(replace(held, spoiled=("the generator was late",)) for held in result.holds)
    assert impossible(replace(result, holds=spoiled)) == []


def test_test_that_was_stopped_can_be() -> None:
    """Not all levels were reached, and the last was not held for as long as it was to be."""
    result = simulated(MEDIUM)
    first, second, *_ = result.holds
    holds = (first, replace(second, end=second.end - 20))

    jobs = tuple(job for job in result.new_jobs if job.began < second.end - 20)
    assert impossible(replace(result, holds=holds, new_jobs=jobs, stopped="it was interrupted")) == []


# ---------------------------------------------------------------- what cannot be


def timed(second: Second, times: "array[float]") -> Second:
    """The same outcomes, after other times."""
    return Second(times, second.outcomes, {limit: sum(map(limit.__lt__, times)) for limit in second.over})


def even(result: Result) -> Result:
    """Twenty milliseconds, each time."""
    return each(result, lambda second: timed(second, array("f", [0.02] * len(second.times))))


def steady(result: Result) -> Result:
    """Twenty requests a second of each class, of any times."""
    rng = random.Random(4)  # noqa: S311

    def one(second: Second) -> Second:
        times = array("f", [rng.uniform(0.01, 0.05) for _ in range(20)])
        return Second(times, {(200, ""): 20}, dict.fromkeys(second.over, 0))

    return replace(each(result, one), failures=(), sent=10**6)


def slower(result: Result) -> Result:
    """Response times of users who were in no visit."""
    return each(result, lambda one: timed(one, array("f", [30 * seconds for seconds in one.times])))


def held(**changes: object) -> Change:
    def change(result: Result) -> Result:
        return replace(result, holds=tuple(replace(one, **changes) for one in result.holds))  # type: ignore[arg-type]

    return change


def longer(result: Result) -> Result:
    (one,) = result.holds
    return replace(result, holds=(replace(one, end=one.end + 10),))


def twice(result: Result) -> Result:
    """Each request once more, and everything else as it was."""

    def one(second: Second) -> Second:
        outcomes = {key: 2 * count for key, count in second.outcomes.items()}
        times = second.times + array("f", [1.001 * seconds for seconds in second.times])
        return timed(replace(second, times=times, outcomes=outcomes), times)

    return each(result, one)


def halved(result: Result) -> Result:
    """Half of the visits."""
    return replace(result, visits={at: (began // 2, began // 2) for at, (began, _) in result.visits.items()})


def doubled(result: Result) -> Result:
    return replace(
        result, visits={at: (2 * began, 2 * ended) for at, (began, ended) in result.visits.items()}
    )


def jobs(**changes: object) -> Change:
    """Each that is new."""
    return lambda result: replace(
        result,
        new_jobs=tuple(replace(job, **changes) for job in result.new_jobs),  # type: ignore[arg-type]
    )


def saying(**changes: object) -> Change:
    return lambda result: replace(result, **changes)  # type: ignore[arg-type]


def but(**changes: Callable[[Result], object]) -> Change:
    """With what follows from it."""
    return lambda result: replace(result, **{key: of(result) for key, of in changes.items()})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (repeated, "identical series"),
        (even, "all requests took the same time"),
        (steady, "users do not choose so"),
        (but(sent=lambda one: one.sent - 1), "requests that were sent"),
        (twice, "requests that were sent"),
        (lambda one: replace(twice(one), sent=2 * one.sent), "visits at the least"),
        (saying(visits={}), "do not meet"),
        (halved, "do not meet"),
        (doubled, "users in a visit"),
        (slower, "users and response times do not meet"),
        (saying(users={}), "users all the time"),
        (but(users=lambda one: dict.fromkeys(one.users, 50)), "users all the time"),
        (held(users=1500), "as the ramp has it"),
        (held(judged="5xx"), "as the ramp has it"),
        (held(name="1: 1500 users for 300 s"), "holds of its ramp"),
        (longer, "expected at most 20 s"),
        (but(holds=lambda one: one.holds * 2), "holds of its ramp"),
        (saying(classes=("health",)), "expected the classes"),
        (but(ended=lambda one: one.started), "seconds outside"),
        (saying(accepted=10**6), "jobs accepted"),
        (but(right=lambda one: one.accepted + 1), "jobs accepted"),
        (jobs(hold="2: 60 users for 20 s"), "at most 2 new jobs"),
        (jobs(method="/xtb/v2"), "at most 2 new jobs"),
        (but(new_jobs=lambda one: one.new_jobs * 2), "at most 2 new jobs"),
        (jobs(asked="{}"), "it was not new"),
        (jobs(began=1.0), "to be asked on"),
        (jobs(ended=2.0), "end in time"),
        (jobs(ended=float("inf")), "end in time"),
        (jobs(value=None), "saw None as a right result"),
        (jobs(value=-5.2), "saw -5.2 as a right result"),
        (jobs(value=float("nan")), "saw nan as a right result"),
        (jobs(status=0), "as a right result"),
    ],
    ids=[
        *("one-second-for-all", "one-time-for-all", "steady", "more-than-sent", "twice", "twice-and-sent"),
        *("no-visits", "half-the-visits", "visits-without-a-request", "longer-than-visits", "no-users"),
        *("fewer-users", "more-users", "judged-for-less", "another-hold", "held-longer", "a-hold-twice"),
        *("a-class-left-out", "of-no-time", "jobs-of-nobody", "more-right-than-asked"),
        *("new-on-no-hold", "new-by-no-method", "more-new-ones", "new-twice", "new-before", "ended-before"),
        *(
            "ended-never",
            "right-without-a-value",
            "right-out-of-bounds",
            "right-no-number",
            "right-unanswered",
        ),
    ],
)
def test_what_no_load_test_measures(change: Change, reason: str) -> None:
    result = simulated(SMOKE)
    assert impossible(result) == []

    why = cannot_be(change(result))
    assert reason in why


def test_every_reason_is_said() -> None:
    """Nothing else has them; alike ones are counted."""
    result = jobs(value=None)(simulated(SMOKE))
    reasons = impossible(result)
    assert len(reasons) > len(set(reasons)) > 3

    why = cannot_be(result)
    assert [reason for reason in reasons if reason not in why] == []
    assert " times)" in why


@pytest.mark.parametrize(
    "change",
    [jobs(wrong="HTTP 500", value=None, status=500), jobs(value=-5070.0), jobs(status=202)],
    ids=["none-right", "a-thousandth", "taken"],
)
def test_new_jobs_that_can_be(change: Change) -> None:
    """Wrong ones are for the line that is about them."""
    assert cannot_be(change(simulated(SMOKE))) == ""


def test_the_same_new_jobs_in_two_results() -> None:
    """What is new in one is not in the other."""
    first, second = simulated(SMOKE), simulated(QUICK.lasting(60), seed=2)

    assert not same_series([first, second])
    assert same_series([first, replace(second, new_jobs=first.new_jobs)])


def test_failures_that_are_listed_nowhere() -> None:
    result = simulated(SMOKE, answer=fails)

    assert "failures by second" in cannot_be(replace(result, failures=()))


@pytest.mark.parametrize(
    ("think", "users"),
    [((40.0, 66.0), 1500), ((4.0, 6.0), 1500), ((2.5, 6.0), 100), ((0.5, 1.0), 100), ((1.0, 2.0), 10)],
)
def test_users_pauses_and_throughput_that_do_not_meet(think: tuple[float, float], users: int) -> None:
    """1,500 users at 28 requests a second; and less plain ones."""
    ramp = replace(QUICK, levels=(Level(users, 10, 40),))

    assert "they do not meet" in cannot_be(simulated(ramp, think=think))
    assert cannot_be(simulated(ramp)) == ""


def test_arrivals_that_are_not_those_of_the_rate() -> None:
    ramp = replace(RATE, rate=100, levels=(Level(3000, 5, 30),))
    result = simulated(replace(ramp, rate=50))

    assert "arrivals" in cannot_be(replace(result, ramp=ramp))


def test_one_measurement_for_two_ramps() -> None:
    """The second file is a copy of the first under another name."""
    smoke = simulated(SMOKE)

    assert same_series([smoke, replace(smoke, ramp=QUICK)])
    assert not same_series([smoke, simulated(SMOKE, seed=2)])
