"""Green since the switch beside blue before it: the same paths, each asked about as often."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from noxgate.blue_green.slower.histogram import Buckets, mean_of
from noxgate.slo.before.judging import (
    MEDIAN,
    TYPICAL,
    Compared,
    Limits,
    by_window,
    failing,
    percentiles,
    slower,
    told,
)
from noxgate.slo.before.ratio import LEAST, Counted
from noxgate.slo.slos import SloOutcome
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.counting import Counting, Grown, count
from noxgate.systems.prometheus.metric_queries import MetricQueries, is_failed

BEFORE = timedelta(minutes=5)  # in which counters that are away for a moment are looked for
MEAN = "mean"
ALL = "all paths"
GONE = "hardly answered"


@dataclass(frozen=True)
class Time:
    """One colour's pods from one moment to another, and what that time is called."""

    name: str
    of: MetricQueries
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Busy:
    """Paths are those of `most` that users asked the most; `times`: how unlike their requests/s may be."""

    most: int
    times: float


@dataclass(frozen=True)
class Beside:
    """Asks Prometheus about one time beside another. `every`: seconds between two scrapes."""

    prometheus: Prometheus
    labels: Sequence[str]
    every: int
    limits: Limits
    busy: Busy
    panels: list[tuple[str, Buckets, Buckets]] = field(default_factory=list)  # what was compared, to draw

    def judged(self, now: Time, before: Time) -> list[Compared]:
        """Each path that enough users asked both for; failures of all of them together.

        Empty if the other had no requests: there is nothing to compare with.
        """
        asked, earlier = self._by(now, now.of.requests, "path"), self._by(before, before.of.requests, "path")
        if not earlier.steps:
            return []
        counts, others = asked.summed(), earlier.summed()
        least = self.limits.samples["p50"]
        paths = sorted((path for path in counts if path in others), key=lambda path: -counts[path])
        enough = [path for path in paths if min(counts[path], others[path]) >= least]
        many = {path: min(asked.windows_of(path), earlier.windows_of(path)) for path in enough}
        chosen = [path for path in enough if many[path] >= LEAST][: self.busy.most]
        gone = [*self._gone(asked, earlier, chosen, before.name)]
        if not chosen:
            seen = ", ".join(f"{path} {counts[path]:.0f} and {others[path]:.0f}" for path in paths[:3])
            reason = (
                f"too few requests of any path: {seen or 'none in common'}, of at least {least:g} each, "
                f"in {LEAST} windows"
            )
            return [*gone, Compared(f"{ALL}, beside {before.name}", "p50", SloOutcome.UNDECIDED, reason)]
        told_of = {one.where for one in gone}
        found = [
            # such as a check's, which asks one path hundreds of times at once
            Compared(f"{path}, beside {before.name}", "all", None, f"asked in {few} windows: in bursts alone")
            for path, few in many.items()
            if few < LEAST and f"{path}, beside {before.name}" not in told_of
        ]
        for path in chosen:
            where = f"{path}, beside {before.name}"
            rates = counts[path] / asked.seconds, others[path] / earlier.seconds
            if not 1 / self.busy.times <= rates[0] / rates[1] <= self.busy.times:
                reason = f"{rates[0]:.3g} requests/s, and {rates[1]:.3g} before: another load"
                found.append(Compared(where, "all", SloOutcome.UNDECIDED, reason))
            else:
                found += self._of_path(where, path, now, before)
        failed = self._failed(now), self._failed(before)
        return [*gone, *found, failing(f"{ALL}, beside {before.name}", *failed, self.limits)]

    def _gone(self, asked: "Parts", earlier: "Parts", chosen: Sequence[str], name: str) -> Iterator[Compared]:
        """Paths of users on blue that green hardly answers: what is not answered is in no response time."""
        counts, others = asked.summed(), earlier.summed()
        part = asked.seconds / earlier.seconds
        busiest = sorted((path for path in others if path not in chosen), key=lambda path: -others[path])
        for path in busiest[: self.busy.most]:
            due, windows = part * others[path], part * earlier.windows_of(path)
            is_users = due >= self.limits.samples[MEDIAN] and windows >= LEAST
            seen, seen_in = counts.get(path, 0.0), asked.windows_of(path)
            if is_users and (seen < due / self.busy.times or seen_in < windows / self.busy.times):
                reason = (
                    f"answered {seen:.0f} times in {seen_in} windows, and by blue as much as "
                    f"{due:.0f} times in {windows:.0f}: who asks for it now?"
                )
                yield Compared(f"{path}, beside {name}", GONE, SloOutcome.UNDECIDED, reason)

    def _of_path(self, where: str, path: str, now: Time, before: Time) -> list[Compared]:
        histograms, means = [], []
        seconds = now.of.metrics.buckets.removesuffix("_bucket")
        for each in (now, before):
            selector = each.of.of_path(each.of.metrics.buckets, path)
            sums, requests = (
                self._by(each, each.of.of_path(f"{seconds}_{what}", path), "path").totals()
                for what in ("sum", "count")
            )
            means.append([(some, sums.get(at, 0.0)) for at, some in requests.items() if some])
            each_mean = [took / some for some, took in means[-1]]
            histograms.append(Buckets.of(selector, self._by(each, selector, "le").each(), each_mean))
        mean = self._mean(where, means[0], means[1])
        typical = by_window(where, MEDIAN, histograms[0], histograms[1], self.limits)
        mean, typical = told(mean, typical)
        edges = sorted({*histograms[0].edges} & {*histograms[1].edges})
        if len(edges) < 2:  # noqa: PLR2004 (one to compare with, and all)
            reason = "no edge of a bucket is of both: the mean decides"
            return [Compared(where, MEDIAN, None, reason), typical, mean]
        # what is made up between two edges must be so alike
        later, earlier = (side.at_edges(edges) for side in histograms)
        self.panels.append((where, later, earlier))
        found = percentiles(where, later, earlier, self.limits)
        return [*(_proven(one, mean, typical, later, earlier) for one in found), mean]

    def _mean(self, where: str, now: Sequence[Counted], before: Sequence[Counted]) -> Compared:
        few = min(len(now), len(before))
        if few < LEAST:
            return Compared(where, MEAN, SloOutcome.UNDECIDED, f"only {few} windows of its sum and count")
        return slower(where, MEAN, mean_of(now), mean_of(before), self.limits)

    def _failed(self, each: Time) -> list[Counted]:
        windows = self._by(each, each.of.requests, "status").each()
        return [
            (sum(one.values()), sum(many for status, many in one.items() if is_failed(status)))
            for one in windows
        ]

    def _by(self, each: Time, selector: str, by: str) -> "Parts":
        counting = Counting(
            selector, each.of.up, self.labels, each.of.started, each.since, each.until, BEFORE, self.every
        )

        def ask(promql: str, since: datetime, step: int) -> list[list[Series]]:
            return [self.prometheus.range(promql, since, each.until, step)]

        found = count(counting, by, ask)
        if found.said:
            self.prometheus.say(f"{each.name}: {found.said}", counting.scraped(by))
        return Parts(found, each, self.every)


@dataclass(frozen=True)
class Parts:
    """What counters grew by in a time, scrape by scrape."""

    grown: Grown
    time: Time
    every: int

    @property
    def steps(self) -> Mapping[datetime, Mapping[str, float]]:
        return {at: classes for at, classes in self.grown.steps.items() if sum(classes.values())}

    @property
    def seconds(self) -> float:
        """From the first of them to the end: what is older than Prometheus is not counted."""
        first = min(self.steps, default=self.time.since)
        return max(1.0, (self.time.until - first).total_seconds() + self.every)

    def each(self) -> list[Mapping[str, float]]:
        """Window by window, without those in which there was nothing."""
        found = self.grown.windows(self.time.since, self.time.until, self.every, self.every)
        return [window.counted for window in found if window.total > 0]

    def windows_of(self, name: str) -> int:
        """How many have something of this class."""
        return sum(1 for counted in self.each() if counted.get(name))

    def totals(self) -> dict[datetime, float]:
        found = self.grown.windows(self.time.since, self.time.until, self.every, self.every)
        return {window.at: window.total for window in found}

    def summed(self) -> dict[str, float]:
        """By class."""
        names = {name for classes in self.grown.steps.values() for name in classes}
        return {name: sum(one.get(name, 0.0) for one in self.grown.steps.values()) for name in names}


def _proven(one: Compared, mean: Compared, typical: Compared, now: Buckets, before: Buckets) -> Compared:
    """Not decided where a percentile seems slower, and neither buckets nor the mean say so for sure.

    The median is left out where the mean passed, all in all and by window: a longer time tells as little.
    """
    if one.outcome is not SloOutcome.FAILED or mean.outcome is SloOutcome.FAILED or one.what == TYPICAL:
        return one
    if one.now is None or one.before is None or one.before.high is None:
        return replace(one, outcome=SloOutcome.UNDECIDED)
    least = now.around(one.now.low)[0] / before.around(one.before.high)[1]
    if least > one.limit:
        return one
    reason = (
        f"it seems so, and its buckets are too wide to tell: {least:.2f} times for sure, mean {mean.outcome}"
    )
    passed = mean.outcome is typical.outcome is SloOutcome.PASSED
    outcome = None if one.what == MEDIAN and passed else SloOutcome.UNDECIDED
    return replace(one, outcome=outcome, reason=reason)


def together(references: Sequence[Sequence[Compared]]) -> tuple[list[str], list[str]]:
    """What is slower for sure, and what is open: a measure that is slower beside one, and not beside another.

    Traffic differs by the hour, and by the day: what both say counts. A path that one of them did not have,
    or as rarely, is not gone.
    """
    worse: list[str] = []
    open_: list[str] = []
    outcomes = [{_measure(one): one for one in found if one.outcome} for found in references]
    for measure in dict.fromkeys(key for found in outcomes for key in found):
        said = [found[measure] for found in outcomes if measure in found]
        kinds = {one.outcome for one in said}
        if measure[1] == GONE and len(said) < sum(1 for found in references if found):
            continue
        if kinds == {SloOutcome.FAILED}:
            worse += map(str, said)
        elif kinds != {SloOutcome.PASSED}:
            open_ += map(str, said)
    return worse, open_


def _measure(one: Compared) -> tuple[str, str]:
    return one.where.partition(", beside ")[0], one.what
