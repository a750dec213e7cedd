"""The workflow's own gate step, as a script, against the rehearsal: the three-way exit status is kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests_self import workflow

from nox_rehearsal.day import loading
from nox_rehearsal.sabotages import chosen
from nox_rehearsal.world.state import World
from noxgate.slo.result import Result

ROOT = Path(__file__).parents[2]


def in_time(result: Result) -> Result:
    """A load test on a busy machine may be late, and then it decides nothing; what it measured is kept."""
    return replace(result, problems=(), holds=tuple(replace(held, spoiled=()) for held in result.holds))


def step(world: World, reports: Path, *options: str) -> workflow.Done:
    """The step with the rehearsal as its target."""
    more = " ".join([f"--reports={reports}", "-q", *options])
    # a rehearsal has one ramp, which the world has had
    known = {"GATE_TARGET": str(world.profile), "LOAD_RAMPS": ""}
    return workflow.run("Gate", ROOT, {}, known, PYTEST_ADDOPTS=more)


@pytest.mark.usefixtures("load_tested")
def test_go(world: World, tmp_path: Path) -> None:
    """The whole phase: status 0, signed, and the table of what was seen."""
    with loading.edited(world, in_time):
        done = step(world, tmp_path)

    assert done.status == 0, done.output
    (run,) = tmp_path.glob("*/*/results.json")
    results = json.loads(run.read_text())
    assert (results["verdict"], results["whole"]) == ("GO", ["staging"])
    assert done.summary.startswith("## GO &#40;rehearsal&#41;")
    assert done.summary.count("\n| passed |") == len(results["lines"])
    assert (run.parent / "evidence.dsse.json").is_file()


def test_no_go(world: World, tmp_path: Path) -> None:
    """One line is wrong: status 1, and what to do is the last word."""
    (sabotage,) = chosen("staging.version:rc1")
    with sabotage.on(world):
        done = step(world, tmp_path, "-k", "staging.version")

    assert done.status == 1, done.output
    assert "| failed | staging.version |" in done.summary
    assert done.output.splitlines()[-1].startswith("Next       staging.version: ")


def test_inconclusive(world: World, tmp_path: Path) -> None:
    """Something was not looked at: status 2, though nothing failed."""
    done = step(world, tmp_path, "-k", "staging.version")

    assert done.status == 2, done.output
    assert done.summary.startswith("## INCONCLUSIVE &#40;rehearsal&#41;")
    assert "| not run |" in done.summary
