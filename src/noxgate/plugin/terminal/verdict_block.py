"""The block at the end: what is not passed, worst first, the verdict, the evidence, and what to do next."""

import os
from collections.abc import Iterator, Sequence

import pytest

from noxgate.look.observation import without_middle
from noxgate.plugin.gate import Gate
from noxgate.plugin.looking import REPEAT, SEEN, explanation, next_step
from noxgate.plugin.terminal import once
from noxgate.project.waivers import FILE as WAIVERS
from noxgate.run.causes import Shared, by_cause, next_of, next_of_all, row_of, rows_of, rows_of_not_run
from noxgate.run.pytest_program import LAST_WORD
from noxgate.run.verdict import Judgement, LineResult, Outcome, Verdict
from noxgate.trust.persons.attest import said_by
from noxgate.trust.persons.people import NOBODY
from noxgate.trust.signing import VARIABLE

IN_FULL = 3  # failed lines; a person reads no more of them at once
LONGEST = 2000  # characters of one reason or doubt
OPEN = (Outcome.UNREACHABLE, Outcome.UNDECIDED, Outcome.NOT_COUNTED)  # shown by cause
COLORS = {Verdict.GO: "green", Verdict.NO_GO: "red"}


def show(reporter: pytest.TerminalReporter, gate: Gate, evidence: str | None, signed_by: str | None) -> None:
    """Print it, once the run is judged."""
    judgement = gate.judgement
    if judgement is None or gate.target is None:
        return
    color = COLORS.get(judgement.verdict, "yellow")
    reporter.write_sep("=", "release verdict", **{color: True, "bold": True})
    causes = gate.causes()
    for row in _lines(reporter.config, gate, judgement, causes, evidence):
        reporter.line(row)
    for doubt in gate.doubts:
        reporter.line(_in_short(doubt, evidence), red=True)
    reporter.line(gate.headline(), **{color: True, "bold": True})
    validates = any(gate.runbook.phases[name].validates for name in gate.phases)
    if judgement.verdict is Verdict.GO and validates and not gate.target.rehearsal:
        reporter.line(gate.runbook.service.passed, green=True)
    if evidence:
        reporter.line(f"evidence: {evidence}")
    if signed_by:
        reporter.line(f"signed with key {signed_by[:12]}")
    elif gate.target.rehearsed_by:
        reporter.line("not signed: a rehearsal is evidence of nothing")
    elif gate.trust is not None and gate.trust.signers:
        reporter.line(f"not signed: export {VARIABLE}, or noxgate seal {evidence or 'FOLDER'}")
    if not os.environ.get(LAST_WORD) and (step := _next(gate, judgement, causes)):
        reporter.line(f"{'Next':<10}{step}", **{color: True})


def _next(gate: Gate, judgement: Judgement, causes: Sequence[Shared]) -> str:
    """About the first line that failed; if none did, about what keeps most lines from being looked at."""
    target = gate.names["target"]
    failed = next((result for result in judgement.lines if result.outcome is Outcome.FAILED), None)
    if failed is None:
        return next_of_all(causes, target)
    return next_of(causes, failed.line.id, target) or f"{failed.line.id}: {next_step(gate, failed.line)}"


def _lines(
    config: pytest.Config,
    gate: Gate,
    judgement: Judgement,
    causes: Sequence[Shared],
    evidence: str | None,
) -> Iterator[str]:
    """What is not passed, worst first; then what rests on a person's word."""
    by_id = {result.line.id: result for result in judgement.lines}
    for cause in causes:
        yield from rows_of([cause])
        yield from _repeat(by_id[cause.ids[0]])
    told = {id_ for cause in causes for id_ in cause.ids}
    alone = [one for one in judgement.lines if one.line.id not in told]
    by = {outcome: [one for one in alone if one.outcome is outcome] for outcome in Outcome}
    first = next((one for one in judgement.lines if one.outcome is Outcome.FAILED), None)
    yield from _failed(config, gate, by[Outcome.FAILED], first, evidence)
    for kind in OPEN:
        yield from by_cause(by[kind])
    for result in by[Outcome.WAIVED]:
        yield row_of(Outcome.WAIVED, result, result.reason)
        yield f"{'':<12}{result.waiver}"
    yield from rows_of_not_run(by[Outcome.NOT_RUN])
    for result in judgement.lines:
        if result.outcome is Outcome.PASSED and result.attestation is not None:
            word = "played" if result.attestation.by == NOBODY else "attested"
            yield row_of(word, result, said_by(result.attestation))
        if result.outcome is Outcome.PASSED and result.line.id in gate.waivers:
            yield f"{WAIVERS}: {result.line.id} passed: its waiver can go"


def _failed(
    config: pytest.Config,
    gate: Gate,
    results: Sequence[LineResult],
    first: LineResult | None,
    evidence: str | None,
) -> Iterator[str]:
    """The first ones in full, unless pytest has said it; of the others a row, and where the rest stands."""
    in_full = [] if once.is_pytests_asked(config) else results[:IN_FULL]
    for result in in_full:
        reason = _in_short(" ".join(result.reason.split()), evidence)
        yield f"{Outcome.FAILED:<12}{result.line.id:<38} {reason}"
        looks = [look for check in result.checks for look in check.observations]
        seen = [pair for look in looks for pair in ((SEEN, look.seen), (REPEAT, look.repeat))]
        # the last words of a run are what to do about the first
        rows = explanation(gate, result.line.id, seen, next_too=result is not first)
        yield from (f"{'':<12}{row}" for row in rows.splitlines())
        yield from (f"{'':<12}{'Check':<10}{check.node}" for check in result.checks)
    for result in results[len(in_full) :]:
        yield row_of(Outcome.FAILED, result, result.reason)
    if in_full and results[len(in_full) :]:
        yield f"{'':<12}What these saw, and what to do: report.html; here with -v"


def _in_short(text: str, evidence: str | None) -> str:
    """Without evidence nothing else has all of it."""
    return without_middle(text, LONGEST, "results.json has all of it") if evidence else text


def _repeat(result: LineResult) -> Iterator[str]:
    """How to see a common cause again: the first look of its first line."""
    looks = (look for check in result.checks for look in check.observations if look.repeat)
    look = next(looks, None)
    if look is not None:
        yield f"{'':<12}{'Repeat':<10}{look.repeat}"
