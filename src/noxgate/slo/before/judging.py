"""Whether a version is slower than the one before, or fails more often: an outcome for each measure.

A percentile is worse by a ratio, and by more than a user would notice; a share of failures by a ratio, and
where it is more than a few. Percentiles of too few requests are left out, and said; the median never is.

Each percentile is that of all requests, and that of windows, by rank. Bursts are in one hold more often than
in another: of all requests the two may then differ as the version before differs from itself, and no hold of
minutes would tell. Where that is so, windows decide: most are without bursts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, log
from statistics import median

from noxgate.project.runbook import Line, RunbookError
from noxgate.slo.before.ratio import HALF, LEAST, Counted, Ratio, Windows, percentile_of, ratio, share_of
from noxgate.slo.before.typical import ratio_of_windows
from noxgate.slo.confidence import Interval
from noxgate.slo.slos import SloOutcome

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
ERRORS = "failures"
MEDIAN = "p50"
TYPICAL = "windows"
BY_WINDOW = {MEDIAN: TYPICAL, "p95": f"{TYPICAL}' p95", "p99": f"{TYPICAL}' p99"}
IN_WINDOW = {MEDIAN: 1, "p95": 40, "p99": 200}  # requests: two are beyond the percentile
STRETCH = 10  # parts: by one of them, in a row, nothing is called slower, as a hold may have a burst more
ONE_STRETCH = f"for one {STRETCH}th of the windows, in a row: another hold would tell"
FARTHEST = 100  # times as long: more is too long for a hold
KEYS = (
    "slower_at_most",
    "slower_by_ms",
    "rehearsal_by_ms",
    "errors_percent",
    "errors_samples",
    *(f"{name}_samples" for name in PERCENTILES),
)


@dataclass(frozen=True)
class Limits:
    """`times`: the ratio that is allowed. Worse by up to `seconds`, or the share `errors`, counts as equal.

    `samples`: how many requests a measure must have on both sides.
    """

    times: float
    seconds: float
    errors: float
    samples: Mapping[str, float]


@dataclass(frozen=True)
class VersionTimes:
    """One version's response times, and its failures, by window."""

    times: Windows
    failed: Sequence[Counted]


@dataclass(frozen=True)
class Compared:
    """One measure of both versions. `outcome` is None if it was left out: too few requests to say."""

    where: str  # such as a class on a hold
    what: str
    outcome: SloOutcome | None
    reason: str
    limit: float = inf
    now: Interval | None = None
    before: Interval | None = None
    ratio: Ratio | None = None
    itself: float = 0.0  # how many times as slow as itself the version before may be, by the same look

    @property
    def measured(self) -> float:
        return self.ratio.measured if self.ratio else inf

    @property
    def longer(self) -> float:
        return longer(self.ratio, self.limit) if self.ratio else inf

    @property
    def is_vague(self) -> bool:
        """Whether an equal version would be undecided: as measured it may be anywhere up to `itself`."""
        return self.itself**2 > self.limit

    def as_itself(self) -> str:
        many = "any number of" if self.itself == inf else f"{self.itself:.2f}"
        return f"the version before may be {many} times as slow as itself"

    def __str__(self) -> str:
        said = f"{self.where}, {self.what}"
        if self.now and self.before and self.ratio:
            high = "…" if self.ratio.high == inf else f"{self.ratio.high:.2f}"
            said += (
                f": {self._shown(self.now)}, before {self._shown(self.before)}: {self.ratio.measured:.2f} "
                f"times ({self.ratio.low:.2f} to {high}), at most {self.limit:.2f}"
            )
        return f"{said}: {self.outcome or 'left out'}, {self.reason}"

    def _shown(self, interval: Interval) -> str:
        if self.what == ERRORS:
            return f"{100 * interval.measured:.2f} %"
        return f"{1000 * interval.measured:.3g} ms"


def limits_of(line: Line, *, rehearsal: bool = False) -> Limits:
    """The line's. Raises RunbookError if they cannot be held to.

    A rehearsal's target answers in milliseconds, beside other work: there larger differences count as equal.
    """
    given = line.limits
    missing = [key for key in KEYS if key not in given]
    if missing or not given["slower_at_most"] > 1 or min(given.values()) <= 0:
        raise RunbookError(
            f"[{line.id}] limits: expected {', '.join(KEYS)}, each more than 0, slower_at_most than 1, "
            f"saw {dict(given)}"
        )
    samples = {"p50": given["p50_samples"], "p95": given["p95_samples"], "p99": given["p99_samples"]}
    if rehearsal:
        samples[MEDIAN] = given.get("rehearsal_samples", samples[MEDIAN])
    return Limits(
        given["slower_at_most"],
        (given["rehearsal_by_ms"] if rehearsal else given["slower_by_ms"]) / 1000,
        given["errors_percent"] / 100,
        samples | {ERRORS: given["errors_samples"]},
    )


def compared(where: str, now: VersionTimes, before: VersionTimes, limits: Limits) -> list[Compared]:
    """Each measure of both."""
    return [
        *percentiles(where, now.times, before.times, limits),
        failing(where, now.failed, before.failed, limits),
    ]


def percentiles(where: str, now: Windows, before: Windows, limits: Limits) -> list[Compared]:
    """How slow both are."""
    few, requests = min(now.many, before.many), min(now.requests, before.requests)
    if few < LEAST:
        reason = f"only {few} windows with requests: at least {LEAST} are needed to see bursts"
        return [Compared(where, MEDIAN, SloOutcome.UNDECIDED, reason)]
    found = []
    for what in PERCENTILES:
        least = limits.samples[what]
        if requests < least:
            open_ = SloOutcome.UNDECIDED if what == MEDIAN else None
            reason = f"too few requests: {requests:.0f} of at least {least:g}"
            found.append(Compared(where, what, open_, reason))
            continue
        windows = by_window(where, what, now, before, limits)
        found += told(_of_all(where, what, now, before, limits), windows)
    return found


def told(of_all: Compared, windows: Compared) -> tuple[Compared, Compared]:
    """Both of one percentile; left out is what is undecided, and would be of two equal versions.

    Of a tail's windows that is so if they are few, and of all requests by bursts: then windows tell whether
    it is slower without them, and all requests, whether they differ from the version before as it does from
    itself. As measured, what is left out is within the limit, or within that. The median's windows stay.
    """
    if windows.what != TYPICAL and windows.outcome is SloOutcome.UNDECIDED:
        if of_all.outcome is SloOutcome.PASSED:
            windows = replace(windows, outcome=None, reason="that of all requests decides")
        elif windows.is_vague and windows.measured <= windows.limit:
            windows = replace(windows, outcome=None, reason=f"too few requests: {windows.as_itself()}")
    if of_all.outcome is SloOutcome.UNDECIDED and windows.outcome in {SloOutcome.PASSED, None}:
        most = max(of_all.limit, of_all.itself if windows.outcome else 0)
        if of_all.is_vague and of_all.measured <= most:
            of_all = replace(of_all, outcome=None, reason=f"bursts, or few requests: {of_all.as_itself()}")
    return of_all, windows


def _of_all(where: str, what: str, now: Windows, before: Windows, limits: Limits) -> Compared:
    """One percentile of all requests."""
    share = PERCENTILES[what]
    usual = percentile_of(before, share)
    one = slower(where, what, percentile_of(now, share), usual, limits)
    if one.outcome is SloOutcome.FAILED:
        rest = _but_the_worst(now, usual.measured * one.limit)
        again = slower(where, what, percentile_of(rest, share), usual, limits)
        if again.outcome is not SloOutcome.FAILED:
            return replace(one, outcome=SloOutcome.UNDECIDED, reason=f"so only {ONE_STRETCH}")
    return one


def _but_the_worst(now: Windows, limit: float) -> Windows:
    """Without the stretch of a tenth of its windows in which the most took longer."""
    over = [count for _, count in now.over(limit)]
    many = max(1, len(over) // STRETCH)
    worst = max(range(len(over) - many + 1), key=lambda first: sum(over[first : first + many]))
    return now.without(worst, many)


def by_window(where: str, what: str, now: Windows, before: Windows, limits: Limits) -> Compared:
    """Whether windows in general are slower: bursts hide it from percentiles of all requests."""
    later, earlier = (side.typical(PERCENTILES[what], IN_WINDOW[what]) for side in (now, before))
    few = min(len(later), len(earlier))
    if few < LEAST:
        open_ = SloOutcome.UNDECIDED if what == MEDIAN else None
        reason = f"only {few} windows of {IN_WINDOW[what]} requests, of at least {LEAST}"
        return Compared(where, BY_WINDOW[what], open_, reason)
    found = ratio_of_windows(later, earlier)
    measured, usual = (Interval(one, one, one) for one in (median(later), median(earlier)))
    limit = max(limits.times, 1 + limits.seconds / usual.measured)
    outcome, reason = decided(found, limit)
    itself = ratio_of_windows(earlier, earlier).high
    return Compared(where, BY_WINDOW[what], outcome, reason, limit, measured, usual, found, itself)


def overall(found: Sequence[Compared]) -> SloOutcome:
    """Failed as soon as one is; passed if all that was compared is, and something was."""
    outcomes = {one.outcome for one in found if one.outcome is not None}
    if SloOutcome.FAILED in outcomes:
        return SloOutcome.FAILED
    return SloOutcome.PASSED if outcomes == {SloOutcome.PASSED} else SloOutcome.UNDECIDED


def slower(where: str, what: str, now: Interval, before: Interval, limits: Limits) -> Compared:
    """One measure in seconds."""
    found = ratio(now, before)
    limit = max(limits.times, 1 + limits.seconds / before.measured)
    outcome, reason = decided(found, limit)
    return Compared(where, what, outcome, reason, limit, now, before, found, ratio(before, before).high)


def failing(where: str, now: Sequence[Counted], before: Sequence[Counted], limits: Limits) -> Compared:
    """The shares that failed."""
    sides = [[one for one in side if one[0]] for side in (now, before)]
    sizes = [sum(count for count, _ in side) for side in sides]
    least = limits.samples[ERRORS]
    if min(sizes) < least or min(map(len, sides)) < LEAST:
        reason = f"too few requests: {min(sizes):.0f} of at least {least:g}, in {LEAST} windows"
        return Compared(where, ERRORS, None, reason)
    measured, earlier = map(share_of, sides)
    found = ratio(_above_none(measured, sizes[0]), _above_none(earlier, sizes[1]))
    outcome, reason = decided(found, limits.times)
    if measured.high is not None and measured.high < limits.errors:
        outcome, reason = SloOutcome.PASSED, f"surely less than {100 * limits.errors:g} % fail"
    elif outcome is SloOutcome.FAILED and not measured.low > limits.errors:
        outcome = SloOutcome.UNDECIDED
        reason = f"more than before, and not surely more than {100 * limits.errors:g} %"
    return Compared(where, ERRORS, outcome, reason, limits.times, measured, earlier, found)


def _above_none(share: Interval, requests: float) -> Interval:
    """Zero has no ratio: half a request stands for it."""
    return Interval(max(share.measured, HALF / requests), share.low, share.high)


def decided(found: Ratio, limit: float) -> tuple[SloOutcome, str]:
    """Whether a ratio is below a limit, above it, or cannot be told from it."""
    if found.low > limit:
        return SloOutcome.FAILED, "the whole interval is above the limit"
    if found.high < limit:
        return SloOutcome.PASSED, "the whole interval is below the limit"
    return SloOutcome.UNDECIDED, f"the limit is within the interval: {_settled(found, limit)}"


def _settled(found: Ratio, limit: float) -> str:
    needed = longer(found, limit)
    if needed == inf:
        return "more requests would tell"
    if needed > FARTHEST:
        return "too close for any length to settle"
    return f"{needed:g} times as long would settle it, if it goes on like this"


def longer(found: Ratio, limit: float) -> float:
    """How many times as long both holds would have to be; infinite if nothing tells.

    An interval is half as wide with four times the requests.
    """
    distance = log(limit / found.measured)
    end = found.high if distance > 0 else found.low
    if end in {0, inf}:
        return inf
    needed = (log(end / found.measured) / distance) ** 2 if distance else FARTHEST + 1
    return ceil(needed * 11) / 10
