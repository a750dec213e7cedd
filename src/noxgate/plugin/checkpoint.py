"""The 48-hour window's options: which checkpoint a run is, and, in a rehearsal, what time it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from noxgate.project import schedule
from noxgate.project.runbook import Line, Runbook
from noxgate.project.schedule import PHASE, Window
from noxgate.trust.keys import Trust
from noxgate.trust.records import Chain, RecordError
from noxgate.window.records import WindowError, moment, read_window, refuse_clock, said, too_early


@dataclass(frozen=True)
class Now:
    """The checkpoint that a run is, and its time."""

    checkpoint: str
    at: datetime
    lines: tuple[Line, ...]


def add_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--checkpoint",
        metavar="NAME",
        help="which checkpoint of the 48-hour window is judged: 0h (it is open), 1h, 6h, 24h or 48h",
    )
    group.addoption(
        "--clock",
        metavar="TIME",
        help="a rehearsal's time of day, such as 2026-01-31T14:00:00Z; no real target takes one",
    )
    group.addoption(
        "--unrecorded",
        action="store_true",
        help="leave the checkpoint's own record out: noxgate watch makes it of what this run finds",
    )


def asked(
    config: pytest.Config, runbook: Runbook, phases: Sequence[str], trust: Trust | None, *, rehearsal: bool
) -> Now | None:
    """Which checkpoint, if this run is about the window.

    Raises UsageError if that cannot be, or is too early.
    """
    option = config.option
    given = {"--checkpoint": option.checkpoint, "--clock": option.clock, "--unrecorded": option.unrecorded}
    if PHASE not in phases:
        if wrong := [name for name, value in given.items() if value]:
            raise pytest.UsageError(f"{wrong[0]}: belongs to the 48-hour window: -m window")
        return None
    names = schedule.looks(runbook)
    if option.checkpoint not in names:
        seen = "none" if option.checkpoint is None else repr(option.checkpoint)
        raise pytest.UsageError(f"-m window: expected --checkpoint {'|'.join(names)}, saw {seen}")
    try:
        clock = None if option.clock is None else moment(option.clock)
        refuse_clock(trust.target if trust else "the target", clock, rehearsal=rehearsal)
    except (ValueError, WindowError) as error:
        raise pytest.UsageError(str(error)) from None
    now = clock or datetime.now(UTC)
    lines = tuple(schedule.due_at(runbook, option.checkpoint, unrecorded=option.unrecorded))
    found = None if trust is None else read(config, runbook, trust)
    due = found.checkpoints.get(option.checkpoint) if isinstance(found, Window) else None
    if due is not None and now < due.due:
        raise pytest.UsageError(too_early(due, now))
    return Now(option.checkpoint, now, lines)


def switched_at(config: pytest.Config) -> datetime | None:
    """When the operator says that traffic was switched. Raises UsageError if it is not a time."""
    given = config.option.switched_at
    try:
        return None if given is None else moment(given, "--switched-at")
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def read(config: pytest.Config, runbook: Runbook, trust: Trust) -> Window | str:
    """The window as it is recorded; else what there is instead."""
    try:
        found = read_window(chain(config, runbook, trust).read(), runbook)
    except RecordError as error:
        return str(error)
    return (
        found or f"expected the record of an open window of {trust.target}, saw none: noxgate watch opens it"
    )


def chain(config: pytest.Config, runbook: Runbook, trust: Trust) -> Chain:
    """The records of this release on this target."""
    return trust.chain(config.rootpath / Path(config.option.reports), runbook.release.version)


def header(now: Now) -> str:
    """For the head of a run."""
    return f"checkpoint {now.checkpoint}, as of {said(now.at)}: {len(now.lines)} lines are due"
