"""What a run found, as results.json has it: `noxgate.run.results_file` reads and writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from noxgate.run.verdict import CheckResult, Judgement, LineResult, Outcome, Verdict


@dataclass(frozen=True)
class RunTarget:
    """The target, as it was looked at."""

    name: str
    rehearsal: bool
    base_url: str = ""
    namespace: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)  # variable -> what it said otherwise
    points_at: Mapping[str, str] = field(default_factory=dict)  # credential -> where it led
    names: Mapping[str, str] = field(default_factory=dict)  # what a Next may name -> what the target calls it


@dataclass(frozen=True)
class Selection:
    """What was asked for, in pytest's words."""

    m: str = ""
    k: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attested:
    """The record of a person by which a line was judged."""

    record: int
    by: str
    account: str
    at: datetime
    seen: str
    rehearsal: bool
    signed_by: str = ""
    own_key: bool | None = None


@dataclass(frozen=True)
class Acceptance:
    """Who answers for a failed line, and until when."""

    owner: str
    reason: str
    expires: date


@dataclass(frozen=True)
class Judged:
    """One runbook line."""

    id: str
    outcome: Outcome
    reason: str
    checks: tuple[CheckResult, ...]
    attestation: Attested | None = None
    waiver: Acceptance | None = None
    ref: str = ""
    section: str = ""
    expected: str = ""

    @property
    def phase(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Results:
    """All of it. `whole` are the phases of which nothing was left out by what was asked for."""

    schema: int
    verdict: Verdict
    release: str
    target: RunTarget
    phases: tuple[str, ...]
    whole: tuple[str, ...]
    started: datetime
    ended: datetime
    seconds: float
    lines: tuple[Judged, ...]
    to_come: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    selection: Selection = Selection()
    checkpoint: str | None = None
    run: str = ""  # its id in the records; runs of schema 1 lack it


def judged(judgement: Judgement) -> tuple[Judged, ...]:
    """The lines of a run that has ended."""
    return tuple(map(_of_line, judgement.lines))


def _of_line(result: LineResult) -> Judged:
    record, waiver = result.attestation, result.waiver
    return Judged(
        result.line.id,
        result.outcome,
        result.reason,
        result.checks,
        Attested(
            record.number,
            record.by,
            record.account,
            record.at,
            record.seen,
            record.rehearsal,
            record.signed_by,
            record.data.get("own_key"),
        )
        if record
        else None,
        Acceptance(waiver.owner, waiver.reason, waiver.expires) if waiver else None,
        result.line.ref,
        result.line.section,
        result.line.expected,
    )
