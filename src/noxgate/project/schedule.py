"""The 48 hours after the traffic switch: its checkpoints, when each is due, and which lines each judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from noxgate.project.runbook import Line, Runbook

PHASE = "window"
START = "0h"  # no checkpoint: whether the window is open, from the first minute on
GRACE = timedelta(hours=24)  # after the last checkpoint nothing else is due, so something has to end it
CHECKPOINT_RECORD = "checkpoint-record"  # the role of the lines that say when each is due


@dataclass(frozen=True)
class Checkpoint:
    """On time from `due` to `late`; after `over`, when the next one is due, it is not made up for."""

    name: str
    line: str
    due: datetime
    late: datetime
    over: datetime

    def minutes_late(self, at: datetime) -> int:
        """0 while it is on time."""
        return 0 if at <= self.late else -int((self.due - at) // timedelta(minutes=1))


@dataclass(frozen=True)
class Made:
    """One checkpoint as it was recorded: by whom, when, what was seen."""

    by: str
    at: datetime
    seen: str
    minutes_late: int
    why: str = ""


@dataclass(frozen=True)
class Window:
    """An open window. `shift` is by how much a rehearsal's clock is behind the cluster's; else nothing."""

    switched: datetime
    opened: datetime
    watcher: str
    checkpoints: Mapping[str, Checkpoint]
    promised: Mapping[str, datetime]  # the due times that the record gives
    made: Mapping[str, Made]
    shift: timedelta = timedelta()

    @property
    def ends(self) -> datetime:
        return max(each.due for each in self.checkpoints.values())


def names(runbook: Runbook) -> list[str]:
    """The checkpoints that the runbook has, in order: 1h, 6h, 24h, 48h."""
    return sorted((line.checkpoint for line in runbook.having(CHECKPOINT_RECORD)), key=_hours)


def looks(runbook: Runbook) -> list[str]:
    """What a run may be about: the start, or one of the checkpoints."""
    return [START, *names(runbook)]


def checkpoints(runbook: Runbook, switched: datetime) -> dict[str, Checkpoint]:
    """When each is due, counted from the traffic switch."""
    found: dict[str, Checkpoint] = {}
    for line in sorted(runbook.having(CHECKPOINT_RECORD), key=lambda line: -_hours(line.checkpoint)):
        due = switched + timedelta(hours=line.limits["hour"])
        late = due + timedelta(minutes=line.limits["late_minutes"])
        over = min((each.due for each in found.values()), default=due + GRACE)
        found[line.checkpoint] = Checkpoint(line.checkpoint, line.id, due, late, over)
    return dict(reversed(found.items()))


def due_at(runbook: Runbook, checkpoint: str, *, unrecorded: bool = False) -> list[Line]:
    """The lines of the window that a checkpoint judges: its own, and all that were due before.

    What is said of the whole window is due with the last. `unrecorded` leaves the checkpoint's own record
    out, which is about to be made of what this run finds.
    """
    last = max(map(_hours, names(runbook)))
    return [
        line
        for line in runbook.of_phase(PHASE)
        if _hour_of(line, last) <= _hours(checkpoint)
        and not (unrecorded and (line.role, line.checkpoint) == (CHECKPOINT_RECORD, checkpoint))
    ]


def _hour_of(line: Line, last: int) -> int:
    return _hours(line.checkpoint) if line.checkpoint else 0 if line.role == "opened" else last


def _hours(name: str) -> int:
    return int(name.removesuffix("h"))
