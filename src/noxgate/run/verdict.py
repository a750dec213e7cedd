"""From the outcomes of checks to the outcome of each runbook line, and to one verdict. Worst wins."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from noxgate.errors import Exit
from noxgate.project.runbook import Line
from noxgate.project.waivers import Waiver
from noxgate.run.record import Record

WAS_NOT_RUN = "was not run"


class Outcome(StrEnum):
    """What became of a check or a line, best first. Only lines are waived, only optional ones not counted."""

    PASSED = "passed"
    NOT_COUNTED = "not counted"
    WAIVED = "waived"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


WAIVABLE = frozenset({Outcome.FAILED, Outcome.UNDECIDED})  # what was looked at


class Verdict(StrEnum):
    """May we ship? Best first."""

    GO = "GO"
    GO_WITH_WAIVERS = "GO WITH WAIVERS"
    INCONCLUSIVE = "INCONCLUSIVE"
    NO_GO = "NO-GO"

    @property
    def exit(self) -> Exit:
        """GO with waivers is a GO."""
        return {Verdict.NO_GO: Exit.NO_GO, Verdict.INCONCLUSIVE: Exit.INCONCLUSIVE}.get(self, Exit.GO)


@dataclass(frozen=True)
class Observed:
    """What a check saw, how to see it again, and the least and the most of the numbers in it."""

    seen: str
    repeat: str
    measured: tuple[float, float] | None = None


@dataclass(frozen=True)
class CheckResult:
    """What one check did. `observations` are in the order of looking."""

    node: str
    outcome: Outcome
    reason: str
    seconds: float
    observations: tuple[Observed, ...] = ()


@dataclass(frozen=True)
class LineResult:
    """What became of one runbook line, and the checks or the person that say so."""

    line: Line
    outcome: Outcome
    reason: str
    checks: tuple[CheckResult, ...]
    attestation: Record | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True)
class Judgement:
    """The verdict of a run. `to_come` are lines without a check that a rehearsal does not count."""

    verdict: Verdict
    lines: tuple[LineResult, ...]
    to_come: tuple[Line, ...]

    def counts(self) -> str:
        """Such as "1 failed, 30 passed", worst first."""
        counts = Counter(result.outcome for result in self.lines)
        return ", ".join(f"{counts[outcome]} {outcome}" for outcome in reversed(Outcome) if counts[outcome])


def judge(
    lines: Sequence[Line],
    nodes: Mapping[str, Sequence[str]],
    results: Mapping[str, CheckResult],
    *,
    rehearsal: bool,
    attested: Mapping[str, Record] = MappingProxyType({}),
    waivers: Mapping[str, Waiver] = MappingProxyType({}),
) -> Judgement:
    """Judge every line of the phase: `nodes` are the checks of each line id, `results` what ran, by node.

    `attested` are the records that count of what persons saw, by line id.
    """
    without = [line for line in lines if not nodes.get(line.id) and line.id not in attested]
    to_come = [line for line in without if line.coming and rehearsal]
    judged = tuple(
        _waived(_judge_line(line, nodes.get(line.id, ()), results, attested.get(line.id)), waivers)
        for line in lines
        if line not in to_come
    )
    return Judgement(verdict_of(result.outcome for result in judged), judged, tuple(to_come))


def verdict_of(outcomes: Iterable[Outcome]) -> Verdict:
    """GO only where there is at least one outcome that counts and every one of those is `passed`."""
    seen = set(outcomes) - {Outcome.NOT_COUNTED}
    if Outcome.FAILED in seen:
        return Verdict.NO_GO
    if not seen or seen - {Outcome.PASSED, Outcome.WAIVED}:
        return Verdict.INCONCLUSIVE
    return Verdict.GO_WITH_WAIVERS if Outcome.WAIVED in seen else Verdict.GO


def _judge_line(
    line: Line, nodes: Sequence[str], results: Mapping[str, CheckResult], record: Record | None
) -> LineResult:
    if line.kind == "human" and not _looked(nodes, results):
        return _judge_person(line, record)
    if not nodes:
        return LineResult(line, Outcome.NOT_RUN, "no check proves this line yet", ())
    checks = tuple(
        results.get(node) or CheckResult(node, Outcome.NOT_RUN, WAS_NOT_RUN, 0.0) for node in nodes
    )
    worst = _worst(checks)
    if line.kind == "human" and record and worst.outcome is Outcome.PASSED:
        by_word = _judge_person(line, record)  # worst wins here, too, until they say that it is well
        if by_word.outcome is Outcome.FAILED:
            return LineResult(line, Outcome.FAILED, by_word.reason, checks, record)
    return LineResult(line, worst.outcome, worst.reason, checks)


def _looked(nodes: Sequence[str], results: Mapping[str, CheckResult]) -> bool:
    """Whether a person's line was looked at by a check, where there is a tool that it can ask.

    A person cannot pass what one check saw fail, even if another check could not look.
    """
    found = {results[node].outcome for node in nodes if node in results}
    return Outcome.FAILED in found or found == {Outcome.PASSED}


def _judge_person(line: Line, record: Record | None) -> LineResult:
    if record is None:
        todo = f"it is not attested: noxgate attest {line.id} --by NAME --saw TEXT"
        return LineResult(line, Outcome.NOT_RUN, todo, ())
    if record.data.get("outcome") == Outcome.PASSED:
        return LineResult(line, Outcome.PASSED, "", (), record)
    return LineResult(line, Outcome.FAILED, f"{record.by} saw: {record.seen}", (), record)


def _waived(result: LineResult, waivers: Mapping[str, Waiver]) -> LineResult:
    """What failed, or is undecided, is waived if nothing else holds the line up.

    Only what was seen can be accepted.
    """
    waiver = waivers.get(result.line.id)
    if waiver is None or result.outcome not in WAIVABLE or not result.line.waivable:
        return result
    unseen = [check for check in result.checks if check.outcome in {Outcome.UNREACHABLE, Outcome.NOT_RUN}]
    outcome, reason = Outcome.WAIVED, result.reason
    if unseen:
        outcome, reason = _worst(unseen).outcome, _worst(unseen).reason
    return LineResult(result.line, outcome, reason, result.checks, result.attestation, waiver)


def _worst(checks: Sequence[CheckResult]) -> CheckResult:
    order = list(Outcome)
    return max(checks, key=lambda check: order.index(check.outcome))
