"""What a load test must find it finds without TLS and with it, from one process and from two.

Only in `make test-all`, and with NOXGATE_SABOTAGES=load, these alone: a load test for each takes a while.
"""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from nox_rehearsal.day import loading, under_load
from nox_rehearsal.day.under_load import Way
from nox_rehearsal.sabotages import Sabotage, load
from nox_rehearsal.sabotages.ways import at_ingress
from nox_rehearsal.world.state import World
from noxgate.project.runbook import read_runbook
from noxgate.slo.result import NAME, read
from noxgate.slo.slos import SloOutcome, overall, read_slos
from noxgate.slo.table import verdict

__test__ = os.environ.get("NOXGATE_SABOTAGES") in {"all", "load"}  # else pytest takes nothing from here
WAYS = [Way(plain, processes) for plain in (True, False) for processes in (1, 2)]
MEASURED = list(load.measured())
TRIES = 3
SLOS = read_slos(read_runbook(Path(__file__).parents[3] / "runbook.toml").lines)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{'http' if way.plain else 'https'}-{way.processes}")
@pytest.mark.parametrize("sabotage", MEASURED, ids=lambda sabotage: sabotage.id)
def test_found_either_way(sabotage: Sabotage, way: Way, world: World) -> None:
    """Its line ends as it must, what follows from it does not pass, and all else passes.

    Other work may leave more undecided: then it is tried again; what passes and must not, never.
    """
    loading.good(world)
    expected = {sabotage.line, *sabotage.also}
    must = SloOutcome(sabotage.outcome)
    for _ in range(TRIES):
        outcomes, reasons = _judged(sabotage, way, world)
        red = {line for line, outcome in outcomes.items() if outcome is not SloOutcome.PASSED}
        if not expected <= red or (red == expected and outcomes[sabotage.line] is must):
            break

    assert red == expected, (outcomes, reasons)
    assert outcomes[sabotage.line] is must, (outcomes, reasons)


def _judged(sabotage: Sabotage, way: Way, world: World) -> tuple[dict[str, SloOutcome], set[str]]:
    edge = at_ingress(redirect=None)(world) if way.plain else nullcontext()
    with under_load.by(way), edge, sabotage.on(world):
        result = read(under_load.results(world)[-1] / NAME)
    assert result.base_url == (world.plain_url if way.plain else world.base_url)
    assert result.processes == way.processes
    judgements = verdict(result, SLOS).judgements
    outcomes = {slo.line: overall(one for one in judgements if one.slo == slo) for slo in SLOS}
    return outcomes, {one.reason for one in judgements if one.outcome is not SloOutcome.PASSED}
