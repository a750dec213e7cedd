"""One run as the page shows it: what its files say, and whether they are believed.

A page is made of whatever lies there, so nothing is taken to be of the form that it should have.
"""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from noxgate.look.observation import shortened
from noxgate.project import schedule
from noxgate.project.runbook import Line, Runbook
from noxgate.reports.signoff.model import Accepted, Look, Seal, Shown, ShownCheck, ShownLine, ShownRun, Word
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
WRONG_FORM = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass(frozen=True)
class Read:
    """A run, its lines as results.json has them, and what `noxgate verify` says against single lines."""

    run: ShownRun
    judged: Mapping[str, Mapping[str, Any]]
    against: Mapping[str, str]
    verified: Verified
    later: frozenset[str]  # lines that are not due at this run's checkpoint of the 48-hour window


def read(run: Run, expected: Expected, trust: Trust | None, unknown: Mapping[str, str]) -> Read:
    """Read and verify one run as of `expected.now`, or of its end; SigningError where it is none."""
    results = read_json(run.folder / "results.json")
    try:
        ended = datetime.fromisoformat(results["ended"]).astimezone(UTC)
        judged = {str(line["id"]): dict(line) for line in results["lines"]}
        seconds = float(results["seconds"])
        verified = verify(
            run.folder,
            replace(
                expected,
                target=run.target,
                signers=trust.signers if trust else (),
                branch=trust.branch if trust else None,
                hours=trust.hours if trust else expected.hours,
                now=max(expected.now, ended),
            ),
        )
        why = None if trust else unknown.get(run.target, NO_PROFILE)
        shown = ShownRun(
            folder=run.folder,
            target=said(run.target),
            base_url=said(", with ".join([results["target"]["base_url"], *verified.overrides])),
            phases=run.phases,
            verdict=said(results["verdict"]),
            started=run.started,
            ended=ended,
            seconds=seconds if math.isfinite(seconds) else 0.0,
            seal=_seal(run, verified, why),
        )
    except WRONG_FORM as error:
        raise SigningError(f"results.json: saw another form ({type(error).__name__})") from None
    later = _later(results.get("checkpoint"), judged, expected.runbook)
    return Read(shown, judged, _of_lines(verified), verified, later)


def shown_line(line: Line, found: Read | None, missing: str) -> ShownLine:
    """A line as a run left it. What is not believed is never shown as passed."""
    if found is None:
        return ShownLine(line, Shown.NOT_RUN, missing)
    at = found.run.started
    judged = found.judged.get(line.id)
    if judged is None and line.id in found.later:
        return ShownLine(line, Shown.NOT_RUN, "not due yet", at=at, due=False)
    if judged is None:
        return ShownLine(line, Shown.NOT_RUN, found.against.get(line.id, "is not in the results"), at=at)
    try:
        shown = ShownLine(
            line,
            Shown(judged["outcome"]),
            said(judged["reason"]),
            tuple(_check(check) for check in judged["checks"]),
            _word(judged["attestation"]),
            _accepted(judged["waiver"]),
            at,
        )
    except WRONG_FORM as error:
        reason = f"its result has another form ({type(error).__name__})"
        return ShownLine(line, Shown.UNPROVEN, reason, at=at)
    if shown.outcome not in {Shown.PASSED, Shown.WAIVED}:
        return shown
    doubt = found.against.get(line.id)
    if not found.run.seal.believed:
        doubt = f"its run is {found.run.seal}"
    return replace(shown, outcome=Shown.UNPROVEN, reason=f"{shown.outcome}, but {doubt}") if doubt else shown


def _later(checkpoint: object, judged: Container[str], runbook: Runbook) -> frozenset[str]:
    """What a checkpoint does not judge: later ones do, and its own record, which is made of what it finds."""
    if checkpoint not in schedule.looks(runbook):
        return frozenset()
    due = {line.id for line in schedule.due_at(runbook, str(checkpoint), unrecorded=True)}
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
        refusals = [f"nobody's signature counts: {said(unknown)}"]
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


def _check(facts: Mapping[str, Any]) -> ShownCheck:
    looks = facts["observations"]
    seconds = float(facts["seconds"])
    return ShownCheck(
        said(facts["node"]),
        said(facts["outcome"]),
        said(facts["reason"]),
        seconds if math.isfinite(seconds) else 0.0,
        tuple(Look(said(look["seen"]), said(look["repeat"])) for look in looks[:MOST_LOOKS]),
        max(0, len(looks) - MOST_LOOKS),
    )


def _word(facts: Mapping[str, Any] | None) -> Word | None:
    if facts is None:
        return None
    at = f"{datetime.fromisoformat(facts['at']):%Y-%m-%d %H:%M} UTC"
    other = facts.get("own_key") is not True
    key = said(f"signed with key {facts.get('signed_by', '?')}{NOT_OWN}") if other else ""
    return Word(said(facts["by"]), at, said(facts["seen"]), facts["rehearsal"] is not False, key)


def _accepted(facts: Mapping[str, Any] | None) -> Accepted | None:
    if facts is None:
        return None
    return Accepted(said(facts["owner"]), said(facts["reason"]), said(facts["expires"]))
