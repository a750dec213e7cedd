"""Judging a load test: what a share and a percentile may be, by Wilson and by rank."""

from math import comb, inf

import pytest
from tests_self.fast.slo.slos.measured import FAILED, PASSED, UNDECIDED, seeded

from noxgate.slo.confidence import (
    none_of,
    percentile,
    percentile_interval,
    rising,
    share_interval,
    wilson,
)
from noxgate.slo.slos import decide


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
    """At any limit, for any times: below the interval fails, above it passes, within it is undecided."""
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
                assert outcome is UNDECIDED


def test_rising() -> None:
    """A trend is seen through noise, and none in noise."""
    chance = seeded(7)
    noise = [chance.gauss(0, 1) for _ in range(60)]

    assert rising(noise) is None
    assert rising([-at / 10 + value for at, value in enumerate(noise)]) is None
    assert rising([at / 10 + value for at, value in enumerate(noise)]) == pytest.approx(0.1, abs=0.03)
    assert rising([1.0] * 60) is None
    assert rising([]) is rising([1.0]) is None
