"""A load test that its own generator spoilt is run again; each try is kept, and the newest counts."""

import os
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests_self.building.load_results import RUNBOOK, SLOS, URL, good

from nox_rehearsal.day import loading, quiet, under_load
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.sabotages.load import measured
from nox_rehearsal.sabotages.load_edits import one_in_twenty_slow
from nox_rehearsal.world.state import World
from noxgate.errors import UndecidedError, UnreachableError
from noxgate.look.observation import Observation
from noxgate.slo import generator, ramps
from noxgate.slo.holds import Second
from noxgate.slo.kept.results import LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.result import Result
from noxgate.slo.run import keep

ROOT = Path(__file__).parents[3]
LATE = "the generator was late: 2.0 % of this process's timers by over 50 ms"
BUSY = "the generator was busy: this process used 97 % of a core"
USERS = "expected 60 users all the time, saw 59"

Change = Callable[[Result], Result]


def spoilt(*reasons: str) -> Change:
    """By the generator, for these reasons."""

    def change(result: Result) -> Result:
        return replace(result, holds=tuple(replace(held, spoiled=reasons) for held in result.holds))

    return change


def answering(*, status: int, times: float, share: float = 1.0) -> Change:
    """Each class answers so many of its 50 requests a second like this, in these seconds each."""
    many = round(50 * share)

    def one(measured: Second) -> Second:
        over = {seconds: many if times > seconds else 0 for seconds in measured.over}
        return Second(
            array("f", [times] * many + [0.02] * (50 - many)),
            {
                (status, "" if status == 200 else "status"): many,
                **({(200, ""): 50 - many} if many < 50 else {}),
            },
            over,
        )

    def change(result: Result) -> Result:
        seconds = {name: {at: one(each) for at, each in by.items()} for name, by in result.seconds.items()}
        return replace(result, seconds=seconds)

    return change


def both(*changes: Change) -> Change:
    def change(result: Result) -> Result:
        for each in changes:
            result = each(result)
        return result

    return change


def whole(result: Result) -> Result:
    return result


# ---------------------------------------------------------------- whose fault it was


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(whole, "", id="in time"),
        pytest.param(spoilt(LATE), LATE, id="late"),
        pytest.param(spoilt(LATE, BUSY), f"{LATE}; {BUSY}", id="late and busy"),
        pytest.param(both(answering(status=200, times=0.6), spoilt(LATE)), LATE, id="late, so all was slow"),
        pytest.param(answering(status=200, times=0.6), "", id="slow"),
        pytest.param(answering(status=500, times=0.02), "", id="failing"),
        pytest.param(
            both(answering(status=503, times=0.02, share=0.02), spoilt(LATE)), "", id="late, one 503"
        ),
        pytest.param(
            both(answering(status=404, times=0.02, share=0.2), spoilt(BUSY)), "", id="busy and wrong"
        ),
        pytest.param(both(lambda one: replace(one, right=6), spoilt(LATE)), "", id="late, and a job is lost"),
        pytest.param(both(lambda one: replace(one, stopped="x"), spoilt(LATE)), "", id="late and stopped"),
        pytest.param(both(lambda one: replace(one, problems=("x",)), spoilt(LATE)), "", id="late, and more"),
        pytest.param(spoilt(LATE, "1 arrivals were dropped by this process"), "", id="late and dropped"),
    ],
)
def test_what_is_the_generators_own(change: Change, why: str) -> None:
    """Nothing that a target did wrong is ever taken for it."""
    assert generator.alone(change(good()), SLOS) == why


# ---------------------------------------------------------------- the tries


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """As much of one as a load test's folder needs; real load tests beside these tests are not waited for."""
    (tmp_path / "checkout" / "load").mkdir(parents=True)
    monkeypatch.setattr(quiet, "ROOT", tmp_path / "checkout")
    return cast("World", SimpleNamespace(folder=tmp_path))


def runs(monkeypatch: pytest.MonkeyPatch, world: World, *changes: Change) -> list[Change]:
    """Load tests end like this, in turn; returns those that are still to come."""
    left = list(changes)

    def smoke(_: World, *__: str, **___: object) -> int:
        keep(left.pop(0)(good(minutes_ago=1 + len(left))), under_load.folder(world))
        return 0

    monkeypatch.setattr(under_load, "smoke", smoke)
    monkeypatch.setattr(quiet, "TIMERS", 1)
    return left


def test_tries_are_kept_and_said(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    left = runs(monkeypatch, world, spoilt(LATE), spoilt(BUSY), whole, whole)
    said: list[str] = []

    newest = loading.decided(world, say=said.append)

    assert said == [f"undecided: {LATE}: run again (2 of 3)", f"undecided: {BUSY}: run again (3 of 3)"]
    first, second, third = under_load.results(world)
    assert newest == third
    assert generator.repeated_before([first, second, third]) == [(first, said[0]), (second, said[1])]
    assert len(left) == 1


def test_third_try_is_the_last(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """It counts, undecided as it is, and the day says so."""
    left = runs(monkeypatch, world, *[spoilt(LATE)] * 4)
    said: list[str] = []

    loading.decided(world, say=said.append)

    assert said[-1] == f"undecided: {LATE}: it was the last of 3 tries and is judged as it is"
    assert len(under_load.results(world)) == loading.TRIES == 3
    assert len(left) == 1


@pytest.mark.parametrize(
    "change",
    [
        answering(status=500, times=0.02),
        answering(status=200, times=0.6),
        both(answering(status=503, times=0.02, share=0.02), spoilt(LATE)),
        both(lambda one: replace(one, right=6), spoilt(LATE)),
        spoilt(USERS),
    ],
    ids=["failing", "slow", "late, one 503", "late, and a job is lost", "users missing"],
)
def test_what_the_target_did_is_never_run_again(
    change: Change, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    left = runs(monkeypatch, world, change, whole)
    said: list[str] = []

    loading.decided(world, say=said.append)

    assert (said, len(left), len(under_load.results(world))) == ([], 1, 1)


def test_tries_with_a_known_fault_go_with_it(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """There the newest has to be the good one again afterwards, and a late generator would hide the fault."""
    runs(monkeypatch, world, whole, both(answering(status=404, times=0.02), spoilt(LATE)), whole)

    with loading.one_more(world):
        assert len(under_load.results(world)) == 3
    assert len(under_load.results(world)) == 1


def test_what_a_busy_machine_left_undecided_is_measured_again(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """No known fault leaves an SLO undecided: a target that had to wait for the processor did."""
    left = runs(monkeypatch, world, whole, one_in_twenty_slow, whole, whole)

    with loading.one_more(world):
        assert len(left) == 1
    assert [one.id for one in measured() if one.outcome == "undecided"] == []


def test_a_later_try_waits_for_a_machine_at_rest(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """What else this machine does is asked to wait, for the later tries alone; until then none is made."""
    runs(monkeypatch, world, spoilt(LATE), spoilt(LATE), whole)
    overslept, seen = iter([0.2, 0.06, 0.0, 0.05]), list[object]()
    monkeypatch.setattr(quiet, "_overslept", lambda: next(overslept))
    monkeypatch.setattr("time.sleep", seen.append)

    @contextmanager
    def again() -> Iterator[None]:
        seen.append("others wait")
        yield
        seen.append(len(under_load.results(world)))

    with under_load.by(under_load.Way(again=again)):
        loading.decided(world)

    assert seen == ["others wait", 1.0, 1.0, 2, "others wait", 3]


def test_a_machine_that_never_rests_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    runs(monkeypatch, world, spoilt(LATE), whole)
    monkeypatch.setattr(quiet, "_overslept", lambda: 0.2)
    monkeypatch.setattr(quiet, "PATIENCE", 0.5)

    loading.decided(world)

    assert len(under_load.results(world)) == 2


# ---------------------------------------------------------------- how one is run


def command(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """What stands for `noxgate load`."""
    monkeypatch.setattr(under_load, "command", lambda *_: [sys.executable, "-c", script])


def test_load_test_is_put_first(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Where we may; where not it runs like everything else."""
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "setpriority", lambda *arguments: asked.append(arguments))
    kept = under_load.folder(world) / f"20261130T000000Z-rehearsal-{under_load.RAMP}"
    command(monkeypatch, f"import os; os.makedirs({str(kept)!r}); raise SystemExit(2)")

    assert under_load.smoke(world) == 2
    ((which, pid, nice),) = asked
    assert (which, nice) == (os.PRIO_PROCESS, under_load.FIRST)
    assert pid != os.getpid()

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    kept.rmdir()
    assert under_load.smoke(world) == 2


def test_load_test_without_a_result_is_one_line(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Also where those before it have gone."""
    earlier = keep(good(), under_load.folder(world))
    command(monkeypatch, f"import shutil; shutil.rmtree({str(earlier)!r}); print('no such host')")

    with pytest.raises(RehearsalError, match=r"^the load test left no result: no such host$"):
        under_load.smoke(world)


def test_load_test_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(under_load, "LONGEST", 0.2)
    command(monkeypatch, "import signal; signal.pause()")

    with pytest.raises(RehearsalError, match=r"^the load test did not end within 0\.2 s$"):
        under_load.smoke(world)


# ---------------------------------------------------------------- what the checks make of them


def checks(world: World, seen: list[Observation]) -> LoadTest:
    of = LoadSettings("rehearsal", "rehearsal", URL, rehearsal=True)
    found = LoadResults(of, under_load.folder(world), ramps.read_ramps(ROOT), lambda *_: "")
    return LoadTest(found, RUNBOOK, seen.append)


def test_tries_are_in_the_evidence(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """With the reason why each does not count; those of an earlier load test are not."""
    runs(monkeypatch, world, spoilt(LATE), whole, spoilt(LATE), whole)
    loading.decided(world)
    seen: list[Observation] = []
    loading.decided(world)

    checks(world, seen).quick()

    *_, third, fourth = under_load.results(world)
    assert [one.kept for one in seen] == [third, fourth]
    assert seen[0].seen.startswith(f"{third.name} does not count, {fourth.name} does: undecided: {LATE}")
    assert checks(world, []).broken("staging.slo-p95") == []


@pytest.mark.parametrize("last", [spoilt(LATE), spoilt(USERS)], ids=["late", "users missing"])
def test_newest_counts_whatever_the_others_say(
    last: Change, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """Also where one before it would have passed: none is picked."""
    runs(monkeypatch, world, whole, spoilt(LATE), spoilt(LATE), last)
    loading.good(world)
    loading.decided(world)

    with pytest.raises(UnreachableError, match="not measured: "):
        checks(world, []).broken("staging.slo-p95")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(one_in_twenty_slow, UndecidedError, id="near"),
        pytest.param(both(one_in_twenty_slow, spoilt(LATE)), UnreachableError, id="near, and late"),
        pytest.param(
            both(one_in_twenty_slow, lambda one: replace(one, stopped="x")), UnreachableError, id="near, cut"
        ),
    ],
)
def test_near_the_limit_is_undecided_only_where_all_of_it_was_measured(
    change: Change, error: type[Exception], monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """What is undecided was looked at, so it may be waived; what is unreachable may not."""
    runs(monkeypatch, world, change, change, change)
    loading.decided(world)

    with pytest.raises(error, match=r"data on .* (the limit is within the interval|late)|it was stopped: x"):
        checks(world, []).broken("staging.slo-p95")
    assert checks(world, []).broken("staging.slo-science-p95") == [] if error is UndecidedError else True


def test_a_note_alone_makes_nothing_count(world: World) -> None:
    """Whoever writes one into the newest result's folder changes nothing."""
    results: Sequence[Path] = [
        keep(change(good(minutes_ago=2 - number)), under_load.folder(world))
        for number, change in enumerate((whole, answering(status=200, times=0.6)))
    ]
    generator.mark_repeated(results[-1], "undecided: no, it is not")

    assert checks(world, []).broken("staging.slo-p95") != []
