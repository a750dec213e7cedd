"""Judging a load test: whole holds, what must never pass, and the SLOs of the runbook."""

from array import array
from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
from tests_self.fast.slo.slos.measured import (
    FAILED,
    GOOD,
    PASSED,
    UNDECIDED,
    UNREACHABLE,
    Requests,
    of,
    second,
    seeded,
)

from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.slo.holds import Bad, Hold, Second
from noxgate.slo.slos import Slo, SloOutcome, judge, limits_by_class, overall, read_slos

P95 = Slo("staging.slo-p95", Bad.SLOW, 0.05, 300, seconds=0.3, apart="science", each=True)
ERRORS = Slo("staging.slo-errors", Bad.FAILED, 0.05, 300)
NO_5XX = Slo("staging.slo-no-5xx", Bad.SERVER_ERROR, 0, 300)


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


@pytest.mark.parametrize(("slow", "outcome"), [(2, PASSED), (5, UNDECIDED), (10, FAILED), (100, FAILED)])
def test_slow_requests(slow: int, outcome: SloOutcome) -> None:
    """Also when all of them are."""
    assert of(P95, steady(slow=slow)).outcome is outcome


@pytest.mark.parametrize(
    ("milliseconds", "outcome"),
    [(285, PASSED), (297, PASSED), (299.9, PASSED), (300.1, FAILED), (303, FAILED)],
)
def test_true_p95_around_the_limit(milliseconds: float, outcome: SloOutcome) -> None:
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
def test_failures(failed: int, outcome: SloOutcome) -> None:
    """All classes together."""
    judgements = judge(ERRORS, steady(failed=failed))

    assert [judgement.outcome for judgement in judgements] == [outcome]
    assert judgements[0].requests == 2400


def test_wrong_answers_are_answers() -> None:
    """A refused connection is a failure, but no wrong answer."""
    wrong = replace(ERRORS, bad=Bad.WRONG, share=0.02)

    assert of(wrong, steady(failed=6, outcome=(0, "refused"))).bad == 0
    assert of(wrong, steady(failed=6, outcome=(200, "check"))).outcome is FAILED


@pytest.mark.parametrize("outcome", [(401, "status"), (503, "status"), (0, "reset"), (200, "check")])
@pytest.mark.parametrize("slow", [0, 5, 100])
def test_what_fails_at_once_has_no_response_time(outcome: tuple[int, str], slow: int) -> None:
    """A token that is refused, or a service that is away, answers in 2 ms: no p95 is kept by that."""
    judgement = of(P95, steady(slow=slow, failed=100, outcome=outcome))

    assert judgement.outcome is (FAILED if slow == 100 else UNREACHABLE)
    assert slow == 100 or judgement.reason == "no right answer of data: what fails has no response time"
    assert of(P95, steady(failed=99, outcome=outcome)).outcome is PASSED
    assert of(ERRORS, steady(failed=100, outcome=outcome)).outcome is FAILED


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
        "an edge that wants a certificate": steady(failed=1, outcome=(400, "client certificate")),
        "script": steady(failed=1, outcome=(0, "script")),
        "killed": steady(failed=1, outcome=(0, "killed")),
        "stall within windows": replace(good, window=10, seconds={"data": gap, "science": gap}),
    }

    for name, on in broken.items():
        judgements = judge(slo, on)
        assert judgements, name
        assert overall(judgements) is UNREACHABLE, name
        assert all(judgement.reason for judgement in judgements), name


def test_slo_of_a_class_that_is_not_there() -> None:
    """No samples is not all samples good."""
    auth = Slo("staging.slo-auth-success", Bad.FAILED, 0.02, 300, only="auth")

    assert judge(auth, steady())[0].reason == "no samples: no class auth on this hold"


def test_counted_by_other_limits() -> None:
    """The runbook's limit has changed since."""
    judgement = of(replace(P95, seconds=0.25), steady())

    assert judgement.outcome is UNREACHABLE
    assert "0.25 s were not counted" in judgement.reason


def test_5xx_is_one_even_where_the_rest_proves_nothing() -> None:
    """A busy generator does not make the target answer 503; but it makes requests slow."""
    on = replace(steady(slow=50, failed=5), spoiled=("the generator was 60 ms late",))

    assert of(NO_5XX, on).outcome is FAILED
    assert of(P95, on).outcome is of(ERRORS, on).outcome is UNREACHABLE


def test_planned_pause_is_no_stall() -> None:
    """Nothing was to be sent in it."""
    good = steady()
    pause = frozenset(range(1030, 1036))
    some = {at: what for at, what in good.seconds["data"].items() if at not in pause}
    on = replace(good, seconds={"data": some, "science": some})

    assert of(P95, on).outcome is UNREACHABLE
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

    assert judgement.outcome is UNDECIDED
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
    ("over", "shown", "outcome"), [(0, 0.3002, PASSED), (20, 0.2998, FAILED), (1, 0.3002, UNDECIDED)]
)
def test_rounded_times_do_not_contradict_exact_counts(over: int, shown: float, outcome: SloOutcome) -> None:
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
    undecided, unseen = of(P95, steady(slow=5)), of(P95, replace(steady(), spoiled=("it was late",)))

    assert overall([]) is UNREACHABLE
    assert overall([passed, passed]) is PASSED
    assert overall([passed, undecided]) is UNDECIDED
    assert overall([unseen, undecided, passed]) is UNREACHABLE
    assert overall([undecided, failed, unseen, passed]) is FAILED


def test_what_is_near_its_limit_and_was_not_wholly_measured_is_unreachable() -> None:
    """A waiver accepts what was measured, and only that."""
    near = steady(slow=5)
    gap = {at: what for at, what in near.seconds["data"].items() if at not in range(1030, 1036)}

    assert of(P95, near).outcome is UNDECIDED
    assert of(P95, replace(near, spoiled=("it was late",))).outcome is UNREACHABLE
    assert of(P95, replace(near, window=10, seconds={"data": gap, "science": gap})).outcome is UNREACHABLE


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
