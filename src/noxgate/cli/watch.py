"""The command `noxgate watch`: opens the 48-hour window, and makes each checkpoint when it is due."""

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from noxgate.blue_green.switch_time import kept_beside
from noxgate.errors import Exit, ProfileError, UnreachableError
from noxgate.project import schedule
from noxgate.project.here import Project
from noxgate.project.profile import read_target
from noxgate.project.release_facts import FactsError
from noxgate.project.runbook import Runbook
from noxgate.project.schedule import PHASE, START, Window
from noxgate.project.which.rule import choose
from noxgate.trust import keys
from noxgate.trust.persons.people import PersonError, person
from noxgate.trust.records import Chain, RecordError
from noxgate.trust.signing import SigningError, SigningKey
from noxgate.window import switch
from noxgate.window.records import (
    WindowError,
    moment,
    open_window,
    read_window,
    record_checkpoint,
    refusal,
    refuse_clock,
    said,
)
from noxgate.window.running import RunEnd, look

ERRORS = (
    ProfileError,
    FactsError,
    PersonError,
    RecordError,
    SigningError,
    WindowError,
    switch.NotSwitchedError,
)


@dataclass(frozen=True)
class Watch:
    """One target's window, and whose key signs. `clock` is what time it is in a rehearsal."""

    project: Project
    profile: str
    trust: keys.Trust
    chain: Chain
    key: SigningKey
    clock: datetime | None
    switched_at: datetime | None = None  # as the operator says

    @property
    def runbook(self) -> Runbook:
        return self.project.runbook

    @property
    def now(self) -> datetime:
        return self.clock or datetime.now(UTC)

    def window(self) -> Window | None:
        return read_window(self.chain.read(), self.runbook)

    def open(self, by: str) -> Window | None:
        """Open the window of the last switch; None if that one is open already."""
        phases = [phase.name for phase in self.runbook.phases.values() if phase.folder]
        switched = switch.switched_at(
            read_target(self.project.root, self.profile, phases),
            self.runbook.service,
            kept_beside(self.chain.folder),
            self.switched_at,
        )
        # what the cluster says is as long ago as it says, by whichever clock
        behind = datetime.now(UTC) - self.now if self.clock else timedelta()
        before = self.window()
        if before is not None:
            behind = before.shift if self.clock else behind
            if switched - behind <= before.switched + timedelta(seconds=1):
                return None
        return open_window(
            self.chain,
            self.key,
            self.runbook,
            switched=switched - behind,
            by=person(self.trust, by).name,
            clock=self.clock,
            shift=behind,
        )

    def make(self, name: str, finding: RunEnd, why: str) -> None:
        """Record what a checkpoint's run found."""
        record_checkpoint(
            self.chain,
            self.key,
            self.runbook,
            name,
            seen=finding.seen,
            data=finding.data,
            why=why,
            clock=self.clock,
        )


def watch(given: argparse.Namespace) -> int:
    """Open the window, make the checkpoint that is due, show what is to come."""
    here = _watch(given)
    before = here.window()
    try:
        found = _opened(here, given.by)
    except UnreachableError as error:
        print(f"noxgate: could not look: {error}", file=sys.stderr)
        return Exit.INCONCLUSIVE
    name = next((each for each in found.checkpoints if refusal(found, each, here.now) is None), None)
    statuses = {Exit.GO}
    if before is None or before.switched != found.switched:  # for the page that people look at tonight
        statuses.add(_status(look(here.project, here.profile, START, here.clock, Path(given.reports))))
    if name is not None:
        statuses.add(_checkpoint(here, name, given))
    after = here.window()
    assert after is not None
    missed = [
        each for each in after.checkpoints.values() if each.name not in after.made and here.now >= each.over
    ]
    if given.by or name or missed or sys.stdout.isatty():  # cron mails all that is said
        print("\n".join(table(after, here.now)), flush=True)
    return Exit.NO_GO if missed or Exit.NO_GO in statuses else max(statuses)


def table(found: Window, now: datetime) -> list[str]:
    """What was made, what is due, and what is to come."""
    rows = [f"window: traffic was switched {said(found.switched)}, {found.watcher} watches"]
    for each in found.checkpoints.values():
        made = found.made.get(each.name)
        if made is not None:
            late = f", {made.minutes_late} min late" if made.minutes_late else ""
            state = f"made {said(made.at)}{late}: {made.seen}"
        elif now >= each.over:
            state = "MISSED, and not made up for"
        elif now > each.late:
            state = "LATE: make it now"
        else:
            state = "due now" if now >= each.due else "to come"
        rows.append(f"  {each.name:<4}due {said(each.due)}, until {each.late:%H:%M}   {state}")
    return rows


def _watch(given: argparse.Namespace) -> Watch:
    project = Project.of(given)
    chosen = choose(project.root, given.target, phase=PHASE)
    if given.by or sys.stdout.isatty():  # cron mails all that is said
        print(chosen, flush=True)
    name = chosen.name
    trusted = keys.read_trust(project.root, name)
    keys.refuse_other_phase(trusted, PHASE)
    try:
        clock = None if given.clock is None else moment(given.clock)
        said_at = None if given.switched_at is None else moment(given.switched_at, "--switched-at")
    except ValueError as error:
        raise WindowError(str(error)) from None
    refuse_clock(trusted.target, clock, rehearsal=trusted.rehearsal)
    chain = trusted.chain(project.reports, project.runbook.release.version)
    return Watch(project, name, trusted, chain, trusted.to_sign(os.environ), clock, said_at)


def _opened(here: Watch, by: str | None) -> Window:
    """The open window; with --by one is opened for a switch without one."""
    found = here.window()
    if found is None and by is None:
        raise WindowError("no window is open: expected --by NAME, who watches, to open it")
    if by is not None and (opened := here.open(by)) is not None:
        print(f"opened: {opened.watcher} watches from {said(opened.switched)} to {said(opened.ends)}")
        return opened
    assert found is not None
    return found


def _checkpoint(here: Watch, name: str, given: argparse.Namespace) -> Exit:
    """Look, then record; the last one looks again, at the records too: that is the window's verdict."""
    reports = Path(given.reports)
    finding = look(here.project, here.profile, name, here.clock, reports, unrecorded=True)
    if finding is None:
        print(f"noxgate: checkpoint {name} was not made: pytest gave no verdict", file=sys.stderr)
        return Exit.INCONCLUSIVE
    here.make(name, finding, given.why)
    print(f"checkpoint {name} recorded: {finding.seen}", flush=True)
    if name == schedule.names(here.runbook)[-1]:
        return _status(look(here.project, here.profile, name, here.clock, reports, unrecorded=False))
    return finding.status


def _status(finding: RunEnd | None) -> Exit:
    return Exit.INCONCLUSIVE if finding is None else finding.status
