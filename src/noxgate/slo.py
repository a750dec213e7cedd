"""Whether the holds of a load test keep the SLOs of the runbook: one outcome each, with its interval and its reason.

Every SLO is a share of bad requests: p95 < 300 ms says that fewer than 5 % take longer. Bad requests are counted
exactly, by window, and decided on as `noxgate.confidence` says; response times are only shown.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby, pairwise
from math import ceil, exp, inf, isfinite
from typing import TypeVar

from noxgate.confidence import (
    CONFIDENCE,
    Counts,
    Interval,
    none_of,
    percentile,
    percentile_interval,
    quantile,
    rising,
    share_interval,
    wilson,
)
from noxgate.runbook import Line, RunbookError

ROLLING = 10  # seconds: the worst of these is shown
CHANCE = 0.001  # a pause that Poisson arrivals have less often than in one hold of a thousand is a stall
OURS = frozenset({"script", "own limit", "killed"})  # the generator's own failures, by its `Reason`
LIMITED = 429

T = TypeVar("T")


class Outcome(StrEnum):
    """Of one SLO. Only PASSED is good; NOT_DECIDED says in its reason what is missing."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_DECIDED = "not decided"


class Bad(StrEnum):
    """What makes a request count against an SLO."""

    SLOW = "slow"  # over the SLO's seconds
    FAILED = "failed"  # whatever the reason
    WRONG = "wrong"  # there was an answer, not the right one
    SERVER_ERROR = "answered 5xx"


@dataclass(frozen=True, slots=True)
class Slo:
    """Fewer than `share` (0 to 1; 0: none at all) of the requests may be bad, and `minimum` requests must say so.

    `seconds` belongs to Bad.SLOW. Judged are the classes `only`, or all but `apart`: each, or together.
    """

    line: str
    bad: Bad
    share: float
    minimum: int
    seconds: float = inf
    only: str = ""
    apart: str = ""
    each: bool = False


@dataclass(frozen=True, slots=True)
class Second:
    """One class in one second. Adding those of several workers loses nothing; ValueError where counts disagree.

    `times`: a response time in seconds for each request, as exact as the giver has them (decisions use `over`).
    `outcomes`: requests by (status or 0, reason or ""). `over`: requests that took longer than a limit, by its
    seconds.
    """

    times: "array[float]" = field(default_factory=lambda: array("f"))
    outcomes: Mapping[tuple[int, str], int] = field(default_factory=dict)
    over: Mapping[float, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        requests = len(self.times)
        if sum(self.outcomes.values()) != requests or min(self.outcomes.values(), default=0) < 0:
            raise ValueError(f"expected the outcomes of {requests} requests, saw {dict(self.outcomes)}")
        if not all(0 <= count <= requests for count in self.over.values()):
            raise ValueError(f"expected 0 to {requests} requests over a limit, saw {dict(self.over)}")
        if not all(map(isfinite, self.times)) or min(self.times, default=0) < 0:
            raise ValueError("expected response times of 0 s or more, saw one that is negative or no number")

    def __add__(self, other: "Second") -> "Second":
        if self.over.keys() != other.over.keys():
            raise ValueError(
                f"expected counts over {sorted(self.over)} s, saw them over {sorted(other.over)} s"
            )
        over = {seconds: count + other.over[seconds] for seconds, count in self.over.items()}
        return Second(self.times + other.times, Counter(self.outcomes) + Counter(other.outcomes), over)

    def count(self, slo: Slo) -> Counts:
        """How many requests there were, and how many of them bad; KeyError if not counted over its limit."""
        if not self.times:
            return 0, 0
        if slo.bad is Bad.SLOW:
            return len(self.times), self.over[slo.seconds]
        is_bad: Mapping[Bad, Callable[[int, str], bool]] = {
            Bad.FAILED: lambda _, reason: reason != "",
            Bad.WRONG: lambda status, reason: reason != "" and status > 0,
            Bad.SERVER_ERROR: lambda status, _: status >= 500,  # noqa: PLR2004
        }
        test = is_bad[slo.bad]
        return len(self.times), sum(count for outcome, count in self.outcomes.items() if test(*outcome))


@dataclass(frozen=True)
class Hold:
    """A time of steady load: the seconds from `start` to before `end`.

    `seconds` has what was measured by class and second; a second that is absent had no request. `classes` are
    all that were to send. `quiet`: seconds in which none was to be sent. `spoiled`: why its numbers prove
    nothing about the target (generator busy, worker lost, arrivals dropped, …); empty when they do.
    """

    name: str
    start: int
    end: int
    classes: tuple[str, ...]
    seconds: Mapping[str, Mapping[int, Second]]
    window: int = 5
    quiet: frozenset[int] = frozenset()
    spoiled: tuple[str, ...] = ()

    def moments(self) -> list[int]:
        """The seconds in which requests were to be sent."""
        return [second for second in range(self.start, self.end) if second not in self.quiet]

    def of(self, classes: Iterable[str]) -> list[list[Second]]:
        """For each of its moments what these classes did in it."""
        measured = [self.seconds.get(name, {}) for name in classes]
        return [[by[moment] for by in measured if moment in by] for moment in self.moments()]


@dataclass(frozen=True, slots=True)
class Decision:
    """What counts by window say about a share. `burst`: how many times the variance of independent requests."""

    outcome: Outcome
    reason: str
    share: Interval | None = None
    burst: float = 1.0


@dataclass(frozen=True, slots=True)
class Worst:
    """The `seconds` from `after` seconds into the hold that are the surest to be the worst."""

    after: int
    seconds: int
    requests: int
    bad: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """One SLO on one hold, for one class or (class "") several together: what a row of the table needs.

    `seconds`: the percentile of a Bad.SLOW. `rising`: seconds of it, or share, a minute, where a trend up is
    seen. It tells where to look and decides nothing: neighbouring windows are alike, which makes trends of nothing.
    """

    slo: Slo
    hold: str
    name: str
    outcome: Outcome
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
    """Whether the share of bad requests is below `limit`, above it, or cannot be told from it."""
    if not all(0 <= bad <= requests < inf for requests, bad in windows):
        return Decision(Outcome.NOT_DECIDED, "the counts cannot be: the result is damaged")
    requests = sum(count for count, _ in windows)
    if not requests:
        return Decision(Outcome.NOT_DECIDED, "no samples")
    if len(windows) < 2:  # noqa: PLR2004
        return Decision(Outcome.NOT_DECIDED, f"{len(windows)} window: at least 2 are needed to see bursts")
    share, burst = share_interval(windows, confidence)
    assert share.high is not None
    if requests < minimum:
        more = ceil(minimum / requests * 10) / 10
        reason = f"too few samples: {requests} of at least {minimum}; hold {more:g} times as long"
        return Decision(Outcome.NOT_DECIDED, reason, share, burst)
    if share.low > limit:
        return Decision(Outcome.FAILED, "the whole interval is above the limit", share, burst)
    if share.high >= limit:
        return Decision(
            Outcome.NOT_DECIDED, _settled(share, limit, requests, burst, confidence), share, burst
        )
    empty = sum(not count for count, _ in windows)
    if empty:
        reason = f"{empty} of {len(windows)} windows without a request: what was not sent was not measured"
        return Decision(Outcome.NOT_DECIDED, reason, share, burst)
    return Decision(Outcome.PASSED, "the whole interval is below the limit", share, burst)


def _settled(share: Interval, limit: float, requests: int, burst: float, confidence: float) -> str:
    # Wilson's interval ends at the limit where n (share - limit)^2 = z^2 limit (1 - limit).
    needed = burst * quantile(confidence) ** 2 * limit * (1 - limit)
    distance = (share.measured - limit) ** 2 * requests
    if needed > 100 * distance:
        return "the limit is within the interval, and too close for any hold to settle it"
    times = ceil(needed / distance * 11) / 10  # a tenth more than it would need
    return f"the limit is within the interval; {times:g} times as long a hold would settle it if it goes on like this"


_SLOS: Mapping[str, tuple[str, Slo]] = {
    # the runbook's key of the limit; milliseconds or percent
    "staging.slo-p95": ("p95_ms", Slo("", Bad.SLOW, 0.05, 0, apart="science", each=True)),
    "staging.slo-p99": ("p99_ms", Slo("", Bad.SLOW, 0.01, 0, apart="science", each=True)),
    "staging.slo-science-p95": ("p95_ms", Slo("", Bad.SLOW, 0.05, 0, only="science")),
    "staging.slo-errors": ("errors_percent", Slo("", Bad.FAILED, 0, 0)),
    "staging.slo-api-errors": ("api_errors_percent", Slo("", Bad.WRONG, 0, 0)),
    "staging.slo-auth-success": ("success_percent", Slo("", Bad.FAILED, 0, 0, only="auth")),
    "staging.slo-no-5xx": ("errors_5xx", Slo("", Bad.SERVER_ERROR, 0, 0)),
}


def read_slos(lines: Mapping[str, Line]) -> tuple[Slo, ...]:
    """The SLOs of the runbook's lines; RunbookError naming the line whose limits are none."""
    return tuple(_slo(lines, line, key, slo) for line, (key, slo) in _SLOS.items())


def _slo(lines: Mapping[str, Line], line: str, key: str, slo: Slo) -> Slo:
    limits = lines[line].limits if line in lines else {}
    minimum = int(limits.get("samples", 300))
    if key not in limits:
        raise RunbookError(f"[{line}] limits: expected {key}, saw {', '.join(limits) or 'none'}")
    limit = limits[key]
    if key == "errors_5xx":
        good, slo = limit == 0, replace(slo, line=line, minimum=minimum)
    elif slo.bad is Bad.SLOW:
        good, slo = limit > 0, replace(slo, line=line, minimum=minimum, seconds=limit / 1000)
    else:
        percent = 100 - limit if key == "success_percent" else limit
        good, slo = 0 < percent < 100, replace(slo, line=line, minimum=minimum, share=percent / 100)
    if not good or minimum < 1:
        raise RunbookError(
            f"[{line}] limits: expected {key} and samples that can be held to, saw {dict(limits)}"
        )
    return slo


def judge(slo: Slo, hold: Hold, confidence: float = CONFIDENCE) -> tuple[Judgement, ...]:
    """One judgement for each class that the SLO is about, or one for all of them together; never none."""
    classes = tuple(name for name in hold.classes if name != slo.apart and slo.only in {"", name})
    groups = [(name, (name,)) for name in classes] if slo.each else [(slo.only, classes)]
    if not classes:
        reason = f"no samples: no class {slo.only or 'but ' + slo.apart} on this hold"
        return (Judgement(slo, hold.name, slo.only, Outcome.NOT_DECIDED, reason),)
    return tuple(_judge(slo, hold, name, group, confidence) for name, group in groups)


def overall(judgements: Iterable[Judgement]) -> Outcome:
    """The outcome of several, worst first: one that failed fails, and only all passed (and at least one) pass."""
    outcomes = {judgement.outcome for judgement in judgements}
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED
    return Outcome.PASSED if outcomes == {Outcome.PASSED} else Outcome.NOT_DECIDED


def _judge(slo: Slo, hold: Hold, name: str, classes: tuple[str, ...], confidence: float) -> Judgement:
    moments = hold.of(classes)
    try:
        counts = [_total(second.count(slo) for second in moment) for moment in moments]
    except KeyError:
        reason = f"requests over {slo.seconds:g} s were not counted: a result of other limits"
        return Judgement(slo, hold.name, name, Outcome.NOT_DECIDED, reason)
    windows = [_total(part) for part in _windows(counts, hold.window)]
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
            for part in _windows(moments, hold.window)
        ]
        seconds = _agreed(percentile_interval(times, 1 - slo.share, confidence), slo, decision)
        shares = [percentile(window, 1 - slo.share) for window in times if window]
    trend = rising(shares)
    return Judgement(
        *(slo, hold.name, name, decision.outcome, decision.reason, *_total(windows), len(windows)),
        share=decision.share,
        seconds=seconds,
        burst=decision.burst,
        worst=_worst(hold, counts),
        rising=trend and trend * 60 / hold.window,
        confidence=confidence,
    )


def _none(windows: Sequence[Counts], minimum: int, confidence: float) -> Decision:
    requests, bad = _total(windows)
    if bad:
        return Decision(Outcome.FAILED, f"{bad} of {requests}: not one is allowed")
    if requests < minimum or not all(count for count, _ in windows):
        return replace(decide(windows, 1, minimum=minimum), share=None)
    return Decision(
        Outcome.PASSED,
        f"none of {requests}",
        Interval(0, 0, none_of(requests, confidence)),
    )


def _trusted(decision: Decision, slo: Slo, hold: Hold, classes: Sequence[str]) -> Decision:
    """Not decided where the numbers are not the target's; and what was not measured lets nothing pass."""
    if decision.outcome is not Outcome.FAILED or slo.share:
        reason = _spoiled(hold, classes)
        if reason:
            return replace(decision, outcome=Outcome.NOT_DECIDED, reason=reason)
    if decision.outcome is Outcome.PASSED:
        reason = _unseen(hold, classes)
        if reason:
            return replace(decision, outcome=Outcome.NOT_DECIDED, reason=reason)
    return decision


def _spoiled(hold: Hold, classes: Sequence[str]) -> str:
    if hold.spoiled:
        return "; ".join(hold.spoiled)
    for name in hold.classes:
        for second in (second for moment in hold.of([name]) for second in moment):
            for status, reason in second.outcomes:
                if reason in OURS:
                    return f"the generator failed ({reason}): the numbers are its own"
                if status == LIMITED and name in classes:
                    return f"{name} was answered {LIMITED}: a rate limiter was measured, not the API"
    return ""


def _unseen(hold: Hold, classes: Sequence[str]) -> str:
    for name in classes:
        if not any(second.times for moment in hold.of([name]) for second in moment):
            return f"no samples of {name}"
    counts = [sum(len(second.times) for second in moment) for moment in hold.of(hold.classes)]
    pauses = [len(list(run)) for empty, run in groupby(counts, key=lambda count: count == 0) if empty]
    longest = max(pauses, default=0)
    if longest and len(counts) * exp(-sum(counts) / len(counts) * longest) < CHANCE:
        return f"no request at all for {longest} s: what was not sent in a stall was not measured"
    return ""


def _agreed(shown: Interval, slo: Slo, decision: Decision) -> Interval:
    # Response times may be rounded, the counts over the limit are not: these decided.
    low, high, share = shown.low, shown.high, decision.share
    if share and share.high is not None and share.high < slo.share:
        high = min(slo.seconds, inf if high is None else high)
    elif share and share.low > slo.share:
        low = max(slo.seconds, low)
    elif share:
        low, high = min(slo.seconds, low), None if high is None else max(slo.seconds, high)
    return Interval(shown.measured, low, high)


def _worst(hold: Hold, counts: Sequence[Counts]) -> Worst | None:
    span = min(len(counts), max(ROLLING, hold.window))
    parts = [(start, _total(counts[start : start + span])) for start in range(len(counts) - span + 1)]
    bad = [(start, part) for start, part in parts if part[1]]
    if not bad:
        return None
    start, part = max(bad, key=lambda item: wilson(item[1][1], item[1][0])[0])
    return Worst(hold.moments()[start] - hold.start, span, *part)


def _total(counts: Iterable[Counts]) -> Counts:
    requests = bad = 0
    for some, some_bad in counts:
        requests, bad = requests + some, bad + some_bad
    return requests, bad


def _windows(parts: Sequence[T], size: int) -> list[Sequence[T]]:
    # What is left at the end belongs to the last whole one.
    ends = [*range(size, len(parts) - size + 1, size), len(parts)]
    return [parts[start:end] for start, end in pairwise([0, *ends])]
