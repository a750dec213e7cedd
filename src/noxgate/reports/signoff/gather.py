"""What the sign-off page is made of: the newest run of each phase, verified, and what follows from it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from noxgate.errors import Exit
from noxgate.project.keys.evidence import OLDEST_HOURS
from noxgate.project.runbook import Phase, Runbook
from noxgate.project.schedule import PHASE
from noxgate.project.which.names import names_in
from noxgate.reports.signoff.asked import Asked
from noxgate.reports.signoff.derived import Known, derive, review_hours
from noxgate.reports.signoff.loads import loads_of
from noxgate.reports.signoff.model import Shown, ShownLine, ShownPhase, SignOff, Status, verdict_on
from noxgate.reports.signoff.problems import problems
from noxgate.reports.signoff.runs import ReadRun, read, said, shown_line
from noxgate.run.record import Record
from noxgate.run.verdict import Verdict
from noxgate.trust.counted import gone, lacks_head
from noxgate.trust.persons.attest import FAILED
from noxgate.trust.records import ATTESTATION, OPENED, RecordError, latest
from noxgate.trust.runs import Run, newest, runs_of, unreadable
from noxgate.trust.signing import SigningError
from noxgate.trust.verify import Expected, disagreements

# What the page is made of: a role that no line has is an error, and never a page without it.
ROLES = ("switch", "switch-back", "status", "next-review", "key-metric", "validated", "engineer", "overview")


def gather(asked: Asked) -> SignOff:
    """The page's contents. Raises RunbookError if the runbook says no line for a part of them."""
    for role in ROLES:
        asked.runbook.having(role)
    place = asked.reports / asked.release
    every = runs_of(place)
    runs = [run for run in every if _is_asked(run, asked)]
    names = [phase.name for phase in asked.runbook.phases.values() if _judged(asked.runbook, phase)]
    up_to_live = asked.runbook.one("status").derived_from
    chosen = {name: run for name in names if (run := newest(runs, name)) is not None}
    if PHASE in chosen:
        chosen[PHASE] = _last_look(asked.runbook, runs, chosen)
    found, unread = _read_all(asked, chosen, up_to_live)
    records, broken = _records(asked, {run.target for run in chosen.values()})
    phases = tuple(
        _phase(asked, asked.runbook.phases[name], found.get(name), unread.get(name, ""), name in up_to_live)
        for name in names
    )
    verified = [each.verified for each in _distinct(found)]
    real = {} if asked.rehearsal else asked.trusts
    signers = {run.target: real[run.target].signers for run in verified if run.target in real}
    phases = tuple(replace(phase, lines=_with_words(phase, records)) for phase in phases)
    against = (
        *(f"{folder.name}: {said(why)}: what it saw is unknown" for folder, why in unreadable(place)),
        *broken,
        *map(said, disagreements(verified)),
        *map(said, gone(place, verified, signers)),
        *filter(None, [lacks_head(verified, asked.head)] if asked.head else []),
        *problems(asked, every, runs, chosen, up_to_live),
    )
    return _whole(asked, phases, tuple(dict.fromkeys(map(said, against))), tuple(records), found)


def _whole(
    asked: Asked,
    phases: tuple[ShownPhase, ...],
    problems: tuple[str, ...],
    records: tuple[Record, ...],
    found: Mapping[str, ReadRun],
) -> SignOff:
    counted = [phase for phase in phases if phase.counted]
    verdict = verdict_on(
        shown.outcome
        for phase in phases
        for shown in phase.lines
        if phase.counted or shown.outcome is Shown.FAILED
    )
    complete = {phase.phase.name for phase in counted} >= set(asked.runbook.one("status").derived_from)
    if verdict.exit is Exit.GO and (problems or not complete):
        verdict = Verdict.INCONCLUSIVE
    status = Status.SUCCESS if verdict.exit is Exit.GO else Status.PARTIAL
    if _rolled_back(asked, phases, records):
        status = Status.ROLLED_BACK
    lines = {shown.line.id: shown for phase in phases for shown in phase.lines}
    switched, source = _switched(asked.runbook, records, lines)
    review = switched + review_hours(asked.runbook) if switched else None
    unsealed = [phase.phase.name for phase in counted if phase.run is None or not phase.run.seal.believed]
    known = Known(asked.rehearsal, status, _engineer(counted, rehearsal=asked.rehearsal), unsealed, review)
    where = asked.runbook.one("validated").derived_from[0]
    validated = names_in(asked.root, asked.serving.get(where, "NAME"))
    derived = tuple(
        derive(replace(line, next=line.next_on(validated)), lines, phases, known)
        for line in asked.runbook.lines.values()
        if line.kind == "derived"
    )
    return SignOff(
        service=asked.runbook.service.title,
        release=asked.release,
        rehearsal=asked.rehearsal,
        made=asked.now,
        phases=phases,
        derived=derived,
        problems=problems,
        records=tuple(record for record in records if record.kind != ATTESTATION),
        loads=tuple(load for one in _distinct(found) for load in loads_of(one.run)),
        verdict=verdict,
        status=status,
        engineer=known.engineer if not unsealed else "",
        switched=switched,
        switch_said_by=source if switched else "",
        next_review=review,
    )


def _is_asked(run: Run, asked: Asked) -> bool:
    named = asked.targets is None or run.target in asked.targets
    if not named or run.rehearsal != asked.rehearsal or run.started > asked.now:
        return False
    address = asked.addresses.get(run.target)
    return address is None or run.results.target.base_url == address


def _last_look(runbook: Runbook, runs: Sequence[Run], chosen: Mapping[str, Run]) -> Run:
    """The window's run that judged most since the live run: an earlier checkpoint does not replace it."""
    live = chosen.get(runbook.one("switch").phase)
    since = [run for run in runs if PHASE in run.whole and (live is None or run.started > live.started)]
    return max(since, key=lambda run: (run.judged(PHASE), run.started), default=chosen[PHASE])


def _judged(runbook: Runbook, phase: Phase) -> bool:
    """Whether a phase has lines of its own, and not only such as follow from others."""
    return any(line.phase == phase.name and line.kind != "derived" for line in runbook.lines.values())


def _read_all(
    asked: Asked, chosen: Mapping[str, Run], up_to_live: Sequence[str]
) -> tuple[dict[str, ReadRun], dict[str, str]]:
    """Each chosen run, read once; and why some cannot be read."""
    ends = [run.started for name, run in chosen.items() if up_to_live and name == up_to_live[-1]]
    read_by: dict[str, ReadRun] = {}
    found: dict[str, ReadRun] = {}
    unread: dict[str, str] = {}
    for name, run in chosen.items():
        # once traffic was switched, what it rested on grows no older; later phases have ends of their own
        now = max(ends) if ends and name in up_to_live else run.started if ends else asked.now
        expected = Expected(
            root=asked.root,
            runbook=asked.runbook,
            target=run.target,
            signers=(),
            hours=OLDEST_HOURS,
            now=now,
            release=asked.release,
        )
        try:
            if run.folder.name not in read_by:
                read_by[run.folder.name] = read(run, expected, asked.trusts.get(run.target), asked.unknown)
            found[name] = read_by[run.folder.name]
        except SigningError as error:
            unread[name] = said(error)
    return found, unread


def _phase(asked: Asked, phase: Phase, found: ReadRun | None, problem: str, counted: bool) -> ShownPhase:  # noqa: FBT001
    missing = problem or "no run of this phase"
    known = found.names if found else names_in(asked.root, asked.serving.get(phase.name, "NAME"))
    lines = [replace(line, next=line.next_on(known)) for line in asked.runbook.of_phase(phase.name)]
    shown = tuple(shown_line(line, found, missing) for line in lines)
    seconds = None
    if found is not None:
        alone = found.run.phases == (phase.name,)
        checks = sum(check.seconds for one in shown for check in one.checks)
        seconds = found.run.seconds if alone else checks
    return ShownPhase(
        phase, found.run if found else None, shown, seconds, counted, problem, shlex.quote(known["target"])
    )


def _records(asked: Asked, targets: set[str]) -> tuple[list[Record], list[str]]:
    """What persons and machines recorded up to now on these targets, and which chains are broken."""
    records: list[Record] = []
    broken = []
    for target in sorted(targets):
        trust = asked.trusts.get(target)
        if trust is None:
            continue
        try:
            chain = trust.chain(asked.reports, asked.release).read()
        except RecordError as error:
            broken.append(said(error))
            continue
        records += [
            replace(record, by=said(record.by), seen=said(record.seen))
            for record in chain
            if record.at <= asked.now or asked.rehearsal
        ]
    return records, broken


def _with_words(phase: ShownPhase, records: Sequence[Record]) -> tuple[ShownLine, ...]:
    """A person's newest word counts: a failure said after the run turns its line red, at once."""
    words = latest(records, ATTESTATION)
    return tuple(_with_word(shown, words.get(shown.line.id), phase) for shown in phase.lines)


def _with_word(shown: ShownLine, word: Record | None, phase: ShownPhase) -> ShownLine:
    if word is None or shown.line.kind != "human":
        return shown
    if phase.run is not None and word.at <= phase.run.ended:
        return shown
    said_so = f"{word.by}, {word.at:%Y-%m-%d %H:%M} UTC: {word.seen}"
    if word.data.get("outcome") == FAILED:
        return replace(shown, outcome=Shown.FAILED, reason=f"since this run, attested as failed by {said_so}")
    if shown.outcome is Shown.PASSED:
        return shown
    return replace(shown, note=f"attested since by {said_so}. Run the phase again: it counts from then on")


def _rolled_back(asked: Asked, phases: Sequence[ShownPhase], records: Sequence[Record]) -> bool:
    """Whether traffic went back to blue after the last switch.

    A check saw it, or a person attested a line that there is only in a rollback. The records of a rehearsal
    have a clock of their own, which says nothing of before and after.
    """
    lines = {shown.line.id: shown for phase in phases for shown in phase.lines}
    switch = lines.get(asked.runbook.one("switch").id)
    ways_back = [line.id for line in asked.runbook.having("switch-back")]
    after = switch.at if switch and switch.at else datetime.min.replace(tzinfo=UTC)
    seen = [
        back.at
        for back in map(lines.get, ways_back)
        if back and back.at and back.outcome in {Shown.PASSED, Shown.UNPROVEN, Shown.WAIVED}
    ]
    said_so = [
        record.at
        for record in records
        if record.kind == ATTESTATION
        and record.line.partition(".")[0] == ways_back[0].partition(".")[0]
        and not asked.rehearsal
    ]
    return any(at > after for at in (*seen, *said_so))


def _switched(
    runbook: Runbook, records: Sequence[Record], lines: Mapping[str, ShownLine]
) -> tuple[datetime | None, str]:
    """When traffic was switched, and who says so: the window's opening, else the run that saw it."""
    opened = [record for record in records if record.kind == OPENED]
    switch = lines.get(runbook.one("switch").id)
    if opened:
        try:
            # a rehearsal's window is played by a clock of its own
            shift = timedelta(seconds=float(opened[-1].data.get("shift_seconds", 0)))
            at = datetime.fromisoformat(opened[-1].data["switched"]) + shift
        except (KeyError, TypeError, ValueError):
            return opened[-1].at, "when the window was opened"
        return at, "as the record that opened the window has it"
    if switch and switch.outcome is Shown.PASSED:
        return switch.at, f"when the run began that saw {runbook.one('switch').id} pass"
    return None, ""


def _engineer(phases: Sequence[ShownPhase], *, rehearsal: bool) -> str:
    """Whose keys sealed the runs, from which accounts."""
    seals = [phase.run.seal for phase in phases if phase.run]
    who = [
        f"{'rehearsal' if rehearsal else seal.signer.partition('.pub')[0]} ({seal.account})"
        for seal in seals
        if seal.signer
    ]
    return ", ".join(dict.fromkeys(who))


def _distinct(found: Mapping[str, ReadRun]) -> list[ReadRun]:
    """Each run once, in order, though it may stand for several phases."""
    return list({one.run.folder: one for one in found.values()}.values())
