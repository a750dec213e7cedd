"""The states that a load test was given: kept as digests, whole or not at all, and compared in staging."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests_self.simulated import simulated

from nox_service.access.guessing import digest, repeated
from noxgate.slo.ramps import read_ramps
from noxgate.slo.result import read, write
from noxgate_load.states import MOST, States

SMOKE = read_ramps(Path(__file__).parents[3])["smoke"]


def test_digests_are_drained_once() -> None:
    states = States()
    for number in range(5):
        states.take("github", digest(f"state-{number}"))

    assert states.drain() == {"github": [digest(f"state-{number}") for number in range(5)]}
    assert states.drain() == {}


def test_those_of_all_workers_come_together() -> None:
    """Two of them may have been given the same: that is what is looked for."""
    master, workers = States(), [States(), States()]
    for worker in workers:
        worker.take("github", digest("the-same"))
        master.add(worker.drain())

    assert len(master.seen["github"]) == 2
    assert repeated(master.seen["github"]) != []


def test_no_more_are_kept_than_are_of_use() -> None:
    states = States()
    for number in range(MOST + 9):
        states.take("github", str(number))
        if number % 1000 == 0:
            states.add(states.drain())
    states.add(states.drain())
    states.add({"github": ["one more"]})

    assert len(states.seen["github"]) == MOST


@pytest.mark.parametrize("states", [{}, {"github": ("aa", "bb"), "google": ()}])
def test_result_has_them(tmp_path: Path, states: dict[str, tuple[str, ...]]) -> None:
    """And one that was made before there were any can be read as ever."""
    result = replace(simulated(SMOKE), states=states)
    write(tmp_path / "result.json.gz", result)

    assert read(tmp_path / "result.json.gz").states == states
