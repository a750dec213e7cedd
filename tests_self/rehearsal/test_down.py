"""With a system down, nothing is known about it: INCONCLUSIVE, one line for each check, no traceback."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from noxgate.rehearsal import world as worlds
from noxgate.rehearsal.sabotages.lines import DATABASE, HTTPS, REDIS
from noxgate.rehearsal.state import World

from .conftest import Gate, Run

EDGE = (*HTTPS, "staging.tls-version", "staging.tls-certificate", "staging.https-redirect")


@contextmanager
def stopped(world: World, part: str) -> Iterator[None]:
    """One part is stopped for as long as the block lasts."""
    worlds.stop(world, part)
    try:
        yield
    finally:
        worlds.start(world, part)


def outcomes(run: Run) -> dict[str, str]:
    """Line id -> outcome, for the lines that did not pass."""
    assert run.folder is not None, run.output
    lines = json.loads((run.folder / "results.json").read_text())["lines"]
    return {line["id"]: line["outcome"] for line in lines if line["outcome"] != "passed"}


def test_ingress_down(world: World, gate: Gate) -> None:
    """Nobody answers at the target's address."""
    with stopped(world, "ingress"):
        run = gate()

    assert run.status == 2
    assert outcomes(run) == dict.fromkeys(EDGE, "unreachable")
    assert "Traceback" not in run.output
    assert run.output.count("connection refused") == len(EDGE)


@pytest.mark.parametrize(("part", "own"), [("postgres", DATABASE), ("redis", REDIS)])
def test_data_store_down(part: str, own: tuple[str, ...], world: World, gate: Gate) -> None:
    """Its own lines are unreachable. The API without it is broken, and said to be: NO-GO, not a guess."""
    with stopped(world, part):
        run = gate()

    found = outcomes(run)
    assert {line: found.get(line) for line in own} == dict.fromkeys(own, "unreachable")
    assert found["staging.ready"] == "failed"
    assert run.status == 1


@pytest.mark.parametrize(("part", "own"), [("postgres", DATABASE), ("redis", REDIS)])
def test_data_store_down_alone(part: str, own: tuple[str, ...], world: World, gate: Gate) -> None:
    """Looked at alone: one line for each check, within seconds."""
    topic = "database" if part == "postgres" else "redis"
    with stopped(world, part):
        run = gate(markers=f"staging and {topic}")

    assert run.status == 2
    assert {line: outcomes(run).get(line) for line in own} == dict.fromkeys(own, "unreachable")
    assert "Traceback" not in run.output


def test_part_of_a_phase_names_what_was_not_run(gate: Gate) -> None:
    """A partial run may look green and is INCONCLUSIVE."""
    run = gate(markers="staging and oauth")

    assert run.status == 2
    assert "INCONCLUSIVE" in run.output
    assert "not run: staging.health, staging.version" in run.output


@pytest.mark.parametrize("options", [["-n", "2"], ["--random-order"], ["--random-order", "-n", "2"]])
def test_go_in_any_order_and_number(options: list[str], gate: Gate) -> None:
    """Checks share nothing: two processes or a shuffled order make no difference."""
    run = gate(*options)

    assert run.status == 0, run.output
    assert outcomes(run) == {}
