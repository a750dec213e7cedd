"""Judging a load test: intervals, the decision rule, and what must never pass."""

import random
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import comb, inf, nan
from typing import Any

import pytest

from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.slo.confidence import (
    Counts,
    none_of,
    percentile,
    percentile_interval,
    rising,
    share_interval,
    wilson,
)
from noxgate.slo.holds import Bad, Hold, Second, in_windows, total
from noxgate.slo.slos import Outcome, Slo, SloJudgement, decide, judge, limits_by_class, overall, read_slos

PASSED, FAILED, NOT_DECIDED = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_DECIDED
P95 = Slo("staging.slo-p95", Bad.SLOW, 0.05, 300, seconds=0.3, apart="science", each=True)
ERRORS = Slo("staging.slo-errors", Bad.FAILED, 0.05, 300)
NO_5XX = Slo("staging.slo-no-5xx", Bad.SERVER_ERROR, 0, 300)
GOOD = (200, "")

Requests = Sequence[tuple[float, int, str]]  # seconds, status, reason


def seeded(seed: int) -> random.Random:
    """The same chance each time."""
    return random.Random(seed)  # noqa: S311


def second(requests: Requests) -> Second:
    """What a recorder makes of requests."""
    over = {limit: sum(time > limit for time, *_ in requests) for limit in (0.3, 0.5, 2.0)}
    outcomes = Counter((status, reason) for _, status, reason in requests)
    return Second(array("d", [time for time, *_ in requests]), outcomes, over)


def hold(each: Callable[[str, int], Requests], *, seconds: int = 60, window: int = 1) -> Hold:
    """A hold from second 1000 on, with two classes: what `each` class does in each second of it."""
    classes = ("data", "science")
    measured = {
        name: {1000 + at: second(each(name, at)) for at in range(seconds) if each(name, at)}
        for name in classes
    }
    return Hold("100 users", 1000, 1000 + seconds, classes, measured, window)


def steady(slow: int = 0, failed: int = 0, outcome: tuple[int, str] = (500, "status")) -> Hold:
    """20 requests a second and class; so many of every 100 are slow or fail."""

    def each(_: str, at: int) -> Requests:
        numbers = range(at * 20, at * 20 + 20)
        return [
            (
                0.4 if number * 37 % 100 < slow else 0.1,
                *(outcome if (number * 37 + 50) % 100 < failed else GOOD),
            )
            for number in numbers
        ]

    return hold(each)


def of(slo: Slo, on: Hold, name: str = "data") -> SloJudgement:
    """The judgement about one class, or about all together."""
    return {judgement.name: judgement for judgement in judge(slo, on)}[name if slo.each else slo.only]


# ---- intervals


def test_wilson_is_the_published_one() -> None:
    """Table I of R. G. Newcombe, Statist. Med. 17 (1998), 857, method 3."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_wilson_covers(share: float) -> None:
    """Exactly, by summing binomial probabilities: close to 95 %."""
    requests = 400
    covered = sum(
        comb(requests, bad) * share**bad * (1 - share) ** (requests - bad)
        for bad in range(requests + 1)
        if wilson(bad, requests)[0] <= share <= wilson(bad, requests)[1]
    )

    assert 0.93 < covered < 0.97


def test_none_of_many_is_no_proof_of_none() -> None:
    """The rule of three."""
    assert none_of(300) == pytest.approx(0.00994, abs=1e-5)
    assert (1 - none_of(300)) ** 300 == pytest.approx(0.05)


def test_bursts_widen_the_interval() -> None:
    """The same counts: spread evenly, and all in one window."""
    even, evenly = share_interval([(100, 3)] * 60)
    burst, in_bursts = share_interval([(100, 0)] * 58 + [(100, 80), (100, 100)])

    assert even.measured == burst.measured == pytest.approx(0.03)
    assert evenly == 1
    assert in_bursts > 80
    assert burst.low < even.low
    assert (burst.high or 0) > 2 * (even.high or 1)


def test_percentile_is_the_nearest_rank() -> None:
    """Also where the share times the count is whole but its float is not."""
    times = [float(number) for number in range(1, 101)]

    assert [percentile(times, share) for share in (0.07, 0.5, 0.95, 0.999, 1)] == [7, 50, 95, 100, 100]
    assert percentile([7.0], 0.95) == 7


def test_percentile_lies_in_its_interval_about_as_often_as_it_says() -> None:
    """Of exponential times, whose true p95 is known."""
    chance = seeded(5)
    true, seen = 2.995732, 0
    for _ in range(200):
        windows = [sorted(chance.expovariate(1) for _ in range(30)) for _ in range(20)]
        interval = percentile_interval(windows, 0.95)
        assert interval.low <= interval.measured <= (interval.high or inf)
        seen += interval.low <= true <= (interval.high or inf)

    assert seen >= 182


def test_too_few_for_an_upper_end() -> None:
    """Of 40 requests none is surely above the p95."""
    assert percentile_interval([[0.1] * 20, [0.2] * 20], 0.95).high is None


def test_percentile_interval_and_decision_never_disagree() -> None:
    """At any limit, for any times: below the interval fails, above it passes, within it is not decided."""
    chance = seeded(6)
    for _ in range(60):
        slowness = chance.choice([0, 0.1, 0.5])
        windows = []
        for _ in range(chance.randint(2, 30)):
            factor = 10 if chance.random() < slowness else 1
            windows.append(sorted(factor * chance.expovariate(10) for _ in range(chance.randint(1, 60))))
        interval = percentile_interval(windows, 0.95)
        for limit in (interval.low * 0.999, interval.low, (interval.high or 9) * 0.999, interval.high or 9):
            counts = [(len(window), sum(time > limit for time in window)) for window in windows]
            outcome = decide(counts, 0.05, minimum=1).outcome
            if limit < interval.low:
                assert outcome is FAILED
            elif interval.high is not None and limit >= interval.high:
                assert outcome is PASSED
            else:
                assert outcome is NOT_DECIDED


def test_rising() -> None:
    """A trend is seen through noise, and none in noise."""
    chance = seeded(7)
    noise = [chance.gauss(0, 1) for _ in range(60)]

    assert rising(noise) is None
    assert rising([-at / 10 + value for at, value in enumerate(noise)]) is None
    assert rising([at / 10 + value for at, value in enumerate(noise)]) == pytest.approx(0.1, abs=0.03)
    assert rising([1.0] * 60) is None
    assert rising([]) is rising([1.0]) is None


# ---- the decision


@pytest.mark.parametrize(
    ("windows", "outcome", "reason"),
    [
        ([], NOT_DECIDED, "no samples"),
        ([(0, 0)] * 60, NOT_DECIDED, "no samples"),
        ([(299, 0)], NOT_DECIDED, "only 1 window"),
        ([(10_000, 0)], NOT_DECIDED, "only 1 window"),
        ([(150, 0), (149, 0)], NOT_DECIDED, "299 of at least 300"),
        ([(150, 0), (150, 0)], PASSED, "below"),
        ([(150, 150), (149, 149)], NOT_DECIDED, "299 of at least 300"),
        ([(150, 150), (150, 150)], FAILED, "above"),
        ([(150, 0), (150, 0), (0, 0)], NOT_DECIDED, "1 of 3 windows had no request"),
        ([(150, 150), (150, 150), (0, 0)], FAILED, "above"),
        ([(100, 5)] * 60, NOT_DECIDED, "too close for any hold"),
        ([(100, 3)] * 60, PASSED, "below"),
        ([(100, 8)] * 60, FAILED, "above"),
        ([(100, 4)] * 8, NOT_DECIDED, "2.6 times as long"),
        ([(100, 0)] * 59 + [(100, 100)], NOT_DECIDED, "would settle"),
        ([(nan, 0), (300, 0)], NOT_DECIDED, "damaged"),
        ([(300, nan), (300, 0)], NOT_DECIDED, "damaged"),
        ([(inf, 0), (300, 0)], NOT_DECIDED, "damaged"),
        ([(300, -1), (300, 0)], NOT_DECIDED, "damaged"),
        ([(300, 301), (300, 0)], NOT_DECIDED, "damaged"),
    ],
)
def test_decision(windows: list[Counts], outcome: Outcome, reason: str) -> None:
    """Limit 5 %."""
    decision = decide(windows, 0.05, minimum=300)

    assert decision.outcome is outcome
    assert reason in decision.reason


def windows_of(chance: random.Random) -> list[Counts]:
    """Any windows."""
    windows = []
    share = chance.choice([0, 0.02, 0.05, 0.1, 1])
    for _ in range(chance.randint(2, 40)):
        requests = chance.randint(0, 60)
        windows.append((requests, sum(chance.random() < share for _ in range(requests))))
    return windows


def test_decision_properties() -> None:
    """Order of windows does not matter; worse never turns better; the interval says what the outcome says."""
    chance = seeded(8)
    for _ in range(400):
        windows = windows_of(chance)
        decision = decide(windows, 0.05, minimum=300)
        shuffled = chance.sample(windows, len(windows))
        assert decide(shuffled, 0.05, minimum=300).outcome is decision.outcome

        looser = decide(windows, 0.08, minimum=300).outcome
        stricter = decide(windows, 0.02, minimum=300).outcome
        if decision.outcome is PASSED:
            assert looser is PASSED
            assert all(requests for requests, _ in windows)
        if decision.outcome is FAILED:
            assert stricter is FAILED
        if decision.outcome is not NOT_DECIDED:
            assert decision.share is not None
            assert total(windows)[0] >= 300
            assert (decision.share.low > 0.05) is (decision.outcome is FAILED)
            assert ((decision.share.high or 1) < 0.05) is (decision.outcome is PASSED)


def test_what_would_settle_it_settles_it() -> None:
    """As many times as long as it says, if it goes on like this, and the outcome is one."""
    decision = decide([(100, 4)] * 8, 0.05, minimum=300)

    assert "2.6 times" in decision.reason
    assert decide([(100, 4)] * 21, 0.05, minimum=300).outcome is PASSED


def test_false_passes_at_the_limit_are_rare() -> None:
    """Of 60 windows, true share 5 %; benchmarks/slo_boundary.py has more."""
    chance = seeded(9)
    passed = Counter[str]()
    for _ in range(300):
        windows = [(40, sum(chance.random() < 0.05 for _ in range(40))) for _ in range(60)]
        passed["independent"] += decide(windows, 0.05, minimum=300).outcome is PASSED
        windows = [(40, 40 if chance.random() < 0.05 else 0) for _ in range(60)]
        passed["bursts"] += decide(windows, 0.05, minimum=300).outcome is PASSED
        requests, bad = total(windows)
        passed["bursts, Wilson alone"] += wilson(bad, requests)[1] < 0.05

    assert passed["independent"] <= 15
    assert passed["bursts"] <= 40
    assert passed["bursts, Wilson alone"] > 75


# ---- seconds and windows


def test_adding_loses_nothing() -> None:
    """However the requests were spread over workers, in any order in which they are added."""
    chance = seeded(10)
    requests = [
        (chance.random(), chance.choice([200, 503]), chance.choice(["", "check"])) for _ in range(300)
    ]
    whole = second(requests)
    parts: list[list[tuple[float, int, str]]] = [[], [], []]
    for request in requests:
        chance.choice(parts).append(request)
    first, *others = chance.sample([second(part) for part in parts], 3)
    for other in others:
        first += other

    assert sorted(first.times) == sorted(whole.times)
    assert first.outcomes == whole.outcomes
    assert first.over == whole.over


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ((array("d", [0.1]), {}, {}), "outcomes of 1 requests"),
        ((array("d"), {GOOD: 1}, {}), "outcomes of 0 requests"),
        ((array("d", [0.1]), {GOOD: 2, (500, ""): -1}, {}), "outcomes"),
        ((array("d", [0.1]), {GOOD: 1}, {0.3: 2}), "over a limit"),
        ((array("d", [nan]), {GOOD: 1}, {}), "response times"),
        ((array("d", [inf]), {GOOD: 1}, {}), "response times"),
        ((array("d", [-0.1]), {GOOD: 1}, {}), "response times"),
    ],
)
def test_impossible_seconds(arguments: tuple[Any, ...], seen: str) -> None:
    """They are refused, not judged."""
    with pytest.raises(ValueError, match=seen):
        Second(*arguments)


def test_other_limits_are_not_added() -> None:
    """A worker of another release."""
    with pytest.raises(ValueError, match="over"):
        Second(over={0.3: 0}) + Second(over={0.4: 0})


def test_windows_lose_nothing() -> None:
    """The rest belongs to the last whole one; a hold shorter than a window is one."""
    assert [len(part) for part in in_windows(range(60), 5)] == [5] * 12
    assert [len(part) for part in in_windows(range(63), 5)] == [5] * 11 + [8]
    assert [len(part) for part in in_windows(range(3), 5)] == [3]
    assert [number for part in in_windows(range(63), 5) for number in part] == list(range(63))


# ---- holds


def test_good_hold_passes() -> None:
    """With what a row of the table needs."""
    judgement = of(P95, steady(slow=2))

    assert judgement.outcome is PASSED
    assert (judgement.requests, judgement.bad, judgement.windows) == (1200, 24, 60)
    assert judgement.share is not None
    assert judgement.share.measured == pytest.approx(0.02)
    assert judgement.seconds is not None
    assert judgement.seconds.low <= 0.1 == judgement.seconds.measured
    assert judgement.rising is None


@pytest.mark.parametrize(("slow", "outcome"), [(2, PASSED), (5, NOT_DECIDED), (10, FAILED), (100, FAILED)])
def test_slow_requests(slow: int, outcome: Outcome) -> None:
    """Also when all of them are."""
    assert of(P95, steady(slow=slow)).outcome is outcome


@pytest.mark.parametrize(
    ("milliseconds", "outcome"),
    [(285, PASSED), (297, PASSED), (299.9, PASSED), (300.1, FAILED), (303, FAILED)],
)
def test_true_p95_around_the_limit(milliseconds: float, outcome: Outcome) -> None:
    """Slow ones of one constant time each, 10 % of all: this is p95, known exactly."""

    def each(_: str, at: int) -> Requests:
        return [(milliseconds / 1000 if number % 10 == at % 10 else 0.02, 200, "") for number in range(20)]

    judgement = of(P95, hold(each))

    assert judgement.outcome is outcome
    assert judgement.seconds is not None
    assert judgement.seconds.measured == milliseconds / 1000


def test_only_one_class_slow() -> None:
    """The others' many requests do not hide it; science has a limit of its own."""

    def each(name: str, at: int) -> Requests:
        slow = name == "science" or at % 2
        return [(1.0 if slow else 0.1, 200, "")] * 20

    judgements = judge(P95, hold(each))

    assert [(judgement.name, judgement.outcome) for judgement in judgements] == [("data", FAILED)]
    science = Slo("staging.slo-science-p95", Bad.SLOW, 0.05, 300, seconds=2, only="science")
    assert of(science, hold(each)).outcome is PASSED


@pytest.mark.parametrize(("failed", "outcome"), [(0, PASSED), (2, PASSED), (9, FAILED)])
def test_failures(failed: int, outcome: Outcome) -> None:
    """All classes together."""
    judgements = judge(ERRORS, steady(failed=failed))

    assert [judgement.outcome for judgement in judgements] == [outcome]
    assert judgements[0].requests == 2400


def test_wrong_answers_are_answers() -> None:
    """A refused connection is a failure, but no wrong answer."""
    wrong = replace(ERRORS, bad=Bad.WRONG, share=0.02)

    assert of(wrong, steady(failed=6, outcome=(0, "refused"))).bad == 0
    assert of(wrong, steady(failed=6, outcome=(200, "check"))).outcome is FAILED


def test_single_503() -> None:
    """One of 2,400 fails; none passes, and says what that is worth."""

    def each(_: str, at: int) -> Requests:
        return [(0.1, 503 if at == 30 and number == 3 else 200, "") for number in range(20)]

    failed, passed = of(NO_5XX, hold(each)), of(NO_5XX, steady())

    assert (failed.outcome, passed.outcome) == (FAILED, PASSED)
    assert failed.worst is not None
    assert failed.worst.after in range(21, 31)
    assert passed.share is not None
    assert passed.share.high == pytest.approx(3 / 2400, rel=0.01)


@pytest.mark.parametrize("slo", [P95, ERRORS, NO_5XX], ids=lambda slo: slo.line)
def test_never_passes(slo: Slo) -> None:
    """In every case of what was not measured, or not of the target."""
    good = steady()
    data = good.seconds["data"]
    gap = {at: what for at, what in data.items() if at not in {1030, 1031}}
    broken = {
        "nothing": replace(good, seconds={}),
        "nothing of this class": replace(good, seconds={**good.seconds, "data": {}}),
        "class unknown": replace(good, classes=()),
        "no time": replace(good, end=1000),
        "all quiet": replace(good, quiet=frozenset(range(1000, 1060))),
        "few": replace(good, end=1007, window=1),
        "empty windows": replace(good, seconds={"data": gap, "science": gap}),
        "generator busy": replace(good, spoiled=("the generator was 60 ms late",)),
        "limiter": steady(failed=1, outcome=(429, "status")),
        "script": steady(failed=1, outcome=(0, "script")),
        "killed": steady(failed=1, outcome=(0, "killed")),
        "stall within windows": replace(good, window=10, seconds={"data": gap, "science": gap}),
    }

    for name, on in broken.items():
        judgements = judge(slo, on)
        assert judgements, name
        assert overall(judgements) is NOT_DECIDED, name
        assert all(judgement.reason for judgement in judgements), name


def test_slo_of_a_class_that_is_not_there() -> None:
    """No samples is not all samples good."""
    auth = Slo("staging.slo-auth-success", Bad.FAILED, 0.02, 300, only="auth")

    assert judge(auth, steady())[0].reason == "no samples: no class auth on this hold"


def test_counted_by_other_limits() -> None:
    """The runbook's limit has changed since."""
    judgement = of(replace(P95, seconds=0.25), steady())

    assert judgement.outcome is NOT_DECIDED
    assert "0.25 s were not counted" in judgement.reason


def test_5xx_is_one_even_where_the_rest_proves_nothing() -> None:
    """A busy generator does not make the target answer 503; but it makes requests slow."""
    on = replace(steady(slow=50, failed=5), spoiled=("the generator was 60 ms late",))

    assert of(NO_5XX, on).outcome is FAILED
    assert of(P95, on).outcome is of(ERRORS, on).outcome is NOT_DECIDED


def test_planned_pause_is_no_stall() -> None:
    """Nothing was to be sent in it."""
    good = steady()
    pause = frozenset(range(1030, 1036))
    some = {at: what for at, what in good.seconds["data"].items() if at not in pause}
    on = replace(good, seconds={"data": some, "science": some})

    assert of(P95, on).outcome is NOT_DECIDED
    assert of(P95, replace(on, quiet=pause)).outcome is PASSED


def test_slow_class_may_pause() -> None:
    """Of two requests a second on average, a second without one is chance and no stall."""
    chance = seeded(11)
    counts = [sum(chance.random() < 0.02 for _ in range(100)) for _ in range(300)]
    on = hold(lambda _, at: [(0.1, 200, "")] * counts[at], seconds=300, window=10)

    assert 0 in counts
    assert of(P95, on).outcome is PASSED


def test_stall_of_two_seconds_in_ten() -> None:
    """Measured from when they were to be sent, the requests of a stall are slow; the rest is fast."""

    def each(_: str, at: int) -> Requests:
        stalled = {8: 1.5, 9: 0.5}.get(at % 10, 0.0)
        return [(0.02 + stalled, 200, "")] * 20

    judgement = of(P95, hold(each, window=5))

    assert judgement.outcome is FAILED
    assert judgement.seconds is not None
    assert judgement.seconds.measured == pytest.approx(1.52)


def test_one_bad_window_is_seen() -> None:
    """1.7 % of all requests would pass alone; in one window they are a burst, and where it was is said."""

    def each(_: str, at: int) -> Requests:
        return [(0.9 if 130 <= at < 135 else 0.02, 200, "")] * 20

    judgement = of(P95, hold(each, seconds=300, window=5))

    assert judgement.outcome is NOT_DECIDED
    assert judgement.burst > 50
    assert judgement.worst is not None
    assert judgement.worst.after in range(125, 131)
    assert (judgement.worst.bad, judgement.worst.requests) == (100, 200)


def test_getting_slower_is_seen() -> None:
    """Passed so far, with the trend beside it."""
    judgement = of(P95, hold(lambda _, at: [(0.1 + at / 1000, 200, "")] * 20, window=5))

    assert judgement.outcome is PASSED
    assert judgement.rising == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("over", "shown", "outcome"), [(0, 0.3002, PASSED), (20, 0.2998, FAILED), (1, 0.3002, NOT_DECIDED)]
)
def test_rounded_times_do_not_contradict_exact_counts(over: int, shown: float, outcome: Outcome) -> None:
    """What is shown gives way."""
    what = Second(array("f", [shown] * 20), {GOOD: 20}, {0.3: over})
    seconds = {"data": dict.fromkeys(range(1000, 1060), what)}
    judgement = of(P95, Hold("100 users", 1000, 1060, ("data",), seconds, 1))

    assert judgement.outcome is outcome
    assert judgement.seconds is not None
    low, measured, high = judgement.seconds.low, judgement.seconds.measured, judgement.seconds.high
    assert low <= measured <= (high or inf)
    if outcome is PASSED:
        assert high == 0.3
    elif outcome is FAILED:
        assert low == 0.3
    else:
        assert low <= 0.3 <= (high or inf)


def test_overall() -> None:
    """Worst first; nothing is not passed."""
    passed, failed = of(P95, steady()), of(P95, steady(slow=50))
    undecided = of(P95, steady(slow=5))

    assert overall([]) is NOT_DECIDED
    assert overall([passed, passed]) is PASSED
    assert overall([passed, undecided]) is NOT_DECIDED
    assert overall([undecided, failed, passed]) is FAILED


# ---- the runbook


@pytest.fixture
def slos(pytestconfig: pytest.Config) -> dict[str, Slo]:
    """The runbook's."""
    lines = read_runbook(pytestconfig.rootpath / "runbook.toml").lines
    return {slo.line.removeprefix("staging.slo-"): slo for slo in read_slos(lines)}


def test_limits_are_the_runbooks(slos: dict[str, Slo]) -> None:
    """As it says in its lines 155 to 164."""
    assert {name: (slo.share, slo.minimum, slo.seconds) for name, slo in slos.items()} == {
        "p95": (0.05, 300, 0.3),
        "p99": (0.01, 400, 0.5),
        "science-p95": (0.05, 300, 2.0),
        "errors": (0.05, 300, inf),
        "api-errors": (0.02, 300, inf),
        "auth-success": (0.02, 300, inf),
        "no-5xx": (0, 300, inf),
    }


def test_what_a_recorder_has_to_count(slos: dict[str, Slo]) -> None:
    """By class, as its requests are judged."""
    assert limits_by_class(slos.values(), ["auth", "science"]) == {"auth": (0.3, 0.5), "science": (2.0,)}


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        ("staging.slo-p95", {"p95_ms": 0}),
        ("staging.slo-p95", {"p95_ms": 300, "samples": 0}),
        ("staging.slo-errors", {"errors_percent": 100}),
        ("staging.slo-auth-success", {"success_percent": 100}),
        ("staging.slo-no-5xx", {"errors_5xx": 1}),
    ],
)
def test_limits_that_are_none(line: str, limits: dict[str, float], pytestconfig: pytest.Config) -> None:
    """Named with their line; whether the limit is there at all, the loader has asked."""
    lines = dict(read_runbook(pytestconfig.rootpath / "runbook.toml").lines)
    lines[line] = replace(lines[line], limits=limits)

    with pytest.raises(RunbookError, match=line):
        read_slos(lines)
