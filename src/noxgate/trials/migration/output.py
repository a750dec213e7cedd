"""What psql said while the migration ran on production, as the engineer kept it."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.project.saved import SavedFiles
from noxgate.trials import psql_messages

MOST = 3  # errors that are shown: the first counts, the rest follow from it


@dataclass(frozen=True)
class Output:
    """Its lines, the first of those that are errors, and when its last was written."""

    lines: int
    errors: tuple[str, ...]
    written: datetime


def newest_output(saved: SavedFiles, pattern: str, observe: Observe) -> Output:
    """Of the newest file of this pattern. Raises AssertionError if it does not exist."""
    repeat = saved.listing(pattern)
    try:
        path = saved.newest(pattern)
    except (UnreachableError, AssertionError) as error:
        observe(Observation(str(error), repeat))
        raise
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    numbers = [error.number for error in psql_messages.errors(lines)]
    errors = [f"line {number}: {shortened(lines[number - 1], 160)}" for number in numbers]
    repeat = f"grep -nE '^psql|ERROR|FATAL|PANIC' {shlex.quote(str(path))} || echo none"
    observe(Observation(f"{path.name}: {len(lines)} lines, {len(errors)} errors", repeat))
    return Output(len(lines), tuple(errors[:MOST]), datetime.fromtimestamp(path.stat().st_mtime, UTC))
