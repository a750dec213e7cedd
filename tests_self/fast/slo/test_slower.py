"""Whether a release is slower than the one before: ratios, what can be compared, the line that says so."""

import random
import re
from collections.abc import Callable, Container
from dataclasses import replace
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests_self.simulated import Answer, simulated

from noxgate.errors import NotCountedError, NotMadeError, UndecidedError, UnreachableError
from noxgate.project.release_facts import FactsError, MeasuredBefore, read_release_facts
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.slo import ramps
from noxgate.slo.before import checked
from noxgate.slo.before.judging import (
    ERRORS,
    Compared,
    Limits,
    Side,
    compared,
    limits_of,
    overall,
    percentiles,
    told,
)
from noxgate.slo.before.loads import beside, unlike
from noxgate.slo.before.ratio import Ratio, Timed, percentile_of, ratio, share_of, student
from noxgate.slo.confidence import Interval
from noxgate.slo.load_results import Kept
from noxgate.slo.result import NAME, Generator, Result, folder_name, read, write
from noxgate.slo.slos import Outcome

ROOT = Path(__file__).parents[3]
LINE = read_runbook(ROOT / "runbook.toml").lines["staging.slower-than-before"]
LIMITS = limits_of(LINE)
MACHINE = Generator(2, 2600, "Xeon")


def like(times: float, share: float = 0.0, *, fixed: float = 0.0, floor: float = 0.03) -> Answer:
    """Answers `times` as slow as usual, of which a share fails."""

    def answer(rng: random.Random, name: str, _: float) -> tuple[float, int, str]:
        seconds = times * (floor + rng.lognormvariate(-3.7, 0.3)) + fixed
        if rng.random() < share:
            return seconds, 404, "status"
        return seconds, 101 if name == "websocket" else 200, ""

    return answer


def measured(answer: Answer, seed: int = 1, version: str = "8.0.0", days: float = 0) -> Result:
    ramp = ramps.chosen(ROOT, "smoke")
    found = simulated(ramp, answer=answer, seed=seed, minutes_ago=1 + days * 1440)
    return replace(found, release=version, version=version, rehearsal=True, generators=(MACHINE,))


@pytest.fixture(scope="module")
def before() -> Result:
    return measured(like(1), seed=7, version="7.9.3", days=20)


# ---------------------------------------------------------------- intervals


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


# ---------------------------------------------------------------- two load tests


def outcomes(found: list[Compared]) -> set[tuple[str, Outcome | None]]:
    return {(one.what, one.outcome) for one in found}


def test_the_same_is_not_slower(before: Result) -> None:
    """Healthy: every class passes at the median, and p99 has too few requests to say anything."""
    found = beside(measured(like(1)), before, LIMITS)

    assert overall(found) is Outcome.PASSED
    assert {one.where.partition(" ")[0] for one in found} == set(before.classes)
    assert {one.outcome for one in found if one.what == "p50"} == {Outcome.PASSED}
    assert ("p99", None) in outcomes(found)


def test_three_times_slower_is_slower_below_every_limit(before: Result) -> None:
    """No answer takes 300 ms, and each class is red."""
    now = measured(like(3, floor=0.02))
    found = beside(now, before, LIMITS)

    assert max(max(second.times) for by in now.seconds.values() for second in by.values()) < 0.5
    assert {one.outcome for one in found if one.what == "p50"} == {Outcome.FAILED}
    assert overall(found) is Outcome.FAILED


def test_a_third_slower_is_found_and_a_tenth_is_not(before: Result) -> None:
    third, tenth = (
        {one.outcome for one in beside(measured(like(times)), before, LIMITS) if one.what == "p50"}
        for times in (1.4, 1.08)
    )

    assert (third, tenth) == ({Outcome.FAILED}, {Outcome.PASSED})


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

    assert {one.what: one.outcome for one in found}["p95"] is not Outcome.FAILED
    assert overall(found) is not Outcome.FAILED
    again = percentiles("x", side(range(0, 60, 5)), side(range(0)), LIMITS)
    assert {one.what: one.outcome for one in again}["p95"] is Outcome.FAILED


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


def judged(now: Timed, before: Timed) -> dict[str, Outcome | None]:
    return {one.what: one.outcome for one in percentiles("x", now, before, LIMITS)}


def test_equal_versions_with_bursts_are_no_slower() -> None:
    """How many bursts a hold has is chance: p95 of all requests is left out, and that of windows passes."""
    found = percentiles("x", windows(OTHERS, 1), windows(SOME, 2), LIMITS)
    by = {one.what: one for one in found}

    assert overall(found) is Outcome.PASSED
    assert (by["p95"].outcome, by["windows' p95"].outcome) == (None, Outcome.PASSED)
    assert "left out, bursts, or few requests: the version before may be" in str(by["p95"])


def test_bursts_that_the_version_before_had_not_are_not_passed_over() -> None:
    """One stays undecided, as does more than before; in a quarter of the windows it is slower."""
    for bursts, earlier in ((SOME, ()), (range(0, 60, 5), SOME)):
        assert Outcome.NOT_DECIDED in judged(windows(bursts, 1), windows(earlier, 2)).values()
    assert judged(windows(MANY, 1), windows((), 2))["p95"] is Outcome.FAILED


def test_a_slower_tail_is_found_among_bursts() -> None:
    """Its slowest tenth takes 1.5 times as long, which p95 of all requests does not show."""
    found = judged(windows(OTHERS, 1, slowest=1.5), windows(SOME, 2))

    assert found["windows' p95"] is Outcome.FAILED
    assert found["windows"] is Outcome.PASSED


@pytest.mark.parametrize("bursts", [SOME, MANY, range(20, 32)])
def test_faster_than_a_version_before_with_bursts(bursts: Container[int]) -> None:
    """However unsure it is how slow that one was."""
    found = percentiles("x", windows((), 1, times=0.5), windows(bursts, 2), LIMITS)

    assert overall(found) is Outcome.PASSED
    assert overall(percentiles("x", windows((), 1), windows(bursts, 2), LIMITS)) is Outcome.PASSED


@pytest.mark.parametrize(
    ("measured", "itself", "by_window", "expected"),
    [
        pytest.param(1.1, 1.5, Outcome.PASSED, None, id="as-unsure-as-before"),
        pytest.param(1.4, 1.5, Outcome.PASSED, None, id="as-before-differs-from-itself"),
        pytest.param(1.6, 1.5, Outcome.PASSED, Outcome.NOT_DECIDED, id="more-than-before"),
        pytest.param(1.1, 1.05, Outcome.PASSED, Outcome.NOT_DECIDED, id="before-was-sure"),
        pytest.param(1.1, inf, None, None, id="few-requests"),
        pytest.param(1.3, inf, None, Outcome.NOT_DECIDED, id="few-requests-and-slower"),
        pytest.param(1.1, 1.5, Outcome.NOT_DECIDED, Outcome.NOT_DECIDED, id="windows-undecided"),
        pytest.param(1.1, 1.5, Outcome.FAILED, Outcome.NOT_DECIDED, id="windows-slower"),
    ],
)
def test_when_all_requests_are_left_out(
    measured: float, itself: float, by_window: Outcome | None, expected: Outcome | None
) -> None:
    """Where equal versions would be undecided, and it is as they would be."""
    ratios = Ratio(measured, 0.5, 2.0)
    of_all = Compared("x", "p95", Outcome.NOT_DECIDED, "so", 1.2, None, None, ratios, itself)
    of_windows = Compared("x", "windows' p95", by_window, "so", 1.2, None, None, ratios, 1.05)

    assert told(of_all, of_windows)[0].outcome is expected


@pytest.mark.parametrize(
    ("what", "of_all", "measured", "itself", "expected"),
    [
        ("windows' p95", Outcome.PASSED, 1.1, 1.05, None),
        ("windows' p95", Outcome.NOT_DECIDED, 1.1, 1.5, None),
        ("windows' p95", Outcome.NOT_DECIDED, 1.3, 1.5, Outcome.NOT_DECIDED),
        ("windows' p95", Outcome.NOT_DECIDED, 1.1, 1.05, Outcome.NOT_DECIDED),
        ("windows", Outcome.PASSED, 1.1, 1.5, Outcome.NOT_DECIDED),
        ("windows", Outcome.NOT_DECIDED, 1.1, 1.5, Outcome.NOT_DECIDED),
    ],
)
def test_when_windows_are_left_out(
    what: str, of_all: Outcome, measured: float, itself: float, expected: Outcome | None
) -> None:
    """Never those of the median, without which nothing would be decided."""
    ratios = Ratio(measured, 0.5, 2.0)
    windows_of = Compared("x", what, Outcome.NOT_DECIDED, "so", 1.2, None, None, ratios, itself)
    all_of = Compared("x", "p95", of_all, "so", 1.2, None, None, ratios, 1.05)

    assert told(all_of, windows_of)[1].outcome is expected


def test_at_the_limit_nothing_is_decided(before: Result) -> None:
    """And the reason says how much longer."""
    found = beside(measured(like(1.2)), before, LIMITS)
    open_ = [one for one in found if one.outcome is Outcome.NOT_DECIDED]

    assert open_ != []
    assert all("the limit is within the interval" in one.reason for one in open_)


def test_faster_is_not_slower(before: Result) -> None:
    assert overall(beside(measured(like(0.5)), before, LIMITS)) is Outcome.PASSED


def test_a_millisecond_is_nothing() -> None:
    """One and a half times of what takes 1 ms is not noticed; three times is."""
    rng = random.Random(1)  # noqa: S311

    def side(times: float) -> Side:
        windows = [sorted(times * rng.uniform(0.0009, 0.0011) for _ in range(40)) for _ in range(20)]
        return Side(Timed(windows), [(40, 0)] * 20)

    assert overall(compared("x", side(1.5), side(1), LIMITS)) is Outcome.PASSED
    assert overall(compared("x", side(4), side(1), LIMITS)) is Outcome.FAILED


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (0, 0, Outcome.PASSED),
        (1, 0, Outcome.PASSED),  # one of 1200
        (120, 0, Outcome.FAILED),
        (120, 110, Outcome.NOT_DECIDED),
        (120, 60, Outcome.FAILED),
        (60, 120, Outcome.PASSED),
    ],
)
def test_failures_are_compared_where_there_are_some(now: int, earlier: int, expected: Outcome) -> None:
    """Neither is slower: 1200 requests each, of which some fail, spread evenly."""
    rng = random.Random(1)  # noqa: S311

    def side(failed: int) -> Side:
        windows = [sorted(rng.uniform(0.09, 0.11) for _ in range(60)) for _ in range(20)]
        counts = [(60, failed // 20 + (number < failed % 20)) for number in range(20)]
        return Side(Timed(windows), counts)

    found = compared("x", side(now), side(earlier), LIMITS)

    assert [one.outcome for one in found if one.what == ERRORS] == [expected]


def test_few_windows_and_few_requests_decide_nothing() -> None:
    few = Side(Timed([[0.1] * 400]), [(400, 0)])
    small = Side(Timed([[0.1] * 10] * 20), [(10, 0)] * 20)

    assert overall(compared("x", few, few, LIMITS)) is Outcome.NOT_DECIDED
    found = compared("x", small, small, LIMITS)
    assert overall(found) is Outcome.NOT_DECIDED
    assert "too few requests: 200 of at least 300" in {one.reason for one in found}


def test_a_class_that_was_not_measured_decides_nothing(before: Result) -> None:
    silent = replace(before, seconds={**before.seconds, "auth": {}})
    good = measured(like(1))

    for now, earlier in ((good, silent), (replace(good, seconds=silent.seconds), before)):
        open_ = [one for one in beside(now, earlier, LIMITS) if one.outcome is Outcome.NOT_DECIDED]
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


# ---------------------------------------------------------------- the line


class LoadTests:
    """The newest load tests, as they lie there."""

    def __init__(self, *results: Result) -> None:
        self.kept = [Kept(result, Path(folder_name(result))) for result in results]

    def quick(self) -> list[Kept]:
        return self.kept


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[str]]:
    """What the line says of a new result, with earlier ones in their folder."""

    def look(now: Result, *earlier: Result, refused: str = "", named: bool = True) -> list[str]:
        folder = tmp_path / "load"
        for each in earlier:
            (folder / folder_name(each)).mkdir(parents=True)
            write(folder / folder_name(each) / NAME, each)
        before = MeasuredBefore("7.9.3", folder) if named else None

        def made(name: str) -> Path:
            (tmp_path / name).mkdir()
            return tmp_path / name

        record = checked.Earlier(tmp_path / "release.toml", before, lambda *_: refused)
        tests: Any = LoadTests(now)
        real: Any = SimpleNamespace(rehearsal=False)
        return checked.Slower(tests, record, LINE, lambda _: None, real, made).found()

    return look


def test_a_healthy_release_beside_the_one_before(
    found: Callable[..., list[str]], before: Result, tmp_path: Path
) -> None:
    """With a picture and a row for each measure; the newest of several earlier results is taken."""
    older = measured(like(9), seed=3, version="7.9.3", days=30)
    now = measured(like(1))

    assert found(now, older, before) == []
    (folder,) = tmp_path.glob("*-beside-7.9.3")
    picture = (folder / "slower.svg").read_text(encoding="utf-8")
    assert all(text in picture for text in ("8.0.0", "7.9.3", "health", "websocket"))
    assert "p50" in (folder / "slower.txt").read_text(encoding="utf-8")


def test_a_slower_release_is_named_class_by_class(found: Callable[..., list[str]], before: Result) -> None:
    said = found(measured(like(3)), before)

    assert any(one.startswith("data on") and "3." in one and "at most 1.20" in one for one in said)


def test_no_version_before_is_not_counted(found: Callable[..., list[str]]) -> None:
    with pytest.raises(NotCountedError, match="names no earlier version that was measured"):
        found(measured(like(1)), named=False)


def test_a_version_before_without_its_result_is_not_run(
    found: Callable[..., list[str]], before: Result
) -> None:
    """Missing, not sealed, of another release: each says what lies there."""
    with pytest.raises(NotMadeError, match=r"expected its sealed result .*saw none is there"):
        found(measured(like(1)))
    other = replace(before, release="7.9.2")
    with pytest.raises(NotMadeError, match=r"is of release 7\.9\.2"):
        found(measured(like(1)), other)


def test_a_version_before_that_nobody_sealed_is_not_run(
    found: Callable[..., list[str]], before: Result
) -> None:
    with pytest.raises(NotMadeError, match="is not signed"):
        found(measured(like(1)), before, refused="is not signed")


def test_what_cannot_be_compared_is_undecided(found: Callable[..., list[str]], before: Result) -> None:
    """Which somebody may accept, such as a new machine for the generator."""
    with pytest.raises(UndecidedError, match=r"cannot be compared, or .* waive .*only one of them says"):
        found(measured(like(1)), replace(before, generators=()))


def test_what_is_not_decided_says_what_to_do(found: Callable[..., list[str]], before: Result) -> None:
    """In the beginning, as a terminal cuts the rest."""
    with pytest.raises(UndecidedError, match=r"^not decided: .*the limit is within") as raised:
        found(measured(like(1.2)), before)
    advice = str(raised.value).partition(": data")[0].partition(": health")[0]
    assert re.fullmatch(
        r"not decided: (hold [\d.]+ times as long|too close.*), or let .* waive the line", advice
    )


def test_what_was_not_measured_nobody_can_accept(found: Callable[..., list[str]], before: Result) -> None:
    """A new load test that was stopped, or lacks a class, is not undecided, but not compared at all."""
    cut = replace(measured(like(1)), stopped="it was interrupted")
    with pytest.raises(UnreachableError, match=r"cannot be compared: .*it was interrupted"):
        found(cut, before)
    silent = replace(measured(like(1)), seconds={**cut.seconds, "auth": {}})
    with pytest.raises(UnreachableError, match=r"cannot be compared: auth on"):
        found(silent)


# ---------------------------------------------------------------- record and limits


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('version = "7.9.3"', "load_results is blank"),
        ('version = "[version]"\nload_results = "x"', "version is blank"),
        ('version = "7.9.3"\nload_results = "x"\nsince = "y"', "unknown key 'since'"),
        ('version = "8.0.0"\nload_results = "x"', "expected a release before 8.0.0, saw itself"),
    ],
)
def test_a_record_that_names_it_wrongly(table: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    path.write_text(f'version = "8.0.0"\n[measured_before]\n{table}\n', encoding="utf-8")

    with pytest.raises(FactsError, match=why.replace("[", r"\[")):
        read_release_facts(path)


def test_a_record_that_names_it(tmp_path: Path) -> None:
    """Seen from the record."""
    path = tmp_path / "release.toml"
    path.write_text('[measured_before]\nversion = "7.9.3"\nload_results = "../old"\n', encoding="utf-8")

    assert read_release_facts(path).before == MeasuredBefore("7.9.3", tmp_path / "../old")


@pytest.mark.parametrize("key", ["slower_at_most", "p95_samples"])
def test_limits_that_cannot_be_held_to(key: str) -> None:
    for limits in ({**LINE.limits, key: 0}, {name: one for name, one in LINE.limits.items() if name != key}):
        with pytest.raises(RunbookError, match="slower-than-before"):
            limits_of(replace(LINE, limits=limits))
    assert isinstance(LIMITS, Limits)
