"""A real master and workers that are unlike it: their clocks, when they come, whether they stay.

They send nothing and say what they would have measured, so that what must be there is known to the request.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from benchmarks.generators.one_master import Mastered, mastered

from noxgate_load.health import Clocks

EACH_SECOND, HOLD = 500, 5
LIKE_ALL: Mapping[str, float] = {}
OTHERS: Mapping[str, Mapping[str, float]] = {
    "like all": {},
    "its clock is ahead": {"ahead": 9},
    "its clock is behind": {"ahead": -7.4},
    "its reports take long": {"delay": 0.4},
    "it is slow": {"late": 0.1},
    "it joins late": {"joins": 8},
    "it is away for a moment": {"lost": 4, "back": 5.5},
    "it is lost": {"lost": 3},
    "it is lost and comes back": {"lost": 3, "back": 12},
}
AT_ONCE = 4


@pytest.fixture(scope="module")
def runs() -> Mapping[str, Mastered]:
    """Two workers each, of which one is another: some at once, for most of the time they wait."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {
            name: pool.submit(mastered, [LIKE_ALL, other], EACH_SECOND, HOLD)
            for name, other in OTHERS.items()
        }
        return {name: run.result() for name, run in started.items()}


def counted(run: Mastered) -> list[int]:
    """The requests of each second of the hold."""
    (held,) = run.result.holds
    return [
        sum(len(by[second].times) for by in run.result.seconds.values() if second in by)
        for second in range(held.start, held.end)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "like all",
        "its clock is ahead",
        "its clock is behind",
        "its reports take long",
        "it is away for a moment",
    ],
)
def test_what_is_passed(runs: Mapping[str, Mastered], name: str) -> None:
    """All that was measured on the hold is counted on it: no request of before or after."""
    run = runs[name]
    assert run.reasons == ()
    assert counted(run) == [2 * EACH_SECOND] * HOLD
    assert run.result.sent == sum(
        len(second.times) for by in run.result.seconds.values() for second in by.values()
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("it is slow", "the generator was late: 10.0 % of worker 00000001's timers"),
        ("it joins late", "a process of the generator was lost: 1 of 2 are left"),
        ("it is lost", "a process of the generator was lost: 1 of 2 are left"),
        ("it is lost and comes back", "a process of the generator was lost: 1 of 2 are left"),
    ],
)
def test_what_is_not_decided(runs: Mapping[str, Mastered], name: str, why: str) -> None:
    assert any(why in reason for reason in runs[name].reasons)


def test_a_clock_is_taken_before_the_first_request() -> None:
    clocks = Clocks()
    clocks.take("a", 107.9, 100.0, has_begun=False)  # this report was late by five seconds
    clocks.take("a", 115.9, 103.0, has_begun=False)
    clocks.take("a", 117.9, 105.9, has_begun=True)

    assert clocks.shift("a") == -13
    assert clocks.problems() == []


def test_a_clock_that_is_known_too_late_is_said() -> None:
    """Its requests are in seconds that were not theirs, and cannot be moved any more."""
    clocks = Clocks()
    clocks.take("a", 100.0, 105.0, has_begun=False)
    clocks.take("a", 103.0, 108.0, has_begun=True)
    assert clocks.problems() == []
    clocks.take("a", 106.0, 106.1, has_begun=True)

    assert clocks.shift("a") == 5
    (said,) = clocks.problems()
    assert said.startswith("worker a: its first reports came 4.9 s later than others")
