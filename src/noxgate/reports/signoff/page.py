"""sign-off.html: one file that opens without a network and runs no script."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from noxgate.project.runbook import Line
from noxgate.reports.pictures import address
from noxgate.reports.signoff.derived import clock, took
from noxgate.reports.signoff.metrics import key_metrics
from noxgate.reports.signoff.model import Shown, ShownLine, ShownPhase, SignOff, Status
from noxgate.run.causes import Shared, Told, shared
from noxgate.run.verdict import Verdict

HERE = Path(__file__).parent
# never colour alone: a sign and a word stand beside it
SIGNS = {
    Shown.PASSED: "✓",
    Shown.NOT_COUNTED: "○",
    Shown.WAIVED: "≈",
    Shown.UNDECIDED: "±",
    Shown.NOT_RUN: "–",  # noqa: RUF001 (a sign: a hyphen is too short for one)
    Shown.UNREACHABLE: "?",
    Shown.UNPROVEN: "!",
    Shown.FAILED: "✕",
}
VERDICT_SIGNS = {Verdict.GO: "✓", Verdict.GO_WITH_WAIVERS: "≈", Verdict.INCONCLUSIVE: "?", Verdict.NO_GO: "✕"}


def html(page: SignOff) -> str:
    """The whole page."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        sign=SIGNS.__getitem__,
        slug=lambda text: str(text).lower().replace(" ", "-"),
        clock=clock,
        moment=moment,
        number=number,
        title=title,
    )
    template = environment.from_string((HERE / "page.html").read_text(encoding="utf-8"))
    lines = page.lines()
    held = page.held_back_by()
    return template.render(
        page=page,
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (a file of this package)
        phases=page.phases,
        places=page.places(),
        chapters=[(phase, list(sections(phase.lines))) for phase in page.phases],
        completion=list(sections(page.derived)),
        checklist=list(sections([one for one in page.derived if one.line.section.startswith("Completion")])),
        held=held,
        causes=[(phase.phase.title, cause) for phase in page.phases for cause in _causes(phase)],
        held_phases=page.unbelieved(),
        shown_held=page.held_lines(),
        metrics=list(key_metrics(lines)),
        words=[one for one in lines.values() if one.word or one.line.kind == "human"],
        waived=[one for one in lines.values() if one.waiver],
        pictures=[address(load.picture) for load in page.loads],
        sign=verdict_sign(page),
        tone=tone(page),
        counts={outcome: sum(one.outcome is outcome for one in lines.values()) for outcome in Shown},
        total=len(lines),
        took=lambda phase: took([phase]),
        summary=summary(page),
        Shown=Shown,
        Verdict=Verdict,
        verdict_signs=VERDICT_SIGNS,
    )


def _causes(phase: ShownPhase) -> list[Shared]:
    """What many lines of its run have in common."""
    told = [
        Told(
            one.line.id, one.outcome, one.reason, [look.seen for check in one.checks for look in check.looks]
        )
        for one in phase.lines
    ]
    return shared(told, phase.run.base_url) if phase.run else []


def tone(page: SignOff) -> str:
    """The colour of the verdict: green for GO alone."""
    if page.status is Status.ROLLED_BACK or page.verdict is Verdict.NO_GO:
        return "no"
    return "go" if page.verdict is Verdict.GO else "maybe"


def verdict_sign(page: SignOff) -> str:
    """The sign beside the verdict."""
    return "↩" if page.status is Status.ROLLED_BACK else VERDICT_SIGNS[page.verdict]


def summary(page: SignOff) -> str:
    """The verdict in one sentence."""
    counted = [phase for phase in page.phases if phase.counted]
    lines = [shown for phase in counted for shown in phase.lines]
    missing = [phase.phase.title for phase in counted if phase.run is None]
    passed = sum(shown.outcome is Shown.PASSED for shown in lines)
    waived = sum(shown.outcome is Shown.WAIVED for shown in lines)
    left_out = sum(shown.outcome is Shown.NOT_COUNTED for shown in lines)
    due = len(lines) - left_out
    many = "All" if passed == due else f"{passed} of the"
    said = f"{many} {due} lines up to the traffic switch and its first half hour passed"
    said += f", {left_out} {'is' if left_out == 1 else 'are'} not counted" if left_out else ""
    said += f", {waived} {'is' if waived == 1 else 'are'} waived" if waived else ""
    said += _unproven(page)
    if missing:
        said += f". There is no run of: {', '.join(missing)}"
    if page.problems:
        more = len(page.problems) - 1
        said += (
            f". The runs themselves hold it back: {page.problems[0]}{f'; and {more} more' if more else ''}"
        )
    if page.status is Status.ROLLED_BACK:
        said = f"Traffic was switched back to the version before. Until then: {said}"
    return f"{said}."


def _unproven(page: SignOff) -> str:
    """What a run says passed and does not count: since the run is not believed, or the line alone."""
    doubted = page.unbelieved()
    of_runs = sum(phase.count(Shown.UNPROVEN) for phase in doubted)
    alone = sum(phase.count(Shown.UNPROVEN) for phase in page.phases if phase.counted) - of_runs
    said = ""
    if of_runs:
        why = " and ".join(dict.fromkeys(phase.against() for phase in doubted if phase.run))
        said += f". {of_runs} more {'is' if of_runs == 1 else 'are'} of a run that is not believed: {why}"
    if alone:
        said += f". {alone} more {'is' if alone == 1 else 'are'} unproven, though the run is believed"
    return said


def sections(lines: Sequence[ShownLine]) -> Iterator[tuple[str, list[ShownLine]]]:
    """The lines under the runbook's headings, in the runbook's order."""
    for heading, group in groupby(lines, key=lambda shown: " · ".join(_headings(shown.line)[:2])):
        yield heading, list(group)


def _headings(line: Line) -> list[str]:
    return [part.strip() for part in line.section.split(">")]


def title(shown: ShownLine) -> str:
    """A line's id as words: Release tagged."""
    return shown.line.id.partition(".")[2].replace("-", " ").capitalize()


def moment(time: datetime | None) -> str:
    """A moment as people read it, always UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if time else SIGNS[Shown.NOT_RUN]


def number(value: float) -> str:
    """Such as 4.75, 300, 0.03."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"  # noqa: PLR2004 (three digits)
