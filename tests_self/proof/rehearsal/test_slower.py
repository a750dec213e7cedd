"""A release as fast as the one before is let through: both measured in one world."""

import json

import pytest

from nox_rehearsal.sabotages import slower
from nox_rehearsal.sabotages.ways import answers
from nox_rehearsal.world.state import World

from .conftest import Gate, Run

TRIES = 3
NOT_DECIDED = "not decided"


def outcomes(run: Run) -> dict[str, tuple[str, str]]:
    """Of the lines of the load test."""
    assert run.folder is not None, run.output
    lines = json.loads((run.folder / "results.json").read_text(encoding="utf-8"))["lines"]
    slo = ("staging.slo", "staging.load", "staging.science-job")
    return {one["id"]: (one["outcome"], one["reason"]) for one in lines if one["id"].startswith(slo)}


@pytest.mark.usefixtures("load_tested")
def test_no_version_before_does_not_count_under_load(gate: Gate) -> None:
    """As a rehearsal's record has it; all others pass."""
    found = outcomes(gate(markers="staging and slo"))

    outcome, why = found.pop(slower.LINE)
    assert outcome == "not counted"
    assert why == "release.toml names no earlier version that was measured: nothing to compare with"
    assert {outcome for outcome, _ in found.values()} == {"passed"}


def test_as_fast_as_the_version_before_under_load(gate: Gate, world: World) -> None:
    """Other work may leave it undecided: then it is measured again. Never is it called slower."""
    usual = answers(slower.delayed(slower.PATHS, slower.USUAL))
    for _ in range(TRIES):
        with slower.beside(usual)(world):
            run = gate(markers="staging and slo")
        outcome, why = outcomes(run)[slower.LINE]
        if not (outcome == "undecided" and why.startswith(NOT_DECIDED)):
            break

    assert (outcome, why) == ("passed", "")
    assert run.folder is not None
    (folder,) = run.folder.glob("load/*-beside-7.9.3")
    assert {path.name for path in folder.iterdir()} == {"slower.svg", "slower.txt"}
    assert folder.name in (run.folder / "report.html").read_text(encoding="utf-8")
