"""Every check is able to fail: each sabotage turns its line red, for its reason, and no other line."""

import json
import os
from pathlib import Path

import pytest

from noxgate.checks import find_checks
from noxgate.rehearsal import moments
from noxgate.rehearsal.day import (
    difference,
    leading_up_to,
    moment_of,
    options,
    phases_with_checks,
    selection,
)
from noxgate.rehearsal.sabotages import SABOTAGES, Sabotage
from noxgate.rehearsal.state import World
from noxgate.runbook import read_runbook

from .conftest import Gate, calm
from .writes import watched

ROOT = Path(__file__).parents[2]


FIRST = {sabotage.line: sabotage for sabotage in reversed(SABOTAGES)}.values()
TOPICS = {check.line_id: check.topic for check in find_checks(ROOT, read_runbook(ROOT / "runbook.toml"))}
# `make test` tries the first of each line, among all lines of its phase the first of each topic;
# `make test-all` tries all, among all lines of its phase the first of each line: it takes longer than CI may.
ALL = os.environ.get("NOXGATE_SABOTAGES") == "all"
TRIED = SABOTAGES if ALL else sorted(FIRST, key=SABOTAGES.index)
WHOLE = {
    sabotage.id
    for sabotage in (
        FIRST if ALL else {(one.phase, TOPICS.get(one.line)): one for one in reversed(TRIED)}.values()
    )
}


def test_every_checked_line_has_a_sabotage(pytestconfig: pytest.Config) -> None:
    """A check and the sabotage that turns it red are one change."""
    runbook = read_runbook(pytestconfig.rootpath / "runbook.toml")
    checked = {check.line_id for check in find_checks(pytestconfig.rootpath, runbook)}

    assert checked != set()
    assert checked - {sabotage.line for sabotage in SABOTAGES} == set()


def test_sabotage_ids_are_unique() -> None:
    """So that `--sabotage` names one fault."""
    ids = [sabotage.id for sabotage in SABOTAGES]

    assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("load_tested")
@pytest.mark.parametrize("phase", phases_with_checks(ROOT))
def test_nothing_broken_is_go(phase: str, world: World, gate: Gate) -> None:
    """The same run without a sabotage; nothing is written but what the closed list has."""
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


@pytest.mark.parametrize("sabotage", TRIED, ids=lambda sabotage: sabotage.id)
def test_sabotage(sabotage: Sabotage, world: World, gate: Gate, pytestconfig: pytest.Config) -> None:
    """Its line is red because of it, and only what must follow is red besides.

    Among all lines of its phase, or, not in WHOLE, among those of its topic.
    """
    root = pytestconfig.rootpath
    whole = sabotage.id in WHOLE
    phase, profile = sabotage.phase, world.profile_of(sabotage.phase)
    moments.bring(world, sabotage.moment)
    if phase == moments.LIVE:
        calm(world)
    if markers := leading_up_to(phase):
        gate(markers=markers, profile=profile)
    with sabotage.on(world):
        markers = selection(root, sabotage, whole=whole)
        run = gate(*options(phase), markers=markers, profile=profile)

    assert run.folder is not None, run.output
    assert difference(root, sabotage, run.folder / "results.json", whole=whole) == ([], [])
    no_go = sabotage.outcome == "failed"
    assert run.status in ({1} if no_go else {1, 2} if sabotage.also else {2})
