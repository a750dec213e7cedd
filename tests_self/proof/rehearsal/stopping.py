"""A world of which something is stopped, and how its lines come out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from nox_rehearsal.parts import pods
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World

from .conftest import Run

KEPT = 6  # connections of a pod that the stop has cut: each is found out by one look


@contextmanager
def stopped(world: World, part: str) -> Iterator[None]:
    """One part is stopped for as long as the block lasts."""
    worlds.stop(world, part)
    try:
        yield
    finally:
        worlds.start(world, part)
        for _ in range(KEPT):
            pods.wait_until_ready({**world.pods, **world.blue_pods}, within=60)


def outcomes(run: Run) -> dict[str, str]:
    """Line id -> outcome, for the lines that count and did not pass."""
    assert run.folder is not None, run.output
    lines = json.loads((run.folder / "results.json").read_text())["lines"]
    good = {"passed", "not counted"}  # a rehearsal's record names no version before
    return {line["id"]: line["outcome"] for line in lines if line["outcome"] not in good}
