"""What several tests of the page change about a release."""

# ruff: noqa: F811 (fixtures of another file)
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests_self.building.signoffs import BEGAN, PHASES, TINY, Release, of, outcome, release  # noqa: F401 (fixtures)

ROOT = Path(__file__).parents[4]


def failed(release: Release) -> None:
    release.runs("green")
    release.run("green", change=outcome("green.health", "failed"))


def unsealed(release: Release) -> None:
    release.runs("green")
    release.run("green", sealed=False)


def of_target(name: str) -> Callable[[dict[str, Any]], object]:
    """Let a run be of a rehearsal."""
    return lambda results: results["target"].update(name=name, rehearsal=True)
