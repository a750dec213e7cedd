"""Whether a load test keeps the SLOs of the runbook: an outcome each, with its interval and its reason.

Every SLO is a share of bad requests: p95 < 300 ms says that fewer than 5 % take longer. Bad requests are
counted exactly, by window, and decided on by the interval of `noxgate.slo.confidence`; times are only shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, inf

from noxgate.project.runbook import Line, RunbookError
from noxgate.project.service.roles import SloData
from noxgate.slo.confidence import (
    CONFIDENCE,
    Counts,
    Interval,
    none_of,
    percentile,
    percentile_interval,
    quantile,
    rising,
    share_interval,
)
from noxgate.slo.holds import Bad, Hold, Worst, in_windows, spoiled, total, unanswered, unseen, worst

WHOLE = 100  # percent
OR_WAIVE = "or let the one who accepts it waive the line"


class SloOutcome(StrEnum):
    """Of one SLO, in the words of a line, best first. Only PASSED is good; the reason says what is missing.

    UNDECIDED: enough was measured, and the limit is within the interval. UNREACHABLE: too little was, or
    something else than the target.
    """

    PASSED = "passed"
    UNDECIDED = "undecided"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Slo:
    """Fewer than `share` (0 to 1; 0 allows no request) of at least `minimum` requests may be bad.

    `seconds` is the limit of Bad.SLOW. Judged are the classes `only`, or all but `apart`: each, or together.
    """

    line: str
    bad: Bad
    share: float
    minimum: int
    seconds: float = inf
    only: str = ""
    apart: str = ""
    each: bool = False

    def covers(self, name: str) -> bool:
        """Whether requests of this class count."""
        return name != self.apart and self.only in {"", name}


@dataclass(frozen=True, slots=True)
class Decision:
    """What counts by window say about a share; `burst` as in share_interval."""

    outcome: SloOutcome
    reason: str
    share: Interval | None = None
    burst: float = 1.0


@dataclass(frozen=True, slots=True)
class SloJudgement:
    """One SLO on one hold, for one class or (name "") for several together: a row of the table.

    `seconds`: the percentile, where the SLO has one. `rising`: by how many seconds of it, or by what share,
    it goes up a minute. That decides nothing: neighbouring windows are alike, which looks like a trend.
    """

    slo: Slo
    hold: str
    name: str
    outcome: SloOutcome
    reason: str
    requests: int = 0
    bad: int = 0
    windows: int = 0
    share: Interval | None = None
    seconds: Interval | None = None
    burst: float = 1.0
    worst: Worst | None = None
    rising: float | None = None
    confidence: float = CONFIDENCE


def decide(
    windows: Sequence[Counts], limit: float, *, minimum: int, confidence: float = CONFIDENCE
) -> Decision:
    """Whether the share of bad requests is below `limit`, above it, or cannot be told from it.

    `windows` are of equal length, and all of them: one without a request never passes.
    """
    if not all(0 <= bad <= requests < inf for requests, bad in windows):
        return Decision(SloOutcome.UNREACHABLE, "the counts cannot be: the result is damaged")
    requests, _ = total(windows)
    if not requests:
        return Decision(SloOutcome.UNREACHABLE, "no samples")
    if len(windows) < 2:  # noqa: PLR2004
        return Decision(SloOutcome.UNREACHABLE, "only 1 window: at least 2 are needed to see bursts")
    share, burst = share_interval(windows, confidence)
    empty = sum(not count for count, _ in windows)
    outcome = SloOutcome.UNREACHABLE
    if requests < minimum:
        times = ceil(minimum / requests * 10) / 10
        reason = f"too few samples: {requests} of at least {minimum}; hold {times:g} times as long"
    elif share.low > limit:
        outcome, reason = SloOutcome.FAILED, "the whole interval is above the limit"
    elif empty:
        reason = f"{empty} of {len(windows)} windows had no request"
    elif share.high is None or not share.high < limit:
        outcome = SloOutcome.UNDECIDED
        reason = "the limit is within the interval: " + _settled(share, limit, requests, burst, confidence)
    else:
        outcome, reason = SloOutcome.PASSED, "the whole interval is below the limit"
    return Decision(outcome, reason, share, burst)


def _settled(share: Interval, limit: float, requests: int, burst: float, confidence: float) -> str:
    # Wilson's interval ends at the limit where n (share - limit)^2 = z^2 limit (1 - limit).
    needed = burst * quantile(confidence) ** 2 * limit * (1 - limit)
    distance = (share.measured - limit) ** 2 * requests
    if needed > 100 * distance:
        return "too close for any hold to settle"
    times = ceil(needed / distance * 11) / 10  # a tenth more than it would need
    return f"{times:g} times as long a hold would settle it, if it goes on like this"


_BAD = {
    "slow": Bad.SLOW,
    "failed": Bad.FAILED,
    "succeeded": Bad.FAILED,  # its limit is of the others
    "wrong": Bad.WRONG,
    "server-error": Bad.SERVER_ERROR,
}


def resting(lines: Mapping[str, Line]) -> frozenset[str]:
    """The lines that are judged by the results of load tests."""
    return frozenset(line.id for line in lines.values() if line.slo is not None or line.role == "load-test")


def read_slos(lines: Mapping[str, Line]) -> tuple[Slo, ...]:
    """The SLOs of the runbook's lines.

    Raises RunbookError if no line has one.
    """
    found = tuple(_slo(line, line.slo) for line in lines.values() if line.slo is not None)
    if not found:
        raise RunbookError(
            "runbook.toml: expected a line with slo, saw none: a load test would judge nothing"
        )
    return found


def _slo(line: Line, said: SloData) -> Slo:
    limits, bad = line.limits, _BAD[said.measure]
    limit, minimum = limits[said.limit], int(limits.get("samples", 300))
    share, seconds = 0.0, inf
    if bad is Bad.SLOW:
        share, seconds = round(1 - (said.quantile or 1), 9), limit / 1000
        good = limit > 0
    elif bad is Bad.SERVER_ERROR:
        good = limit == 0
    else:
        percent = WHOLE - limit if said.measure == "succeeded" else limit
        share, good = percent / WHOLE, 0 < percent < WHOLE
    if not good or minimum < 1:
        raise RunbookError(
            f"[{line.id}] limits: expected {said.limit} and samples that can be held to, saw {dict(limits)}"
        )
    return Slo(line.id, bad, share, minimum, seconds, said.only, said.apart, said.each)


def limits_by_class(slos: Iterable[Slo], classes: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """The seconds over which requests of each class are to be counted, for these SLOs to be judged."""
    slow = [slo for slo in slos if slo.bad is Bad.SLOW]
    return {name: tuple(sorted({slo.seconds for slo in slow if slo.covers(name)})) for name in classes}


def judge(slo: Slo, hold: Hold, confidence: float = CONFIDENCE) -> tuple[SloJudgement, ...]:
    """One judgement for each class that the SLO is about, or one for all of them together; never none."""
    classes = tuple(name for name in hold.classes if slo.covers(name))
    groups = [(name, (name,)) for name in classes] if slo.each else [(slo.only, classes)]
    if not classes:
        reason = f"no samples: no class {slo.only or 'but ' + slo.apart} on this hold"
        return (SloJudgement(slo, hold.name, slo.only, SloOutcome.UNREACHABLE, reason),)
    return tuple(_judge(slo, hold, name, group, confidence) for name, group in groups)


def overall(judgements: Iterable[SloJudgement]) -> SloOutcome:
    """The worst outcome of several; unreachable without any."""
    found = {judgement.outcome for judgement in judgements}
    return max(found, key=list(SloOutcome).index, default=SloOutcome.UNREACHABLE)


def _judge(slo: Slo, hold: Hold, name: str, classes: tuple[str, ...], confidence: float) -> SloJudgement:
    moments = hold.of(classes)
    try:
        counts = [total(second.count(slo.bad, slo.seconds) for second in moment) for moment in moments]
    except KeyError:
        reason = f"requests over {slo.seconds:g} s were not counted: a result of other limits"
        return SloJudgement(slo, hold.name, name, SloOutcome.UNREACHABLE, reason)
    windows = [total(part) for part in in_windows(counts, hold.window)]
    if slo.share:
        decision = decide(windows, slo.share, minimum=slo.minimum, confidence=confidence)
    else:
        decision = _none(windows, slo.minimum, confidence)
    decision = _trusted(decision, slo, hold, classes)
    shares = [bad / requests for requests, bad in windows if requests]
    seconds = None
    if slo.bad is Bad.SLOW and decision.share:
        times = [
            sorted(time for moment in part for second in moment for time in second.times)
            for part in in_windows(moments, hold.window)
        ]
        seconds = _agreed(percentile_interval(times, 1 - slo.share, confidence), slo, decision)
        shares = [percentile(window, 1 - slo.share) for window in times if window]
    trend = rising(shares)
    return SloJudgement(
        *(slo, hold.name, name, decision.outcome, decision.reason, *total(windows), len(windows)),
        share=decision.share,
        seconds=seconds,
        burst=decision.burst,
        worst=worst(hold, counts),
        rising=trend and trend * 60 / hold.window,
        confidence=confidence,
    )


def _none(windows: Sequence[Counts], minimum: int, confidence: float) -> Decision:
    requests, bad = total(windows)
    if bad:
        return Decision(SloOutcome.FAILED, f"{bad} of {requests}: not one is allowed")
    decision = decide(windows, 1, minimum=minimum, confidence=confidence)
    if decision.outcome is not SloOutcome.PASSED:
        return Decision(decision.outcome, decision.reason)
    return Decision(SloOutcome.PASSED, f"none of {requests}", Interval(0, 0, none_of(requests, confidence)))


def _trusted(decision: Decision, slo: Slo, hold: Hold, classes: Sequence[str]) -> Decision:
    """Unreachable where the numbers are not the target's, or do not fail and something was not measured."""
    if decision.outcome is not SloOutcome.FAILED or slo.share:
        reason = spoiled(hold, classes)
        if reason:
            return replace(decision, outcome=SloOutcome.UNREACHABLE, reason=reason)
    if decision.outcome in {SloOutcome.PASSED, SloOutcome.UNDECIDED}:
        reason = unseen(hold, classes)
        if not reason and slo.bad is Bad.SLOW:
            reason = unanswered(hold, classes)
        if reason:
            return replace(decision, outcome=SloOutcome.UNREACHABLE, reason=reason)
    return decision


def _agreed(shown: Interval, slo: Slo, decision: Decision) -> Interval:
    # Response times may be rounded, the counts over the limit are not: these decided.
    low, high, share = shown.low, shown.high, decision.share
    if share and share.high is not None and share.high < slo.share:
        high = min(slo.seconds, inf if high is None else high)
        low = min(low, high)
    elif share and share.low > slo.share:
        low = max(slo.seconds, low)
        high = None if high is None else max(low, high)
    elif share:
        low, high = min(slo.seconds, low), None if high is None else max(slo.seconds, high)
    return Interval(min(max(shown.measured, low), inf if high is None else high), low, high)
