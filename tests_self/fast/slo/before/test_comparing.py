"""Two load tests compared: ratios, their intervals, and what they decide."""

import random
from collections.abc import Container
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from tests_self.fast.slo.before.measured import LIMITS, MACHINE, like, measured

from noxgate.slo.before.judging import (
    ERRORS,
    Compared,
    VersionTimes,
    compared,
    overall,
    percentiles,
    told,
)
from noxgate.slo.before.loads import beside, unlike
from noxgate.slo.before.ratio import Ratio, Timed, percentile_of, ratio, share_of, student
from noxgate.slo.confidence import Interval
from noxgate.slo.result import NAME, Result, read, write
from noxgate.slo.slos import SloOutcome


@pytest.mark.parametrize(("free", "expected"), [(9, 2.262), (19, 2.093), (59, 2.001)])
def test_students_distribution(free: int, expected: float) -> None:
    """Against its tables, at 95 %."""
    assert student(0.95, free) == pytest.approx(expected, rel=0.001)


def test_bursts_longer_than_a_window_make_an_interval_wider() -> None:
    """The same counts in turns, and in two long bursts: by single windows both look alike."""
    turns = [(100, 20 if number % 2 else 0) for number in range(60)]
    bursts = [(100, 20 if number % 30 < 15 else 0) for number in range(60)]

    assert share_of(turns).measured == share_of(bursts).measured == 0.1
    assert width(share_of(bursts)) > 2 * width(share_of(turns))


def width(interval: Interval) -> float:
    assert interval.high is not None
    return interval.high - interval.low


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """The ratio of two medians that are equal, on requests that come in bursts of slow ones."""
    rng = random.Random(3)  # noqa: S311
    held = 0
    for _ in range(200):
        sides = [percentile_of(bursty(rng), 0.5) for _ in range(2)]
        found = ratio(sides[0], sides[1])
        held += found.low <= 1 <= found.high

    assert held >= 180  # of 190, less three standard deviations


def bursty(rng: random.Random) -> Timed:
    """Sixty windows; a fifth of them, several in a row, is slow."""
    slow, windows = False, []
    for _ in range(60):
        slow = rng.random() < (0.7 if slow else 0.08)
        windows.append(sorted((1.6 if slow else 1) * rng.lognormvariate(-3, 0.4) for _ in range(40)))
    return Timed(windows)


def test_a_ratio_without_an_end() -> None:
    """Nothing is surely beyond the percentile: there is no greatest ratio."""
    found = ratio(Interval(2.0, 1.0, None), Interval(1.0, 0.5, 2.0))

    assert (found.measured, found.high) == (2.0, inf)
    assert ratio(Interval(1.0, 0.0, 2.0), Interval(1.0, 0.5, 2.0)).low == 0


def test_none_at_all_has_no_ratio_and_no_error() -> None:
    """Response times of 0, and windows of one time each."""
    still = Timed([[0.0]] * 12)

    assert percentile_of(still, 0.5).measured > 0
    assert isinstance(ratio(percentile_of(still, 0.5), percentile_of(still, 0.99)), Ratio)


def outcomes(found: list[Compared]) -> set[tuple[str, SloOutcome | None]]:
    return {(one.what, one.outcome) for one in found}


def test_the_same_is_not_slower(before: Result) -> None:
    """Healthy: every class passes at the median, and p99 has too few requests to say anything."""
    found = beside(measured(like(1)), before, LIMITS)

    assert overall(found) is SloOutcome.PASSED
    assert {one.where.partition(" ")[0] for one in found} == set(before.classes)
    assert {one.outcome for one in found if one.what == "p50"} == {SloOutcome.PASSED}
    assert ("p99", None) in outcomes(found)


def test_three_times_slower_is_slower_below_every_limit(before: Result) -> None:
    """No answer takes 300 ms, and each class is red."""
    now = measured(like(3, floor=0.02))
    found = beside(now, before, LIMITS)

    assert max(max(second.times) for by in now.seconds.values() for second in by.values()) < 0.5
    assert {one.outcome for one in found if one.what == "p50"} == {SloOutcome.FAILED}
    assert overall(found) is SloOutcome.FAILED


def test_a_third_slower_is_found_and_a_tenth_is_not(before: Result) -> None:
    third, tenth = (
        {one.outcome for one in beside(measured(like(times)), before, LIMITS) if one.what == "p50"}
        for times in (1.4, 1.08)
    )

    assert (third, tenth) == ({SloOutcome.FAILED}, {SloOutcome.PASSED})


def test_one_burst_is_no_slowdown() -> None:
    """Fifteen seconds of five minutes, of which a short hold of the other version saw nothing."""
    rng = random.Random(1)  # noqa: S311

    def side(burst: range) -> Timed:
        return Timed(
            [
                sorted((5 if number in burst else 1) * rng.lognormvariate(-3, 0.3) for _ in range(40))
                for number in range(60)
            ]
        )

    found = percentiles("x", side(range(20, 24)), side(range(0)), LIMITS)

    assert {one.what: one.outcome for one in found}["p95"] is not SloOutcome.FAILED
    assert overall(found) is not SloOutcome.FAILED
    again = percentiles("x", side(range(0, 60, 5)), side(range(0)), LIMITS)
    assert {one.what: one.outcome for one in again}["p95"] is SloOutcome.FAILED


def windows(bursts: Container[int], seed: int, *, slowest: float = 1, times: float = 1) -> Timed:
    """Five minutes, in some windows of which all wait four times as long; `slowest`: a tenth waits longer."""
    rng = random.Random(seed)  # noqa: S311
    found = []
    for number in range(60):
        taken = [rng.lognormvariate(-3, 0.3) for _ in range(80)]
        taken = [one * (slowest if one > 0.073 else 1) for one in taken]
        found.append(sorted(times * (4 if number in bursts else 1) * one for one in taken))
    return Timed(found)


SOME, OTHERS, MANY = (12, 33, 34, 50), (3, 20, 21, 41, 55), range(0, 60, 4)


def judged(now: Timed, before: Timed) -> dict[str, SloOutcome | None]:
    return {one.what: one.outcome for one in percentiles("x", now, before, LIMITS)}


def test_equal_versions_with_bursts_are_no_slower() -> None:
    """How many bursts a hold has is chance: p95 of all requests is left out, and that of windows passes."""
    found = percentiles("x", windows(OTHERS, 1), windows(SOME, 2), LIMITS)
    by = {one.what: one for one in found}

    assert overall(found) is SloOutcome.PASSED
    assert (by["p95"].outcome, by["windows' p95"].outcome) == (None, SloOutcome.PASSED)
    assert "left out, bursts, or few requests: the version before may be" in str(by["p95"])


def test_bursts_that_the_version_before_had_not_are_not_passed_over() -> None:
    """One stays undecided, as does more than before; in a quarter of the windows it is slower."""
    for bursts, earlier in ((SOME, ()), (range(0, 60, 5), SOME)):
        assert SloOutcome.UNDECIDED in judged(windows(bursts, 1), windows(earlier, 2)).values()
    assert judged(windows(MANY, 1), windows((), 2))["p95"] is SloOutcome.FAILED


def test_a_slower_tail_is_found_among_bursts() -> None:
    """Its slowest tenth takes 1.5 times as long, which p95 of all requests does not show."""
    found = judged(windows(OTHERS, 1, slowest=1.5), windows(SOME, 2))

    assert found["windows' p95"] is SloOutcome.FAILED
    assert found["windows"] is SloOutcome.PASSED


@pytest.mark.parametrize("bursts", [SOME, MANY, range(20, 32)])
def test_faster_than_a_version_before_with_bursts(bursts: Container[int]) -> None:
    """However unsure it is how slow that one was."""
    found = percentiles("x", windows((), 1, times=0.5), windows(bursts, 2), LIMITS)

    assert overall(found) is SloOutcome.PASSED
    assert overall(percentiles("x", windows((), 1), windows(bursts, 2), LIMITS)) is SloOutcome.PASSED


@pytest.mark.parametrize(
    ("measured", "itself", "by_window", "expected"),
    [
        pytest.param(1.1, 1.5, SloOutcome.PASSED, None, id="as-unsure-as-before"),
        pytest.param(1.4, 1.5, SloOutcome.PASSED, None, id="as-before-differs-from-itself"),
        pytest.param(1.6, 1.5, SloOutcome.PASSED, SloOutcome.UNDECIDED, id="more-than-before"),
        pytest.param(1.1, 1.05, SloOutcome.PASSED, SloOutcome.UNDECIDED, id="before-was-sure"),
        pytest.param(1.1, inf, None, None, id="few-requests"),
        pytest.param(1.3, inf, None, SloOutcome.UNDECIDED, id="few-requests-and-slower"),
        pytest.param(1.1, 1.5, SloOutcome.UNDECIDED, SloOutcome.UNDECIDED, id="windows-undecided"),
        pytest.param(1.1, 1.5, SloOutcome.FAILED, SloOutcome.UNDECIDED, id="windows-slower"),
    ],
)
def test_when_all_requests_are_left_out(
    measured: float, itself: float, by_window: SloOutcome | None, expected: SloOutcome | None
) -> None:
    """Where equal versions would be undecided, and it is as they would be."""
    ratios = Ratio(measured, 0.5, 2.0)
    of_all = Compared("x", "p95", SloOutcome.UNDECIDED, "so", 1.2, None, None, ratios, itself)
    of_windows = Compared("x", "windows' p95", by_window, "so", 1.2, None, None, ratios, 1.05)

    assert told(of_all, of_windows)[0].outcome is expected


@pytest.mark.parametrize(
    ("what", "of_all", "measured", "itself", "expected"),
    [
        ("windows' p95", SloOutcome.PASSED, 1.1, 1.05, None),
        ("windows' p95", SloOutcome.UNDECIDED, 1.1, 1.5, None),
        ("windows' p95", SloOutcome.UNDECIDED, 1.3, 1.5, SloOutcome.UNDECIDED),
        ("windows' p95", SloOutcome.UNDECIDED, 1.1, 1.05, SloOutcome.UNDECIDED),
        ("windows", SloOutcome.PASSED, 1.1, 1.5, SloOutcome.UNDECIDED),
        ("windows", SloOutcome.UNDECIDED, 1.1, 1.5, SloOutcome.UNDECIDED),
    ],
)
def test_when_windows_are_left_out(
    what: str, of_all: SloOutcome, measured: float, itself: float, expected: SloOutcome | None
) -> None:
    """Never those of the median, without which nothing would be decided."""
    ratios = Ratio(measured, 0.5, 2.0)
    windows_of = Compared("x", what, SloOutcome.UNDECIDED, "so", 1.2, None, None, ratios, itself)
    all_of = Compared("x", "p95", of_all, "so", 1.2, None, None, ratios, 1.05)

    assert told(all_of, windows_of)[1].outcome is expected


def test_at_the_limit_nothing_is_decided(before: Result) -> None:
    """And the reason says how much longer."""
    found = beside(measured(like(1.2)), before, LIMITS)
    open_ = [one for one in found if one.outcome is SloOutcome.UNDECIDED]

    assert open_ != []
    assert all("the limit is within the interval" in one.reason for one in open_)


def test_faster_is_not_slower(before: Result) -> None:
    assert overall(beside(measured(like(0.5)), before, LIMITS)) is SloOutcome.PASSED


def test_a_millisecond_is_nothing() -> None:
    """One and a half times of what takes 1 ms is not noticed; three times is."""
    rng = random.Random(1)  # noqa: S311

    def side(times: float) -> VersionTimes:
        windows = [sorted(times * rng.uniform(0.0009, 0.0011) for _ in range(40)) for _ in range(20)]
        return VersionTimes(Timed(windows), [(40, 0)] * 20)

    assert overall(compared("x", side(1.5), side(1), LIMITS)) is SloOutcome.PASSED
    assert overall(compared("x", side(4), side(1), LIMITS)) is SloOutcome.FAILED


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (0, 0, SloOutcome.PASSED),
        (1, 0, SloOutcome.PASSED),  # one of 1200
        (120, 0, SloOutcome.FAILED),
        (120, 110, SloOutcome.UNDECIDED),
        (120, 60, SloOutcome.FAILED),
        (60, 120, SloOutcome.PASSED),
    ],
)
def test_failures_are_compared_where_there_are_some(now: int, earlier: int, expected: SloOutcome) -> None:
    """Neither is slower: 1200 requests each, of which some fail, spread evenly."""
    rng = random.Random(1)  # noqa: S311

    def side(failed: int) -> VersionTimes:
        windows = [sorted(rng.uniform(0.09, 0.11) for _ in range(60)) for _ in range(20)]
        counts = [(60, failed // 20 + (number < failed % 20)) for number in range(20)]
        return VersionTimes(Timed(windows), counts)

    found = compared("x", side(now), side(earlier), LIMITS)

    assert [one.outcome for one in found if one.what == ERRORS] == [expected]


def test_few_windows_and_few_requests_decide_nothing() -> None:
    few = VersionTimes(Timed([[0.1] * 400]), [(400, 0)])
    small = VersionTimes(Timed([[0.1] * 10] * 20), [(10, 0)] * 20)

    assert overall(compared("x", few, few, LIMITS)) is SloOutcome.UNDECIDED
    found = compared("x", small, small, LIMITS)
    assert overall(found) is SloOutcome.UNDECIDED
    assert "too few requests: 200 of at least 300" in {one.reason for one in found}


def test_a_class_that_was_not_measured_decides_nothing(before: Result) -> None:
    silent = replace(before, seconds={**before.seconds, "auth": {}})
    good = measured(like(1))

    for now, earlier in ((good, silent), (replace(good, seconds=silent.seconds), before)):
        open_ = [one for one in beside(now, earlier, LIMITS) if one.outcome is SloOutcome.UNDECIDED]
        assert {one.where.partition(" ")[0] for one in open_} >= {"auth"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"generators": ()}, "only one of them says on what machine"),
        ({"generators": (replace(MACHINE, cores=4),)}, "its generator ran on 4 cores"),
        ({"generators": (replace(MACHINE, mhz=3600),)}, "at 3600 MHz"),
        ({"generators": (replace(MACHINE, mhz=0, processor=""),)}, "(of no name)"),
        ({"generators": (MACHINE, replace(MACHINE, cores=4))}, "from 2 machines"),
        ({"processes": 2}, "sent by 2 processes"),
        ({"rehearsal": False}, "it measured staging, and the new one a rehearsal"),
        ({"target": "other"}, "it measured a rehearsal (other)"),
        ({"stopped": "it was interrupted"}, "it is not a whole load test: it was stopped"),
    ],
)
def test_what_cannot_be_compared(change: dict[str, object], why: str, before: Result) -> None:
    """Each reason in words; and what differs by nothing that matters can."""
    now = measured(like(1))

    (said, *_) = unlike(now, replace(before, **change), 10)  # type: ignore[arg-type]
    assert why in said
    same = replace(before, generators=(replace(MACHINE, mhz=2500),), base_url="https://elsewhere.nox.io")
    assert unlike(now, same, 10) == []
    nameless = replace(MACHINE, mhz=0)
    assert unlike(replace(now, generators=(nameless,)), replace(before, generators=(nameless,)), 10) == []


def test_another_ramp_cannot_be_compared(before: Result) -> None:
    more = replace(before.ramp, levels=(replace(before.ramp.levels[0], users=61),))

    assert "is another than the new one's" in unlike(measured(like(1)), replace(before, ramp=more), 10)[0]


def test_a_result_from_before_machines_were_noted_is_still_read(tmp_path: Path, before: Result) -> None:
    """Schema 3 has the key only where there is one."""
    for each in (before, replace(before, generators=())):
        write(tmp_path / NAME, each)
        assert read(tmp_path / NAME) == each
