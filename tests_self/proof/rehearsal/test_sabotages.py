"""Every check is able to fail: each sabotage turns its line red, for its reason, and no other line."""

import json
import os
import re
from pathlib import Path

import pytest

from nox_rehearsal.day import moments
from nox_rehearsal.day.command import advice, difference, selection
from nox_rehearsal.day.phases import leading_up_to, moment_of, options, phases_with_checks
from nox_rehearsal.sabotages import SABOTAGES, Sabotage
from nox_rehearsal.world.state import World
from noxgate.project.checks import find_checks
from noxgate.project.runbook import read_runbook

from . import register
from .conftest import Gate, calm
from .pasting import Pasting
from .writes import watched

ROOT = Path(__file__).parents[3]
ALL = os.environ.get("NOXGATE_SABOTAGES") == "all"
TRIED = SABOTAGES if ALL else register.TRIED
# Topics of live that see what an earlier test broke.
LOOK_BACK = frozenset({"alerts", "dashboards", "key_metrics", "slower"})
WHOLE = register.WHOLE_OF_ALL if ALL else register.WHOLE


def test_no_sabotage_is_lost() -> None:
    """Nor proven in a weaker way than before, unless the change says so: see register.py."""
    rows, kept = register.rows(), register.FILE.read_text(encoding="utf-8").splitlines()
    new, lost = [row for row in rows if row not in kept], [row for row in kept if row not in rows]
    command = f"python -m tests_self.proof.rehearsal.register > {register.FILE.name}"
    assert rows == kept, f"new {new}, lost {lost}; if that is meant: {command}"


def test_every_checked_line_has_a_sabotage(pytestconfig: pytest.Config) -> None:
    """A check and the sabotage that turns it red are one change."""
    runbook = read_runbook(pytestconfig.rootpath / "runbook.toml")
    checked = {check.line_id for check in find_checks(pytestconfig.rootpath, runbook)}

    assert checked != set()
    assert checked - {sabotage.line for sabotage in SABOTAGES} == set()


def test_a_difference_names_what_to_change() -> None:
    """The sabotage's own file and line, for what is missed and for what else is red."""
    sabotage = next(one for one in SABOTAGES if one.id == "staging.version:rc1")

    assert advice(ROOT, sabotage, [], []) == ""
    said = advice(ROOT, sabotage, ["staging.version"], ["staging.health (failed: x)"])
    (place, again) = re.findall(r"src/nox_rehearsal/sabotages/\w+\.py:\d+", said)
    assert place == again
    assert '"rc1"' in (ROOT / place.partition(":")[0]).read_text(encoding="utf-8")
    assert "`also`" in said


def test_sabotage_ids_are_unique() -> None:
    """So that `--sabotage` names one fault."""
    ids = [sabotage.id for sabotage in SABOTAGES]

    assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("load_tested")
def test_nothing_broken_is_go_under_load(world: World, gate: Gate, pasting: Pasting) -> None:
    """The whole of staging, which is judged by a load test, too."""
    expect_go("staging", world, gate, pasting)


@pytest.mark.parametrize("phase", [phase for phase in phases_with_checks(ROOT) if phase != "staging"])
def test_nothing_broken_is_go(phase: str, world: World, gate: Gate, pasting: Pasting) -> None:
    """The same run without a sabotage; nothing is written but what the closed list has."""
    expect_go(phase, world, gate, pasting)


def expect_go(phase: str, world: World, gate: Gate, pasting: Pasting) -> None:
    """Each command under Repeat can be pasted."""
    moments.bring(world, moment_of(phase))
    if phase == moments.LIVE:
        calm(world)
    if markers := leading_up_to(phase):
        gate(markers=markers, profile=world.profile_of(phase))
    with watched(world, world.profile_of(phase)) as writes:
        run = gate(*options(phase), markers=phase, profile=world.profile_of(phase))

    assert run.status == 0, run.output
    assert writes.tried == []
    assert run.folder is not None
    results = json.loads((run.folder / "results.json").read_text())
    assert results["verdict"] == "GO"
    assert results["target"]["rehearsal"]
    assert pasting.failed(run.folder / "results.json", world.profile_of(phase)) == []


NOT_WORDS = re.compile(r"assert\b|[A-Z]\w*(Error|Exception)\b|\W*$")  # what Python says, or nothing


def reasons(folder: Path) -> list[str]:
    """Why checks failed: the first line of each, which people read."""
    lines = json.loads((folder / "results.json").read_text())["lines"]
    checks = [check for line in lines for check in line["checks"]]
    return [check["reason"] for check in checks if check["outcome"] == "failed"]


@pytest.mark.parametrize("sabotage", TRIED, ids=lambda sabotage: sabotage.id)
def test_sabotage(sabotage: Sabotage, world: World, gate: Gate, pytestconfig: pytest.Config) -> None:
    """Its line is red because of it, and of the other lines only those that must follow from it.

    Among all lines of its phase, or, not in WHOLE, among those of its topic.
    """
    root = pytestconfig.rootpath
    whole = sabotage.id in WHOLE
    phase, profile = sabotage.phase, world.profile_of(sabotage.phase)
    moments.bring(world, sabotage.moment)
    if phase == moments.LIVE and (whole or register.TOPICS[sabotage.line] in LOOK_BACK):
        calm(world)
    if markers := leading_up_to(phase):
        gate(markers=markers, profile=profile)
    with sabotage.on(world):
        markers = selection(root, sabotage, whole=whole)
        run = gate(*options(phase), markers=markers, profile=profile)

    assert run.folder is not None, run.output
    missed, surplus = difference(root, sabotage, run.folder, whole=whole)
    assert (missed, surplus) == ([], []), advice(root, sabotage, missed, surplus)
    assert [reason for reason in reasons(run.folder) if NOT_WORDS.match(reason)] == []
    no_go = sabotage.outcome == "failed"
    assert run.status in ({1} if no_go else {1, 2} if sabotage.also else {2})
