"""One run as the page shows it: what its files say, and whether they are believed.

A page is made of any files that lie there: each value's form is tested before it is used.
"""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from noxgate.look.observation import shortened
from noxgate.project import schedule
from noxgate.project.runbook import Line, Runbook
from noxgate.reports.signoff.model import (
    GOOD,
    Accepted,
    Look,
    Seal,
    Shown,
    ShownCheck,
    ShownLine,
    ShownRun,
    Word,
)
from noxgate.reports.summary import names
from noxgate.run.results import Acceptance, Attested, Judged
from noxgate.run.verdict import CheckResult
from noxgate.trust.keys import Trust
from noxgate.trust.runs import Run
from noxgate.trust.seal import ENVELOPE, read_json
from noxgate.trust.sealed import REHEARSAL
from noxgate.trust.signing import SigningError
from noxgate.trust.verify import Expected, Verified, verify

MOST_LOOKS = 30  # of one check
LONGEST = 600  # characters of one text
CUT = 20 * LONGEST
NO_PROFILE = "its profile is not here any more"
NOT_OWN = ", which the release record does not give to them"


@dataclass(frozen=True)
class ReadRun:
    """A run, its lines as it judged them, and what `noxgate verify` says against single lines."""

    run: ShownRun
    judged: Mapping[str, Judged]
    against: Mapping[str, str]
    verified: Verified
    later: frozenset[str]  # lines that are not due at this run's checkpoint of the 48-hour window
    names: Mapping[str, str]  # what the target calls its namespaces


def read(run: Run, expected: Expected, trust: Trust | None, unknown: Mapping[str, str]) -> ReadRun:
    """Read and verify one run as of `expected.now`, or of its end."""
    results = run.results
    verified = verify(
        run.folder,
        replace(
            expected,
            target=run.target,
            signers=trust.signers if trust else (),
            branch=trust.branch if trust else None,
            hours=trust.hours if trust else expected.hours,
            now=max(expected.now, results.ended),
        ),
    )
    why = None if trust else unknown.get(run.target, NO_PROFILE)
    shown = ShownRun(
        folder=run.folder,
        target=said(run.target),
        base_url=said(", with ".join([results.target.base_url, *verified.overrides])),
        phases=run.phases,
        verdict=results.verdict,
        started=run.started,
        ended=results.ended,
        seconds=results.seconds if math.isfinite(results.seconds) and results.seconds >= 0 else None,
        seal=_seal(run, verified, why),
    )
    judged = {line.id: line for line in results.lines}
    later = _later(results.checkpoint, judged, expected.runbook)
    return ReadRun(shown, judged, _of_lines(verified), verified, later, names(results))


def shown_line(line: Line, found: ReadRun | None, missing: str) -> ShownLine:
    """A line as a run left it. What is not believed is never shown as passed."""
    if found is None:
        return ShownLine(line, Shown.NOT_RUN, missing)
    at = found.run.started
    judged = found.judged.get(line.id)
    if judged is None and line.id in found.later:
        return ShownLine(line, Shown.NOT_RUN, "not due yet", at=at, due=False)
    if judged is None:
        return ShownLine(line, Shown.NOT_RUN, found.against.get(line.id, "is not in the results"), at=at)
    shown = ShownLine(
        line,
        Shown(judged.outcome),
        said(judged.reason),
        tuple(map(_check, judged.checks)),
        _word(judged.attestation),
        _accepted(judged.waiver),
        at,
    )
    if shown.outcome not in GOOD:
        return shown
    doubt = found.against.get(line.id)
    if not found.run.seal.believed:
        doubt = f"its run is {found.run.seal}"
    return replace(shown, outcome=Shown.UNPROVEN, reason=f"{shown.outcome}, but {doubt}") if doubt else shown


def _later(checkpoint: str | None, judged: Container[str], runbook: Runbook) -> frozenset[str]:
    """What a checkpoint does not judge: later ones do, and its own record, which is made of what it finds."""
    if checkpoint is None or checkpoint not in schedule.looks(runbook):
        return frozenset()
    due = {line.id for line in schedule.due_at(runbook, checkpoint, unrecorded=True)}
    lines = [line.id for line in runbook.of_phase(schedule.PHASE)]
    return frozenset(line for line in lines if line not in due and line not in judged)


def said(value: object) -> str:
    """What a file says, as one line that every page can show."""
    text = str(value)
    if len(text) > CUT:  # spelling out all of it would take minutes
        return f"{shortened(text[:CUT], LONGEST)} of {len(text)}"
    return shortened(text, LONGEST)


def _seal(run: Run, verified: Verified, unknown: str | None) -> Seal:
    """What the page says of a run's signature. That of a rehearsal counts for a rehearsal."""
    refusals = [
        said(refusal)
        for refusal in verified.refusals
        if not refusal.line and not (run.rehearsal and refusal == REHEARSAL)
    ]
    sealed = (run.folder / ENVELOPE).is_file()
    if unknown is not None:
        refusals = [f"no signature counts: {said(unknown)}"]
    return Seal(
        believed=not refusals,
        sealed=sealed,
        signer=said(verified.signer),
        account=_account(run),
        refusals=tuple(refusals),
        commit=verified.commit or "",
        images=verified.images,
    )


def _of_lines(verified: Verified) -> Mapping[str, str]:
    """What speaks against single lines, and not against their run."""
    return {refusal.line: said(refusal.why) for refusal in verified.refusals if refusal.line}


def _account(run: Run) -> str:
    try:
        environment = read_json(run.folder / "environment.json")
    except SigningError:
        return ""
    return said(f"{environment.get('user', '?')}@{environment.get('host', '?')}")


def _check(check: CheckResult) -> ShownCheck:
    looks = check.observations
    return ShownCheck(
        said(check.node),
        check.outcome,
        said(check.reason),
        check.seconds if math.isfinite(check.seconds) else 0.0,
        tuple(Look(said(look.seen), said(look.repeat)) for look in looks[:MOST_LOOKS]),
        max(0, len(looks) - MOST_LOOKS),
        looks[-1].measured if looks else None,
    )


def _word(word: Attested | None) -> Word | None:
    if word is None:
        return None
    key = "" if word.own_key else said(f"signed with key {word.signed_by or '?'}{NOT_OWN}")
    return Word(said(word.by), f"{word.at:%Y-%m-%d %H:%M} UTC", said(word.seen), word.rehearsal, key)


def _accepted(waiver: Acceptance | None) -> Accepted | None:
    if waiver is None:
        return None
    return Accepted(said(waiver.owner), said(waiver.reason), str(waiver.expires))
