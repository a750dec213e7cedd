"""Where no load test of today, this release and target was made, its lines are not run: nobody looked."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests_self.test_load_again import RUNBOOK, URL, good

from noxgate.errors import NotMadeError
from noxgate.slo.holds import Second
from noxgate.slo.load_results import LoadResults, LoadTest
from noxgate.slo.ramps import Ramp, read_ramps
from noxgate.slo.result import NAME, Result, write

ROOT = Path(__file__).parents[1]
RAMPS: Mapping[str, Ramp] = read_ramps(ROOT)
SLOS = [line for line in RUNBOOK.lines if line.startswith("staging.slo-")]

Change = Callable[[Result], Result]


def of(ramp: str) -> Result:
    """A good result of a ramp of a real target: each of its levels held for as long as it must be."""
    result, (held,) = good(), good().holds
    levels = RAMPS[ramp].levels
    holds = tuple(
        replace(held, name=level.name(number), users=level.users, end=held.start + level.hold)
        for number, level in enumerate(levels, 1)
    )
    return replace(result, target="staging", rehearsal=False, ramp=RAMPS[ramp], holds=holds)


def older(days: float) -> Change:
    def change(result: Result) -> Result:
        ended = (result.end - timedelta(days=days)).isoformat()
        return replace(result, ended=ended)

    return change


def looking_at(folder: Path, results: Mapping[str, Result]) -> LoadTest:
    """A check of `staging`, for which these results were left, by ramp."""
    for ramp, result in results.items():
        place = folder / f"20261201T000000Z-staging-{ramp}"
        place.mkdir()
        write(place / NAME, result)
    target: Any = SimpleNamespace(name="staging", rehearsal=False, base_url=URL)
    return LoadTest(target, LoadResults(target, folder, RAMPS, lambda *_: ""), RUNBOOK, lambda _: None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda result: replace(result, release="7.9.3"), "is of release 7.9.3, not 8.0.0"),
        (lambda result: replace(result, base_url="https://else.where"), "is of https://else.where"),
        (lambda result: replace(result, version="8.0.0-rc1"), "measured a target of version 8.0.0-rc1"),
        (older(1.01), "h old, of at most 24"),
        (older(-1), "h old, of at most 24"),
        (lambda result: replace(result, ramp=replace(result.ramp, think=(3, 9))), "is not the one of"),
    ],
    ids=["release", "target", "version", "stale", "future", "ramp"],
)
def test_a_load_test_of_something_else(tmp_path: Path, change: Change, reason: str) -> None:
    """Of which nothing follows for this release, neither good nor bad: one reason for all lines."""
    found = looking_at(tmp_path, {"full": change(of("full"))})

    looks: list[Callable[[], object]] = [found.quick, found.full]
    looks += [partial(found.broken, line) for line in SLOS]
    reasons = set()
    for look in looks:
        with pytest.raises(NotMadeError) as raised:
            look()
        reasons.add(str(raised.value).partition(": make")[0])

    (said,) = reasons
    assert reason in said


def test_no_load_test_at_all(tmp_path: Path) -> None:
    """The reason says what makes one."""
    found = looking_at(tmp_path, {})

    for look in (found.quick, found.full, lambda: found.broken("staging.slo-p95")):
        with pytest.raises(NotMadeError) as raised:
            look()
        assert str(raised.value) == "no load test of staging: make load-test TARGET=staging RAMP=quick"


def test_the_full_one_alone_is_missing(tmp_path: Path) -> None:
    """The quick one is judged."""
    found = looking_at(tmp_path, {"quick": of("quick")})

    assert len(found.quick()) == 1
    with pytest.raises(NotMadeError, match=r"of the ramp full: make load-test TARGET=staging RAMP=full$"):
        found.full()


def test_a_failure_of_today_counts_beside_an_old_result(tmp_path: Path) -> None:
    """A stale quick one hides no server error of the full one; nor does its own error count any more."""
    failing = Second(array("f", [0.02] * 50), {(503, "status"): 50}, {0.3: 0, 0.5: 0, 2.0: 0})

    def broken(result: Result) -> Result:
        return replace(
            result,
            seconds={name: dict.fromkeys(by, failing) for name, by in result.seconds.items()},
        )

    (today := tmp_path / "today").mkdir()
    (stale := tmp_path / "stale").mkdir()
    found = looking_at(today, {"quick": older(2)(of("quick")), "full": broken(of("full"))})
    assert found.broken("staging.slo-no-5xx") != []

    found = looking_at(stale, {"quick": broken(older(2)(of("quick")))})
    with pytest.raises(NotMadeError):
        found.broken("staging.slo-no-5xx")
