"""Judging a load test: the decision rule, and what seconds and windows add up to."""

import random
from array import array
from collections import Counter
from math import inf, nan
from typing import Any

import pytest
from tests_self.fast.slo.slos.measured import (
    FAILED,
    GOOD,
    PASSED,
    UNDECIDED,
    UNREACHABLE,
    second,
    seeded,
)

from noxgate.slo.confidence import (
    Counts,
    wilson,
)
from noxgate.slo.holds import Second, in_windows, total
from noxgate.slo.slos import SloOutcome, decide


@pytest.mark.parametrize(
    ("windows", "outcome", "reason"),
    [
        ([], UNREACHABLE, "no samples"),
        ([(0, 0)] * 60, UNREACHABLE, "no samples"),
        ([(299, 0)], UNREACHABLE, "only 1 window"),
        ([(10_000, 0)], UNREACHABLE, "only 1 window"),
        ([(150, 0), (149, 0)], UNREACHABLE, "299 of at least 300"),
        ([(150, 0), (150, 0)], PASSED, "below"),
        ([(150, 150), (149, 149)], UNREACHABLE, "299 of at least 300"),
        ([(150, 150), (150, 150)], FAILED, "above"),
        ([(150, 0), (150, 0), (0, 0)], UNREACHABLE, "1 of 3 windows had no request"),
        ([(150, 150), (150, 150), (0, 0)], FAILED, "above"),
        ([(100, 5)] * 60 + [(0, 0)], UNREACHABLE, "1 of 61 windows had no request"),
        ([(100, 5)] * 60, UNDECIDED, "too close for any hold"),
        ([(100, 3)] * 60, PASSED, "below"),
        ([(100, 8)] * 60, FAILED, "above"),
        ([(100, 4)] * 8, UNDECIDED, "2.6 times as long"),
        ([(100, 0)] * 59 + [(100, 100)], UNDECIDED, "would settle"),
        ([(nan, 0), (300, 0)], UNREACHABLE, "damaged"),
        ([(300, nan), (300, 0)], UNREACHABLE, "damaged"),
        ([(inf, 0), (300, 0)], UNREACHABLE, "damaged"),
        ([(300, -1), (300, 0)], UNREACHABLE, "damaged"),
        ([(300, 301), (300, 0)], UNREACHABLE, "damaged"),
    ],
)
def test_decision(windows: list[Counts], outcome: SloOutcome, reason: str) -> None:
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
        if decision.outcome is UNREACHABLE:
            assert total(windows)[0] < 300 or not all(requests for requests, _ in windows)
        else:
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
