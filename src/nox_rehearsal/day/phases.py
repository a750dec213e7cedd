"""The phases of the day, as a rehearsal plays them."""

from pathlib import Path

from nox_rehearsal.day import moments
from noxgate.project.checks import find_checks
from noxgate.project.runbook import read_runbook

PHASES = ("preflight", "staging", "prep", "green", "live", "window", "rollback")  # in the order of the day


def phases_with_checks(root: Path) -> list[str]:
    """In the order of the day."""
    checks = find_checks(root, read_runbook(root / "runbook.toml"))
    there = {check.line_id.partition(".")[0] for check in checks}
    return [phase for phase in PHASES if phase in there]


def moment_of(phase: str) -> str:
    """The moment from which a phase's checks are true."""
    return phase if phase in moments.ORDER else moments.START


def options(phase: str) -> list[str]:
    """What pytest is told in addition: of the window its end is looked at."""
    return ["--checkpoint=48h"] if phase == moments.WINDOW else []


def leading_up_to(phase: str) -> str | None:
    """The checks whose findings a phase compares with: they have to have been run before."""
    return "prep and blue" if phase == "rollback" else None
