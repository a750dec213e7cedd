"""The records of the 48-hour window: it is opened once, and each checkpoint is made at its time or never."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.project import schedule
from noxgate.project.placeholder import is_placeholder
from noxgate.project.runbook import Runbook
from noxgate.project.schedule import Checkpoint, Made, Window
from noxgate.run.record import Record
from noxgate.trust.records import CHECKPOINT, OPENED, Chain, RecordError
from noxgate.trust.signing import SigningKey


class WindowError(NoxgateError):
    """What cannot be recorded of the window: one line saying what was expected, what was seen, what to do."""


def read_window(records: Sequence[Record], runbook: Runbook) -> Window | None:
    """The window that was opened last, with what was recorded of it since; None if none was opened."""
    opened = next((record for record in reversed(records) if record.kind == OPENED), None)
    if opened is None:
        return None
    try:
        switched = datetime.fromisoformat(opened.data["switched"])
        promised = {name: datetime.fromisoformat(due) for name, due in opened.data["due"].items()}
        shift = timedelta(seconds=opened.data.get("shift_seconds", 0) if opened.rehearsal else 0)
        due = schedule.checkpoints(runbook, switched)
        made: dict[str, Made] = {}
        for record in records[opened.number :]:
            if record.kind == CHECKPOINT:  # the first counts: a second try cannot replace it
                checkpoint = due[record.data["checkpoint"]]
                made.setdefault(checkpoint.name, _made(record, checkpoint))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        seen = f"saw another form ({type(error).__name__}: {error})"
        raise RecordError(f"record {opened.number}: expected an open window, {seen}") from None
    return Window(switched, opened.at, opened.by, due, promised, made, shift)


def open_window(
    chain: Chain,
    key: SigningKey,
    runbook: Runbook,
    *,
    switched: datetime,
    by: str,
    clock: datetime | None = None,
    shift: timedelta = timedelta(),
) -> Window:
    """Record when traffic was switched, when each checkpoint is due, and who watches.

    `clock` is a rehearsal's, and `shift` by how much it is behind the cluster's, which knows nothing of it.
    """
    by = " ".join(by.split())
    if not by or is_placeholder(by) or not by.isprintable():
        raise WindowError(f"--by: expected who watches the window, saw {by!r}")
    if clock is not None and not chain.rehearsal:
        raise WindowError(
            f"--clock: {chain.target} is not a rehearsal: its window goes by the clock on the wall"
        )
    now = clock or datetime.now(UTC)
    switched = switched.replace(microsecond=0)
    if switched > now:
        raise WindowError(
            f"traffic was switched at {said(switched)}, after now, {said(now)}: look at the clocks"
        )
    before = read_window(chain.read(), runbook)
    if before is not None and switched <= before.switched + timedelta(seconds=1):
        raise WindowError(f"the window of the switch at {said(before.switched)} is open already")
    due = {name: each.due.isoformat() for name, each in schedule.checkpoints(runbook, switched).items()}
    data: dict[str, Any] = {"switched": switched.isoformat(), "due": due}
    if shift:
        data["shift_seconds"] = shift.total_seconds()
    seen = f"traffic was switched at {said(switched)}; {by} watches"
    chain.append(key, kind=OPENED, line=runbook.one("opened").id, by=by, seen=seen, data=data, now=clock)
    found = read_window(chain.read(), runbook)
    assert found is not None
    return found


def refuse_clock(target: str, clock: datetime | None, *, rehearsal: bool) -> None:
    """Only a rehearsal, which plays days in minutes, has a clock of its own."""
    if clock is not None and not rehearsal:
        raise WindowError(f"--clock: {target} is not a rehearsal: its window goes by the clock on the wall")


def refusal(found: Window | None, name: str, now: datetime) -> str | None:
    """Why a checkpoint cannot be recorded now; None if it can."""
    if found is None:
        return "the window has not been opened: noxgate watch"
    checkpoint = found.checkpoints[name]
    if name in found.made:
        return f"checkpoint {name} is recorded already, {said(found.made[name].at)}"
    if now < checkpoint.due:
        return too_early(checkpoint, now)
    if now >= checkpoint.over:
        return (
            f"checkpoint {name} was missed: it was due {said(checkpoint.due)} and is not made up for "
            f"after {said(checkpoint.over)}"
        )
    return None


def too_early(checkpoint: Checkpoint, now: datetime) -> str:
    """What to say of a checkpoint that is still to come."""
    return f"checkpoint {checkpoint.name}: too early: due from {said(checkpoint.due)}, and it is {said(now)}"


def record_checkpoint(
    chain: Chain,
    key: SigningKey,
    runbook: Runbook,
    name: str,
    *,
    seen: str,
    data: Mapping[str, Any],
    why: str = "",
    clock: datetime | None = None,
) -> Made:
    """Record what a checkpoint found; WindowError before its time, after it is over, and a second time."""
    if clock is not None and not chain.rehearsal:
        raise WindowError(
            f"--clock: {chain.target} is not a rehearsal: its window goes by the clock on the wall"
        )
    now = clock or datetime.now(UTC)
    found = read_window(chain.read(), runbook)
    if (problem := refusal(found, name, now)) is not None:
        raise WindowError(problem)
    assert found is not None
    checkpoint = found.checkpoints[name]
    late = checkpoint.minutes_late(now)
    facts = {"checkpoint": name, "due": checkpoint.due.isoformat(), "minutes_late": late, "why": why, **data}
    record = chain.append(
        key, kind=CHECKPOINT, line=checkpoint.line, by=found.watcher, seen=seen, data=facts, now=clock
    )
    return _made(record, checkpoint)


def moment(text: str, option: str = "--clock") -> datetime:
    """A time with its zone; ValueError with one line."""
    found = None
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
    if found is None or found.tzinfo is None:
        raise ValueError(f"{option}: expected a time such as 2026-01-31T14:00:00Z, saw {text!r}")
    return found.astimezone(UTC)


def said(at: datetime) -> str:
    """A moment for people."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _made(record: Record, checkpoint: Checkpoint) -> Made:
    """How late it was, by its time alone."""
    late = checkpoint.minutes_late(record.at)
    return Made(record.by, record.at, record.seen, late, str(record.data.get("why", "")))
