"""The lines that follow from others: the completion checklist, which is not ticked by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from noxgate.look.observation import few
from noxgate.project.runbook import Line, Runbook
from noxgate.reports.signoff.model import Shown, ShownLine, ShownPhase, Status, worst

SHOWN = 4  # lines that another one waits for
OPEN = {Shown.UNDECIDED, Shown.NOT_RUN, Shown.UNREACHABLE, Shown.UNPROVEN, Shown.FAILED}


@dataclass(frozen=True)
class Known:
    """What the fields of the sign-off say, in addition to their lines."""

    rehearsal: bool
    status: Status
    engineer: str
    unsealed: Sequence[str]  # the phases up to live whose runs are not believed
    next_review: datetime | None


def derive(
    line: Line, lines: Mapping[str, ShownLine], phases: Sequence[ShownPhase], known: Known
) -> ShownLine:
    """The outcome of a derived line: the worst of those that it follows from; without any, not run."""
    names = {phase.phase.name: phase for phase in phases}
    sources = [
        shown
        for part in line.derived_from
        for shown in (names[part].lines if part in names else [lines[part]] if part in lines else [])
    ]
    left_out = sum(shown.outcome is Shown.NOT_COUNTED for shown in sources)
    sources = [shown for shown in sources if shown.outcome is not Shown.NOT_COUNTED]
    order = list(Shown)
    open_ = sorted(
        (shown for shown in sources if shown.outcome in OPEN), key=lambda shown: -order.index(shown.outcome)
    )
    held_by = tuple(shown.line.id for shown in open_)
    passed = sum(shown.outcome not in OPEN for shown in sources)
    waived = sum(shown.outcome is Shown.WAIVED for shown in sources)
    seen = f"{passed} of {len(sources)} lines passed" + (f", {waived} of them waived" if waived else "")
    seen += f", {left_out} not counted" if left_out else ""
    empty = [part for part in line.derived_from if part in names and not names[part].lines]
    outcome = worst(shown.outcome for shown in sources)
    if empty and outcome in {Shown.PASSED, Shown.WAIVED}:  # nothing to look at is nothing passed
        outcome, seen = Shown.NOT_RUN, f"no line belongs to {', '.join(empty)}"
    waits = ", ".join(few(held_by, SHOWN, "the sign-off page names them"))
    reason = "" if outcome not in OPEN else f"waits for {waits}" if held_by else seen
    shown = ShownLine(line, outcome, reason, held_by=held_by, seen=seen)
    timed = [names[part] for part in line.derived_from if part in names]
    if line.role == "overview" and timed:
        shown = replace(shown, seen=f"{shown.seen}; {took(timed)}")
    return _FIELDS[line.role](shown, known) if line.role in _FIELDS else shown


def took(phases: Sequence[ShownPhase]) -> str:
    """How long the runs of these phases took, beside the runbook's budget; the time never decides."""
    measured = [phase.seconds for phase in phases if phase.seconds is not None]
    budget = sum(phase.phase.budget_minutes or 0 for phase in phases)
    said = "not timed" if len(measured) < len(phases) else f"took {clock(sum(measured))}"
    apart = ", the load test apart" if [phase.phase.validates for phase in phases] == [True] else ""
    return f"{said}{f' of {budget} min' if budget else ''}{apart}"


def clock(seconds: float) -> str:
    """Such as 40 ms, 9.5 s, 12 min 05 s, 1 h 02 min."""
    if seconds < 0.95:  # noqa: PLR2004 (what rounds to a second is one)
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:  # noqa: PLR2004 (what rounds to a minute is one)
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02} min" if hours else f"{minutes} min {rest:02} s"


def _validated(shown: ShownLine, known: Known) -> ShownLine:
    if known.rehearsal and shown.outcome not in OPEN:
        return replace(shown, outcome=Shown.NOT_RUN, reason="a rehearsal is not a real target")
    return shown


def _engineer(shown: ShownLine, known: Known) -> ShownLine:
    """Who it was is known if every run is believed, also a run that failed."""
    if known.unsealed or not known.engineer:
        reason = f"no believed signature on {', '.join(known.unsealed)}"
        return replace(shown, outcome=Shown.NOT_RUN, reason=reason, seen="", held_by=())
    return replace(shown, outcome=Shown.PASSED, reason="", seen=known.engineer, held_by=())


def _status(shown: ShownLine, known: Known) -> ShownLine:
    outcome = shown.outcome
    if known.status is Status.ROLLED_BACK:
        outcome = Shown.FAILED
    elif known.status is not Status.SUCCESS:
        outcome = worst([Shown.NOT_RUN, outcome])
    return replace(shown, outcome=outcome, seen=f"{known.status}; {shown.seen}")


def _next_review(shown: ShownLine, known: Known) -> ShownLine:
    if known.next_review is None:
        reason = shown.reason or "the evidence does not say when traffic was switched"
        return replace(shown, outcome=worst([Shown.NOT_RUN, shown.outcome]), reason=reason, seen="")
    return replace(shown, seen=f"due {known.next_review:%Y-%m-%d %H:%M} UTC")


_FIELDS: Mapping[str, Callable[[ShownLine, Known], ShownLine]] = {
    "validated": _validated,
    "engineer": _engineer,
    "status": _status,
    "next-review": _next_review,
}


def review_hours(runbook: Runbook) -> timedelta:
    """How long after the switch the next review is due."""
    return timedelta(hours=runbook.one("next-review").limits["hours"])
