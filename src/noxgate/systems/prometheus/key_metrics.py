"""The key metrics of green since the switch, the worst moment of each: from Prometheus, coverage first."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from noxgate.errors import UnreachableError
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.counting import CountedWindow, Counting, Grown, both_ways, count
from noxgate.systems.prometheus.coverage import Covered, ScrapeCoverage, Waiting, names_of_labels
from noxgate.systems.prometheus.metric_queries import MetricQueries, any_of, is_failed, is_refused

BEFORE = timedelta(minutes=5)  # in which counters that are away for a moment are looked for


class KeyMetrics:
    """Asks for one check. No data, a gap or no request is an UnreachableError: nothing is known then."""

    def __init__(
        self,
        prometheus: Prometheus,
        of: MetricQueries,
        pods: Sequence[str],
        seconds: float,
        waiting: Waiting,
        began: Mapping[str, datetime] = MappingProxyType({}),
    ) -> None:
        """`began` is when the container of a pod did, where it is not older than what is looked at."""
        self._prometheus = prometheus
        self._of = of
        self._pods = pods
        self._coverage = ScrapeCoverage(prometheus, pods, seconds, waiting, began)

    def p95_ms(self, *, against: float) -> float:
        """The 95th percentile of the response times, in milliseconds, to be held against a limit."""

        def worst(windows: Sequence[CountedWindow]) -> float:
            return _worst(1000 * window.quantile(0.95) for window in windows)

        found = self._grown(self._of.buckets, "le", self._coverage.of(self._of.up))
        _edges(found.grown)
        return self._decided(found, worst, against, "ms is the highest 95th percentile")

    def errors_percent(self, *, against: float) -> float:
        """The share of the requests that end in a 5xx, to be held against a limit."""

        def worst(windows: Sequence[CountedWindow]) -> float:
            return _worst(window.percent(is_failed) for window in windows)

        found = self._grown(self._of.requests, "status", self._coverage.of(self._of.up))
        return self._decided(found, worst, against, "percent is the most that ended in a 5xx")

    def refused_percent(self, selector: str, *, against: float) -> float:
        """The share of 4xx in what a selector's counters have counted, by their label `status`.

        They may be another's than the pods', such as the ingress'.
        """

        def worst(windows: Sequence[CountedWindow]) -> float:
            return _worst(window.percent(is_refused) for window in windows)

        looked, up = self._coverage.of(self._of.up), self._of.up
        jobs = {one.labels.get("job", "") for one in self._prometheus.query(f"count by (job) ({selector})")}
        if others := jobs - {self._of.metrics.job, ""}:
            up = f"up{{job=~{any_of(others)}}}"
            found, every = self._coverage.scraping(up)
            looked = replace(looked, every=math.ceil(every), labels=names_of_labels(found))
        counted = self._grown(selector, "status", looked, up)
        return self._decided(counted, worst, against, "percent is the most that was refused with a 4xx")

    def memory_percent(self) -> Mapping[str, float]:
        """Pod -> its memory, as a share of the limit."""
        looked = self._coverage.of(self._of.memory)
        return self._share(looked, "memory", self._of.memory_percent())

    def cpu_percent(self) -> Mapping[str, float]:
        """Pod -> its CPU, as a share of the limit."""
        looked = self._coverage.of(self._of.cpu)
        return self._share(looked, "cpu", self._of.cpu_percent(looked.span.rate))

    def pods_at_least(self) -> float:
        """The fewest pods that answered at any moment."""
        span = self._coverage.of(self._of.up).span
        return self._prometheus.value(
            span.over("min_over_time", self._of.pods()), "pods answered at the least"
        )

    def looked(self) -> Covered:
        """What of the scrapes of its pods is covered, without which nothing is known."""
        return self._coverage.of(self._of.up)

    def _grown(self, selector: str, by: str, looked: Covered, up: str | None = None) -> "Counted":
        """What counters grew by; `up` are the scrapes that brought them, if those are not the pods' own."""
        before = max(BEFORE, timedelta(seconds=looked.span.seconds))
        counting = Counting(
            selector,
            up or self._of.up,
            looked.labels,
            self._of.started,
            looked.since,
            looked.until,
            before,
            looked.every,
        )
        found = count(
            counting, by, lambda *asked: [self._prometheus.range(asked[0], asked[1], looked.until, asked[2])]
        )
        return Counted(found, looked, selector, counting.scraped(by))

    def _decided(
        self, found: "Counted", worst: Callable[[Sequence[CountedWindow]], float], limit: float, of: str
    ) -> float:
        """The worst window. Raises UnreachableError if what was not counted decides about the limit."""
        counted, all_of_it = (worst(found.windows(everything=each)) for each in (False, True))
        said = found.grown.said
        if said:
            self._prometheus.say(said, found.query)
        if not counted >= limit and all_of_it >= limit:
            raise UnreachableError(both_ways(counted, all_of_it, limit, said))
        if math.isnan(counted):
            raise UnreachableError(
                f"{found.selector}: expected requests in {found.looked.span.seconds} s, saw none"
            )
        self._prometheus.say(f"{counted:g} {of}", found.query, counted)
        return counted

    def _share(self, looked: Covered, resource: str, share: str) -> Mapping[str, float]:
        span = looked.span
        found = {
            one.labels.get("pod", ""): one.value
            for one in self._prometheus.query(
                span.over("max_over_time", share), f"percent of its {resource} limit"
            )
        }
        numbers = {pod for pod, value in found.items() if not math.isnan(value)}  # else it is under any limit
        lived = self._coverage.lived(span, looked.until, span.rate)
        without = sorted({*(pod for pod in self._pods if lived[pod]), *found} - numbers)
        if without or not found:
            raise UnreachableError(f"{resource}: expected a share of the limit of each pod, not of {without}")
        return found


@dataclass(frozen=True)
class Counted:
    """What counters grew by in what was covered; `query` shows them again."""

    grown: Grown
    looked: Covered
    selector: str
    query: str

    def windows(self, *, everything: bool) -> Sequence[CountedWindow]:
        """With what was not counted, or without."""
        looked = self.looked
        return list(
            self.grown.windows(
                looked.since, looked.until, looked.every, looked.span.rate, everything=everything
            )
        )


def _worst(values: Iterable[float]) -> float:
    """NaN if every window is without a request."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _edges(buckets: Grown) -> None:
    """The limits must be edges of buckets, or the percentile near them is made up."""
    edges = {float(edge) for classes in buckets.steps.values() for edge in classes}
    missing = {0.3, 0.5} - edges
    if missing and edges:
        raise UnreachableError(f"the histogram has no bucket that ends at {sorted(missing)} s")


def since(moment: datetime) -> float:
    """Seconds since a moment."""
    return (datetime.now(UTC) - moment).total_seconds()
