"""What the sign-off page shows: phases, lines, and what the whole comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from noxgate.project.runbook import Line, Phase
from noxgate.run.record import Record
from noxgate.run.verdict import Outcome, Verdict, verdict_of


class Shown(StrEnum):
    """What the page says of a line, best first. Unproven: a run says passed, and the run is not believed."""

    PASSED = "passed"
    NOT_COUNTED = "not counted"
    WAIVED = "waived"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"
    UNREACHABLE = "unreachable"
    UNPROVEN = "unproven"
    FAILED = "failed"


class Status(StrEnum):
    """The runbook's three words."""

    SUCCESS = "Success"
    ROLLED_BACK = "Rolled Back"
    PARTIAL = "Partial Issues"

    @property
    def good(self) -> bool:
        return self is Status.SUCCESS


GOOD = {Shown.PASSED, Shown.NOT_COUNTED, Shown.WAIVED}
_COUNTS_AS = {
    Shown.PASSED: Outcome.PASSED,
    Shown.NOT_COUNTED: Outcome.NOT_COUNTED,
    Shown.WAIVED: Outcome.WAIVED,
    Shown.FAILED: Outcome.FAILED,
}


def worst(outcomes: Iterable[Shown]) -> Shown:
    """The worst; without any, not run."""
    order = list(Shown)
    return max(outcomes, key=order.index, default=Shown.NOT_RUN)


def verdict_on(outcomes: Iterable[Shown]) -> Verdict:
    """What is not proven is not GO."""
    return verdict_of(_COUNTS_AS.get(outcome, Outcome.NOT_RUN) for outcome in outcomes)


@dataclass(frozen=True)
class Look:
    """One thing that a check saw, and how to see it again."""

    seen: str
    repeat: str


@dataclass(frozen=True)
class ShownCheck:
    """A check of a line."""

    node: str
    outcome: str
    reason: str
    seconds: float
    looks: tuple[Look, ...] = ()
    left_out: int = 0  # looks that are in results.json alone
    measured: tuple[float, float] | None = None  # least and most of what the last look saw


@dataclass(frozen=True)
class Word:
    """What a person says of a line."""

    by: str
    at: str
    seen: str
    rehearsal: bool
    key: str = ""  # whose key signed it, where the release record gives them another one or none


@dataclass(frozen=True)
class Accepted:
    """Who answers for a failed line, and until when."""

    owner: str
    reason: str
    expires: str


@dataclass(frozen=True)
class ShownLine:
    """One runbook line, as the newest run of its phase left it."""

    line: Line
    outcome: Shown
    reason: str = ""
    checks: tuple[ShownCheck, ...] = ()
    word: Word | None = None
    waiver: Accepted | None = None
    at: datetime | None = None  # when the run began
    note: str = ""
    held_by: tuple[str, ...] = ()  # of a derived line: the lines that it waits for
    seen: str = ""  # of a derived line
    due: bool = True  # False: the 48-hour window has not come to it


@dataclass(frozen=True)
class Seal:
    """Whether a run is believed: who sealed it, or all that speaks against it."""

    believed: bool
    sealed: bool
    signer: str = ""
    account: str = ""
    refusals: tuple[str, ...] = ()
    commit: str = ""
    images: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.believed:
            return f"sealed by {self.signer}"
        return f"REFUSED: {'; '.join(self.refusals)}" if self.sealed else "unsealed"


@dataclass(frozen=True)
class ShownRun:
    """The newest run of a phase."""

    folder: Path
    target: str
    base_url: str
    phases: tuple[str, ...]
    verdict: str
    started: datetime
    ended: datetime
    seconds: float | None  # None if by its clock it ended before it began
    seal: Seal


@dataclass(frozen=True)
class ShownPhase:
    """A phase, its newest run (None before the first) and its lines in the runbook's order."""

    phase: Phase
    run: ShownRun | None
    lines: tuple[ShownLine, ...]
    seconds: float | None = None
    counted: bool = True  # whether the release waits for it
    problem: str = ""  # what is there and cannot be read
    target: str = "NAME"  # that serves it, as a command names it

    def against(self) -> str:
        """Why its run proves nothing; empty if it does."""
        if self.run is None:
            return self.problem or "there is no run of this phase"
        return "" if self.run.seal.believed else f"{self.run.folder.name} is {self.run.seal}"

    @property
    def verdict(self) -> Verdict:
        """What is not due yet is left out: a window is judged at each of its checkpoints."""
        return verdict_on(shown.outcome for shown in self.lines if shown.due)

    def not_due(self) -> int:
        """How many of its lines are not due yet."""
        return sum(not shown.due for shown in self.lines)

    def count(self, *outcomes: Shown) -> int:
        """How many of its lines came to one of these."""
        return sum(shown.outcome in outcomes for shown in self.lines)


@dataclass(frozen=True)
class Load:
    """A load test of the evidence: its plots, and one row for each of its SLOs."""

    name: str
    picture: bytes
    rows: tuple[tuple[str, ...], ...]  # the first names the columns
    believed: bool


@dataclass(frozen=True)
class SignOff:
    """Everything on the page."""

    service: str
    release: str
    rehearsal: bool
    made: datetime
    phases: tuple[ShownPhase, ...]
    derived: tuple[ShownLine, ...]
    problems: tuple[str, ...]
    records: tuple[Record, ...]
    loads: tuple[Load, ...]
    verdict: Verdict
    status: Status
    engineer: str
    switched: datetime | None
    switch_said_by: str
    next_review: datetime | None

    def lines(self) -> Mapping[str, ShownLine]:
        """Every line of the runbook, by id."""
        looked_at = [shown for phase in self.phases for shown in phase.lines]
        return {shown.line.id: shown for shown in (*looked_at, *self.derived)}

    def places(self) -> list[tuple[str, str]]:
        """Each target and address that was looked at: two runs of one target may have been led to two."""
        runs = [phase.run for phase in self.phases if phase.run]
        return list(dict.fromkeys((run.target, run.base_url) for run in runs))

    def held_back_by(self) -> list[ShownLine]:
        """The lines for which it is not GO, worst first."""
        order = list(Shown)
        found = [
            shown
            for phase in self.phases
            for shown in phase.lines
            if (phase.counted and shown.outcome not in GOOD) or shown.outcome is Shown.FAILED
        ]
        return sorted(found, key=lambda shown: -order.index(shown.outcome))

    def unbelieved(self) -> list[ShownPhase]:
        """The phases that the release waits for, whose run is missing or proves nothing."""
        return [
            phase for phase in self.phases if phase.counted and (not phase.run or not phase.run.seal.believed)
        ]

    def held_lines(self) -> list[ShownLine]:
        """What holds it back, without the lines for which their phase speaks."""
        spoken_for = {phase.phase.name for phase in self.unbelieved()}
        return [
            shown
            for shown in self.held_back_by()
            if shown.line.phase not in spoken_for or shown.outcome not in {Shown.NOT_RUN, Shown.UNPROVEN}
        ]

    @property
    def word(self) -> str:
        """The word in the largest letters."""
        return self.status.upper() if self.status is Status.ROLLED_BACK else str(self.verdict)

    @property
    def headline(self) -> str:
        """The same, where nothing else says that it was a rehearsal."""
        return f"{self.word} (rehearsal)" if self.rehearsal else self.word
