"""Unless a load test of today, this release and target was made, its lines are not run."""

import re
from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests_self.building.load_results import RUNBOOK, URL, good

from noxgate.cli.load import counts_for_nothing
from noxgate.errors import NotMadeError
from noxgate.slo.holds import Second
from noxgate.slo.kept.results import LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.ramps import Ramp, read_ramps
from noxgate.slo.result import NAME, Result, write

ROOT = Path(__file__).parents[3]
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
    of = LoadSettings("staging", "staging", URL, rehearsal=False)
    return LoadTest(LoadResults(of, folder, RAMPS, lambda *_: ""), RUNBOOK, lambda _: None)


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
    with pytest.raises(NotMadeError) as raised:
        found.full()
    assert re.fullmatch(
        r"no load test of staging of the ramp full that counts \(\S+Z-staging-quick is of the ramp quick, "
        r"which does not count: full does\): make load-test TARGET=staging RAMP=full",
        str(raised.value),
    )


def test_what_lies_there_is_named(tmp_path: Path) -> None:
    """Why it does not count, and the command that makes what does; in a rehearsal that is the smoke test."""
    found = looking_at(tmp_path, {"smoke": of("smoke"), "rate": of("rate")})

    with pytest.raises(NotMadeError) as raised:
        found.quick()
    said = str(raised.value)
    assert said.startswith("no load test of staging that counts (")
    assert "-staging-smoke is of the ramp smoke, which does not count: it is not evidence" in said
    assert "-staging-rate is of the ramp rate, which does not count: quick or full does" in said
    assert said.endswith("): make load-test TARGET=staging RAMP=quick")


def test_a_smoke_test_of_a_real_target_says_what_it_is() -> None:
    """In its last line; of a rehearsal it counts."""
    smoke = of("smoke")

    assert counts_for_nothing(smoke, "staging") == (
        "it counts for nothing: no line is judged by it; what counts: "
        "make load-test TARGET=staging RAMP=quick, then make load-test TARGET=staging RAMP=full"
    )
    assert counts_for_nothing(smoke, "own dir/of.toml").endswith(
        "then make load-test TARGET='own dir/of.toml' RAMP=full"
    )
    assert counts_for_nothing(replace(smoke, rehearsal=True), "staging") == ""
    assert [counts_for_nothing(of(ramp), "staging") for ramp in ("quick", "full", "rate")] == ["", "", ""]


def test_the_newest_of_its_ramp_counts(tmp_path: Path) -> None:
    """An older one is named as such; a full one does for a quick one."""
    found = looking_at(tmp_path, {"full": of("full")})

    assert [why for _, why in found.lying("quick")] == [""]
    assert [why for _, why in found.lying("full")] == [""]
    old = tmp_path / "20200101T000000Z-staging-full"
    old.mkdir()
    assert [why.partition(",")[0] for _, why in found.lying("full")] == [
        "",
        "is older than another of its ramp",
    ]


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
