"""The metrics of a long window, minute by minute: a number for all of it would hide a short incident."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from statistics import fmean

from noxgate.errors import UnreachableError
from noxgate.systems.prometheus.answers import Labels, Series
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.counting import CountedWindow, Counting, Grown, backwards, both_ways, count
from noxgate.systems.prometheus.metric_queries import SAID, MetricQueries, is_failed
from noxgate.systems.prometheus.restarts import restarted
from noxgate.systems.prometheus.stretches import STEP, Minutes, Stretch, stretches

RATE = 300  # of which rates are made, as in the half hour after the switch
SEEN = 120  # a minute is covered by a sample that is not older
MISSED = 3600  # a pod that no longer answers is missed for so long: then it is taken to be gone
CHUNK = timedelta(hours=12)  # that one query is about: a server limits what it may load
COUNTED = timedelta(hours=6)  # the same of counters, of which each scrape is asked for
MOST = 10_000  # steps of one query: a server answers 11,000
KNOWN = 3600  # in which counters that are away for a while are looked for
CRITICAL = 'ALERTS{severity="critical",alertstate="firing"}'


@dataclass(frozen=True)
class Coverage:
    """How much of a time there are samples of, and where they are missing."""

    percent: float
    gaps: Sequence[Stretch]


@dataclass(frozen=True)
class WindowMetrics:
    """Asks for one check about the time from `start` to `end`.

    What is not covered is an UnreachableError: less than `enough` percent of the minutes, or one gap of
    `longest_gap` minutes, in which an incident could hide.
    """

    prometheus: Prometheus
    of: MetricQueries
    start: datetime
    end: datetime
    enough: float
    longest_gap: float

    def between(self, start: datetime, end: datetime, namespace: str | None = None) -> "WindowMetrics":
        """The same of another time, or of another namespace."""
        of = self.of if namespace is None else replace(self.of, namespace=namespace)
        return replace(self, start=start, end=end, of=of)

    def coverage(self) -> Coverage:
        """A minute is covered if each pod that Prometheus knew answered: a silent one has users, too."""
        return self._all_of(self._known, f"{self._known} == 1")

    @cached_property
    def gaps(self) -> Sequence[Stretch]:
        """Where not every pod was scraped, be it for a minute."""
        return self.coverage().gaps

    def p95_over(self, limit_ms: float) -> list[Stretch]:
        """Where the 95th percentile of the response times was not below the limit."""
        self._covered(self.of.up)
        self._covered(f'{self.of.buckets.removesuffix("}")},le="+Inf"}}')  # else none could be over
        found = self._grown(self.of.buckets, "le")
        if limit_ms / 1000 not in {float(edge) for classes in found.steps.values() for edge in classes}:
            raise UnreachableError(f"the histogram has no bucket that ends at {limit_ms / 1000:g} s")
        return self._over(found, lambda window: 1000 * window.quantile(0.95), limit_ms)

    def errors_over(self, limit_percent: float) -> list[Stretch]:
        """Where the share of the requests that end in a 5xx was not below the limit."""
        return self._over(self._requests, lambda window: window.percent(is_failed), limit_percent)

    def silences(self) -> list[Stretch]:
        """Where there was no request."""
        return stretches(
            {window.at: math.nan for window in self._windows(self._requests) if not window.total}
        )

    def answered(self, since: datetime, until: datetime) -> float:
        """How many requests the pods counted then, of all users and paths."""
        return sum(sum(each.values()) for at, each in self._all_requests.steps.items() if since < at <= until)

    def requests_per_second(self) -> float:
        """Over the whole time."""
        counted = sum(sum(classes.values()) for classes in self._requests.steps.values())
        return counted / (self.end - self.start).total_seconds()

    def by_minute(self, expression: str) -> list[Series]:
        """What an expression answers in each minute."""
        return self._series(expression, 0)

    def memory_over(self, limit_percent: float) -> list[Stretch]:
        """Where the fullest pod was not below the limit."""
        return _wrong(self._fullest(), lambda value: value < limit_percent, max)

    def memory_growth(self) -> float:
        """By how much the fullest pod's share grew from the second hour to the last."""
        values = self._fullest()
        hour = timedelta(hours=1)
        early = [value for at, value in values.items() if hour <= at - self.start < 2 * hour]
        late = [value for at, value in values.items() if at > self.end - hour]
        return fmean(late) - fmean(early)

    def cpu_over(self, limit_percent: float) -> list[Stretch]:
        """Where the busiest pod was not below the limit."""
        self._measured(self.of.cpu)
        busiest = self._all(f"max({self.of.cpu_percent(RATE)})")
        return _wrong(busiest, lambda value: value < limit_percent, max)

    def pods_under(self, least: float) -> list[Stretch]:
        """Where fewer pods answered."""
        self._covered(self.of.up)
        return _wrong(self._all(self.of.pods()), lambda value: value >= least, min)

    def restarts(self, most: float) -> dict[str, float]:
        """Pod -> how often its container restarted, of those that did so more often."""
        self._measured(self.of.restarts)
        first = self.start - timedelta(seconds=KNOWN)
        asked = self._parts(f"max by (pod) (last_over_time({self.of.restarts}[{SEEN}s]))", first, STEP)
        young = self._parts(self.of.pod_started, backwards(self.end, self.start, SAID), SAID)
        found = restarted(asked, young, self.start)
        if found.unknown:
            self.prometheus.say(found.said, self.of.restarts)
        return found.over(most)

    def fired(self, is_ours: Callable[[Labels], bool]) -> dict[str, list[Stretch]]:
        """Critical alert -> when it fired, be it for one evaluation."""
        self._covered(self.of.up)
        found = self._series(f"count_over_time({CRITICAL}[{STEP}s])", STEP)
        return {
            f"{one.labels.get('alertname')} {dict(one.labels)}": stretches(
                {at: math.nan for at, _ in one.points}
            )
            for one in found
            if is_ours(one.labels)
        }

    def _fullest(self) -> Minutes:
        self._measured(self.of.memory)
        return self._all(f"max({self.of.memory_percent()})")

    def _covered(self, selector: str) -> None:
        """What was not measured is unknown; of a pod that is not scraped, `coverage` says so."""
        there = self._minutes(f"count(count_over_time({selector}[{SEEN}s]))", STEP)
        self._refuse_gaps(selector, self._coverage(there, STEP))

    def _measured(self, selector: str) -> None:
        """The same of what others say of each pod that answers."""
        pods = f"{self._known} == 1"
        there = f"count by (pod) (count_over_time({selector}[{SEEN}s])) and on (pod) {pods}"
        self._refuse_gaps(f"{selector}, of each pod", self._all_of(pods, there))

    @property
    def _known(self) -> str:
        """By pod, from its first answer to an hour after its last: 1 if it answers, 0 if it is only asked."""
        return (
            f"(max by (pod) (max_over_time({self.of.up}[{SEEN}s]))"
            f" and on (pod) max by (pod) (max_over_time({self.of.up}[{MISSED}s])) == 1)"
        )

    def _all_of(self, pods: str, found: str) -> Coverage:
        """In which minutes all of these pods were found."""
        return self._coverage(self._minutes(f"count({found}) == count({pods})", STEP), STEP)

    def _coverage(self, there: Collection[datetime], after: int) -> Coverage:
        """How many of the minutes are there, and which are not."""
        grid = list(self._grid(after))
        gaps = stretches({at: math.nan for at in grid if at not in there})
        return Coverage(100 * sum(at in there for at in grid) / max(1, len(grid)), gaps)

    def _refuse_gaps(self, what: str, found: Coverage) -> None:
        wide = [gap for gap in found.gaps if gap.minutes >= self.longest_gap]
        if found.percent < self.enough or wide:
            shown = ", ".join(map(str, wide[:3])) or f"{len(found.gaps)} short gaps"
            raise UnreachableError(
                f"{what}: expected samples in {self.enough:g} % of the minutes and no gap of "
                f"{self.longest_gap:g} min, saw {found.percent:.1f} %: {shown}"
            )

    @cached_property
    def _requests(self) -> Grown:
        """What users asked for, by status: of several questions of one check."""
        self._covered(self.of.up)
        return self._grown(self.of.requests, "status")

    @cached_property
    def _all_requests(self) -> Grown:
        """What anybody asked for, probes among them."""
        return self._grown(self.of.answers, "status")

    def _grown(self, selector: str, by: str) -> Grown:
        """By how much counters grew; what was not counted is said."""
        labels, every = self._scrapes
        before = timedelta(seconds=every * math.ceil(KNOWN / every))
        counting = Counting(
            selector, self.of.up, labels, self.of.started, self.start, self.end, before, every
        )
        found = count(counting, by, partial(self._parts, chunk=COUNTED))
        if found.said:
            self.prometheus.say(found.said, counting.scraped(by))
        return found

    @cached_property
    def _scrapes(self) -> tuple[Sequence[str], int]:
        """What labels they had in all this time, which may come and go; how many seconds are between two."""
        up = f"count_over_time({self.of.up}[{KNOWN * 1000 - 1}ms])"
        asked = self._parts(up, backwards(self.end, self.start, KNOWN), KNOWN)
        found = [one for part in asked for one in part]
        most = max((count for one in found for _, count in one.points), default=0.0)
        if not most:
            raise UnreachableError(f"{self.of.up}: expected samples, saw none")
        labels = {name for one in found for name in one.labels} - {"__name__"}
        return sorted(labels), max(1, round(KNOWN / most))

    def _windows(self, found: Grown, *, everything: bool = False) -> Iterator[CountedWindow]:
        """The five minutes up to each minute."""
        return found.windows(self.start, self.end, STEP, RATE, everything=everything)

    def _over(self, found: Grown, value: Callable[[CountedWindow], float], limit: float) -> list[Stretch]:
        """Where a value was not below the limit.

        Raises UnreachableError if what was not counted decides it.
        """
        counted, everything = (
            {
                window.at: seen
                for window in self._windows(found, everything=each)
                if (seen := value(window)) >= limit
            }
            for each in (False, True)
        )
        if everything and not counted:
            best = max((value(window) for window in self._windows(found)), default=math.nan)
            raise UnreachableError(both_ways(best, max(everything.values()), limit, found.said))
        return stretches(counted, max)

    def _all(self, expression: str) -> Minutes:
        """A value for every minute that is covered; a missing one is not known."""
        found = self._minutes(expression)
        if not found:
            raise UnreachableError(f"{expression}: expected a value for each minute, saw none")
        self._refuse_gaps(expression, self._coverage(found, RATE))  # the limit of a share may be missing
        return found

    def _minutes(self, expression: str, after: int = RATE) -> Minutes:
        """The one series of an expression, without NaN; rates are whole `after` seconds."""
        found = self._series(expression, after)
        if len(found) > 1:
            raise UnreachableError(f"{expression}: expected one series, saw {len(found)}")
        return {at: value for one in found for at, value in one.points if not math.isnan(value)}

    def _series(self, expression: str, after: int) -> list[Series]:
        """Asked in parts, and put together again."""
        points: dict[tuple[tuple[str, str], ...], list[tuple[datetime, float]]] = {}
        for part in self._parts(expression, self.start + timedelta(seconds=after), STEP):
            for one in part:
                points.setdefault(tuple(sorted(one.labels.items())), []).extend(one.points)
        return [Series(dict(labels), values) for labels, values in points.items()]

    def _parts(
        self, expression: str, first: datetime, step: int, chunk: timedelta = CHUNK
    ) -> Iterator[list[Series]]:
        """What is answered from then on, a part at a time."""
        each = timedelta(seconds=step)
        while first <= self.end:
            last = min(first + min(chunk, MOST * each), self.end)
            yield self.prometheus.range(expression, first, last, step)
            first += ((last - first) // each + 1) * each

    def _grid(self, after: int) -> Iterator[datetime]:
        """Every minute, as Prometheus gives them back: `start` is a whole second."""
        at = self.start + timedelta(seconds=after)
        while at <= self.end:
            yield at
            at += timedelta(seconds=STEP)


def _wrong(
    minutes: Minutes, is_good: Callable[[float], bool], worst: Callable[[float, float], float] | None
) -> list[Stretch]:
    return stretches({at: value for at, value in minutes.items() if not is_good(value)}, worst)
