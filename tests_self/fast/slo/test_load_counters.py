"""The answers of a load test beside the application's own counters, as Prometheus has scraped them."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from tests_self.simulated import ROOT, simulated

from noxgate.errors import NotMadeError, UnreachableError
from noxgate.project.runbook import read_runbook
from noxgate.slo.holds import Second
from noxgate.slo.kept.counted import from_application, less_counted
from noxgate.slo.kept.results import LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.ramps import read_ramps
from noxgate.slo.result import NAME, Result, folder_name, write
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.growth import Growth, KnownTargets, grown

RAMPS = read_ramps(ROOT)
START = datetime(2026, 12, 1, 10, tzinfo=UTC)
END = START + timedelta(minutes=5)
EVERY = 15


def series(*values: float | None, first: float = -60, every: float = EVERY) -> Series:
    """One, looked at every so many seconds from `first` after the start on; None is a missed look."""
    at = [START + timedelta(seconds=first + number * every) for number in range(len(values))]
    return Series({}, [(when, value) for when, value in zip(at, values, strict=True) if value is not None])


def steady(count: int = 30, each: float = 10, base: float = 1000, **more: float) -> Series:
    return series(*(base + each * number for number in range(count)), **more)


def growth(*found: Series, known: KnownTargets | None = None) -> Growth:
    return grown("http_requests_total", found, START, END, lambda _: known or KnownTargets())


def test_growth_is_that_since_the_start() -> None:
    """What was counted before is left out; the last look before the start is where it begins."""
    assert growth(steady()) == Growth(250, 0, 0)
    assert growth(steady(), steady(each=1)) == Growth(275, 0, 0)


NEW = {"job": "nox-api", "instance": "b:1"}


def beginning() -> Series:
    """One that is seen half a minute after the start, with 40."""
    begun = series(40, 50, 60, *[60] * 20, first=30)
    return replace(begun, labels={**NEW, "path": "/new"})


@pytest.mark.parametrize(
    "known",
    [
        KnownTargets(answered=[(NEW, [START + timedelta(seconds=15)])]),
        KnownTargets(answered=[(NEW, [START])]),
        KnownTargets(started=[(NEW, [START - timedelta(days=1), START + timedelta(seconds=5)])]),
    ],
    ids=["looked-at-before", "one-look-missed", "started-since"],
)
def test_series_that_is_new_counts_from_nothing(known: KnownTargets) -> None:
    """Its first look may show any number."""
    assert growth(steady(), beginning(), known=known) == Growth(310, 0, 0)


@pytest.mark.parametrize(
    "known",
    [
        KnownTargets(),
        KnownTargets(answered=[(NEW, [START - timedelta(seconds=60), START + timedelta(seconds=30)])]),
        KnownTargets(started=[(NEW, [START - timedelta(days=1)])]),
        KnownTargets(started=[(NEW, [START + timedelta(seconds=45)])]),
        KnownTargets(answered=[({**NEW, "endpoint": "http"}, [START + timedelta(seconds=15)])]),
        KnownTargets(answered=[({**NEW, "instance": "a:1"}, [START + timedelta(seconds=15)])]),
    ],
    ids=["unknown", "after-a-gap", "older", "restarts-later", "other-labels", "another"],
)
def test_series_of_a_target_that_may_be_older(known: KnownTargets) -> None:
    """What it began with is kept apart: it may be all of its life."""
    assert growth(steady(), beginning(), known=known) == Growth(270, 0, 0, first=40)


def test_counter_that_was_reset() -> None:
    """It grew by what it has since, and maybe by as much as it ever grew between two looks."""
    values = [1000, 1000, 1000, 1000, 1000, 1100, 1200, 30, 60, *[60] * 20]

    assert growth(series(*values)) == Growth(260, 100, 0)


def test_pod_that_ended() -> None:
    """The others go on; what it had counted since the last look at it is allowed for."""
    gone = series(*(1000 + 10 * number for number in range(10)))

    assert growth(steady(), gone) == Growth(250 + 50, 10, 0)


def test_looks_that_were_missed() -> None:
    """What a counter grew by meanwhile it still has."""
    values: list[float | None] = [1000 + 10 * number for number in range(30)]
    values[10:20] = [None] * 10

    assert growth(series(*values)) == Growth(250, 0, 1)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "saw no data"),
        ([series()], "saw no data"),
        ([steady(first=30)], "samples since then alone"),
        ([series(1, 2, float("nan"), 4)], "a value that is not one"),
        ([series(1, -2, 4)], "a value that is not one"),
        ([series(1, 2, float("inf"))], "a value that is not one"),
    ],
    ids=["nothing", "empty", "since-then", "nan", "negative", "infinite"],
)
def test_counters_that_tell_nothing(found: Sequence[Series], why: str) -> None:
    """No version is charged with it."""
    with pytest.raises(UnreachableError, match=why):
        growth(*found)


# ---------------------------------------------------------------- beside a load test


def one_second(**outcomes: int) -> dict[int, Second]:
    counted = {(int(key[1:]), "" if key[0] == "a" else "status"): count for key, count in outcomes.items()}
    return {1: Second(array("f", [0.1] * sum(outcomes.values())), counted, {})}


def test_only_what_the_application_answered_counts() -> None:
    """An ingress answers errors of its own, WebSockets have messages, some classes are not counted."""
    seconds = {
        "health": one_second(a200=7, b503=2, b429=1, b0=4),
        "data": one_second(a200=5, b200=3),
        "science": one_second(a200=1, a202=2),
        "websocket": one_second(a101=9),
    }
    result = replace(simulated(RAMPS["smoke"]), seconds=seconds)

    assert from_application(result) == 15
    assert from_application(result, ["health", "science"]) == 5


@pytest.mark.parametrize(("seen", "unseen"), [(0.0, 0.0), (1000.0, 0.0), (0.9, 0.05)])
def test_application_that_counted_less(seen: float, unseen: float) -> None:
    result = simulated(RAMPS["smoke"])
    answers = from_application(result)
    seen, unseen = (answers * part if part < 1 else part for part in (seen, unseen))

    assert "it did not answer them" in less_counted(result, [], seen, unseen)
    with pytest.raises(UnreachableError, match="missed 2 looks"):
        less_counted(result, [], seen, unseen, gaps=2)


@pytest.mark.parametrize(("seen", "unseen", "gaps"), [(1.0, 0.0, 0), (1.7, 0.0, 3), (0.9, 0.1001, 0)])
def test_application_that_counted_as_much(seen: float, unseen: float, gaps: int) -> None:
    """Others may have asked it, too; probes do."""
    result = simulated(RAMPS["smoke"])
    answers = from_application(result)

    assert less_counted(result, [], answers * seen, answers * unseen, gaps) == ""


def test_application_that_may_have_counted_before() -> None:
    """A pod that was not known when the test began brings all of its life."""
    result = simulated(RAMPS["smoke"])
    answers = from_application(result)

    assert less_counted(result, [], answers, first=answers) == ""
    assert "it did not answer them" in less_counted(result, [], answers * 0.5, first=answers * 0.1)
    with pytest.raises(UnreachableError, match="may be older than the load test"):
        less_counted(result, [], answers * 0.5, first=answers)


def test_class_that_does_not_exist() -> None:
    with pytest.raises(UnreachableError, match="uncounted: expected classes"):
        less_counted(simulated(RAMPS["smoke"]), ["heath"], 10**9)


RUNBOOK = read_runbook(ROOT / "runbook.toml")
LINES = [line for line in RUNBOOK.lines if line.startswith("staging.slo-")]


def looking(folder: Path, answer: str | UnreachableError, asked: list[Result], **changes: object) -> LoadTest:
    """At good results of both ramps, compared with counters that answer this."""
    for number, (ramp, hold) in enumerate((("quick", 300), ("full", 300))):
        shipped = RAMPS[ramp]
        result = simulated(RAMPS["quick"].lasting(60), seed=number + 1)
        held = result.holds[0]
        levels = enumerate(shipped.levels, 1)
        holds = tuple(
            replace(held, name=one.name(at), users=one.users, end=held.start + hold) for at, one in levels
        )
        result = replace(result, ramp=shipped, holds=holds, **changes)  # type: ignore[arg-type]
        (folder / folder_name(result)).mkdir()
        write(folder / folder_name(result) / NAME, result)

    def compare(result: Result) -> str:
        asked.append(result)
        if isinstance(answer, UnreachableError):
            raise answer
        return answer

    of = LoadSettings("staging", "staging", "https://localhost:1", rehearsal=False)
    results = LoadResults(of, folder, RAMPS, lambda *_: "")
    return LoadTest(results, RUNBOOK, lambda _: None, compare)


def test_less_than_the_load_test_says_is_not_run(tmp_path: Path) -> None:
    """For one reason on every line; Prometheus is asked once for each result."""
    asked: list[Result] = []
    found = looking(tmp_path, "has more answers than were counted", asked)

    reasons = set()
    looks: list[Callable[[], object]] = [found.quick, *(partial(found.broken, line) for line in LINES)]
    for look in looks:
        with pytest.raises(NotMadeError) as raised:
            look()
        reasons.add(str(raised.value).partition(": make")[0])

    (reason,) = reasons
    assert "has more answers than were counted" in reason
    assert len(asked) == 1


def test_counters_that_cannot_be_read(tmp_path: Path) -> None:
    found = looking(tmp_path, UnreachableError("connection refused"), [])

    for look in (found.quick, found.full, lambda: found.broken("staging.slo-no-5xx")):
        with pytest.raises(UnreachableError, match="connection refused"):
            look()


def test_failure_is_one_whatever_the_counters_say(tmp_path: Path) -> None:
    """No server error goes away because Prometheus is down."""
    failing = Second(array("f", [0.02] * 50), {(503, "status"): 50}, {0.3: 0, 0.5: 0, 2.0: 0})
    seconds = {name: dict.fromkeys(by, failing) for name, by in simulated(RAMPS["smoke"]).seconds.items()}
    start = min(at for by in seconds.values() for at in by)
    found = looking(tmp_path, UnreachableError("connection refused"), [])
    kept = found._results.newest["full"]  # noqa: SLF001 (what was read, changed in place of a file)
    moved = {
        name: {kept.result.holds[0].start + at - start: one for at, one in by.items()}
        for name, by in seconds.items()
    }
    broken = replace(kept, result=replace(kept.result, seconds=moved))
    found._results.__dict__["newest"] = {"full": broken}  # noqa: SLF001

    assert found.broken("staging.slo-no-5xx") != []
