"""From the outcomes of checks to the outcome of each runbook line, and to one verdict. Worst wins."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from noxgate.runbook import Line


class Outcome(StrEnum):
    """What became of a check or a line, best first."""

    PASSED = "passed"
    NOT_RUN = "not run"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class Verdict(StrEnum):
    """May we ship? Best first."""

    GO = "GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    NO_GO = "NO-GO"

    @property
    def exit_code(self) -> int:
        """0 GO, 1 NO-GO, 2 INCONCLUSIVE."""
        return {Verdict.GO: 0, Verdict.NO_GO: 1, Verdict.INCONCLUSIVE: 2}[self]


@dataclass(frozen=True)
class CheckResult:
    """What one check did. `observations` are (seen, repeat) in the order of looking."""

    node: str
    outcome: Outcome
    reason: str
    seconds: float
    observations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LineResult:
    """What became of one runbook line, and the checks that say so."""

    line: Line
    outcome: Outcome
    reason: str
    checks: tuple[CheckResult, ...]


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
) -> Judgement:
    """Judge every line of the phase: `nodes` are the checks of each line id, `results` what ran, by node."""
    without_check = [line for line in lines if not nodes.get(line.id)]
    to_come = [line for line in without_check if line.coming and rehearsal]
    judged = tuple(
        _judge_line(line, nodes.get(line.id, ()), results) for line in lines if line not in to_come
    )
    return Judgement(verdict_of(result.outcome for result in judged), judged, tuple(to_come))


def verdict_of(outcomes: Iterable[Outcome]) -> Verdict:
    """GO only where there is at least one outcome and every one is `passed`."""
    seen = set(outcomes)
    if Outcome.FAILED in seen:
        return Verdict.NO_GO
    return Verdict.GO if seen == {Outcome.PASSED} else Verdict.INCONCLUSIVE


def _judge_line(line: Line, nodes: Sequence[str], results: Mapping[str, CheckResult]) -> LineResult:
    if not nodes:
        return LineResult(line, Outcome.NOT_RUN, "no check proves this line yet", ())
    order = list(Outcome)
    checks = tuple(
        results.get(node) or CheckResult(node, Outcome.NOT_RUN, "was not run", 0.0) for node in nodes
    )
    worst = max(checks, key=lambda check: order.index(check.outcome))
    return LineResult(line, worst.outcome, worst.reason, checks)
