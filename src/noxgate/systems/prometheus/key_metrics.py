"""The key metrics of green since the switch, the worst moment of each: from Prometheus, coverage first."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems.prometheus.answers import Sample
from noxgate.systems.prometheus.client import NoDataError, Prometheus
from noxgate.systems.prometheus.counting import Counting, Grown, Window, count, undecided
from noxgate.systems.prometheus.metric_queries import MetricQueries, any_of, is_failed, is_refused

T = TypeVar("T")

COVERED = 0.9  # of the samples that there should be: below it, silence proves nothing
SAMPLES = 4  # at the least, of what a rate is made of
BEFORE = timedelta(minutes=5)  # in which counters that are away for a moment are looked for
PARTS = 6  # of the window: a rate over all of it would hide a short incident


@dataclass(frozen=True)
class Span:
    """How long to look back: windows of `rate` seconds, one each `step`, over the last `seconds`."""

    seconds: int
    rate: int
    step: int

    @classmethod
    def of(cls, seconds: float, every: float) -> "Span":
        """At least so long that every rate has its samples."""
        rate = max(SAMPLES * every, seconds / PARTS)
        whole = max(seconds, 2 * rate)
        return cls(round(whole), round(rate), max(1, round(max(every, rate / SAMPLES))))

    def longer(self, seconds: float) -> "Span":
        """From the same start: what was there when it began must not fall out of it."""
        return replace(self, seconds=self.seconds + round(seconds))

    def over(self, function: str, expression: str) -> str:
        """The expression's worst moment: its windows must lie within the span."""
        return f"{function}(({expression})[{self.seconds - self.rate}s:{self.step}s])"


class Waiting:
    """How long a run's checks wait for samples that are missing: all of them together, at most `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def for_all(self, look: Callable[[float], T], every: float) -> T:
        """What `look` finds, which is told how many seconds were waited; UnreachableError in the end."""
        began = time.monotonic()
        try:
            return eventually(
                lambda: look(time.monotonic() - began), within=max(0.0, self._left), every=every
            )
        except AssertionError as error:
            raise UnreachableError(str(error)) from None
        finally:
            self._left -= time.monotonic() - began


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
        self._began = began
        self._of = of
        self._pods = pods
        self._seconds = seconds
        self._waiting = waiting

    def p95_ms(self, limit: float) -> float:
        """The 95th percentile of the response times, in milliseconds."""

        def worst(windows: Sequence[Window]) -> float:
            return _worst(1000 * window.quantile(0.95) for window in windows)

        found = self._grown(self._of.buckets, "le", self._looked(self._of.up))
        _edges(found.grown)
        return self._decided(found, worst, limit, "ms is the highest 95th percentile")

    def errors_percent(self, limit: float) -> float:
        """The share of the requests that end in a 5xx."""

        def worst(windows: Sequence[Window]) -> float:
            return _worst(window.percent(is_failed) for window in windows)

        found = self._grown(self._of.requests, "status", self._looked(self._of.up))
        return self._decided(found, worst, limit, "percent is the most that ended in a 5xx")

    def refused_percent(self, selector: str, limit: float) -> float:
        """The share of 4xx in what a selector's counters have counted, by their label `status`.

        They may be another's than the pods', such as the ingress'.
        """

        def worst(windows: Sequence[Window]) -> float:
            return _worst(window.percent(is_refused) for window in windows)

        looked, up = self._looked(self._of.up), self._of.up
        jobs = {one.labels.get("job", "") for one in self._prometheus.query(f"count by (job) ({selector})")}
        if others := jobs - {self._of.metrics.job, ""}:
            up = f"up{{job=~{any_of(others)}}}"
            found, every = self._scraping(up)
            looked = replace(looked, every=math.ceil(every), labels=_labels(found))
        counted = self._grown(selector, "status", looked, up)
        return self._decided(counted, worst, limit, "percent is the most that was refused with a 4xx")

    def memory_percent(self) -> Mapping[str, float]:
        """Pod -> its memory, as a share of the limit."""
        looked = self._looked(self._of.memory)
        return self._share(looked, "memory", self._of.memory_percent())

    def cpu_percent(self) -> Mapping[str, float]:
        """Pod -> its CPU, as a share of the limit."""
        looked = self._looked(self._of.cpu)
        return self._share(looked, "cpu", self._of.cpu_percent(looked.span.rate))

    def pods_at_least(self) -> float:
        """The fewest pods that answered at any moment."""
        span = self._looked(self._of.up).span
        return self._prometheus.value(
            span.over("min_over_time", self._of.pods()), "pods answered at the least"
        )

    def looked(self) -> "Looked":
        """What of the scrapes of its pods is covered, without which nothing is known."""
        return self._looked(self._of.up)

    def _grown(self, selector: str, by: str, looked: "Looked", up: str | None = None) -> "Counted":
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
        self, found: "Counted", worst: Callable[[Sequence[Window]], float], limit: float, of: str
    ) -> float:
        """The worst window. Raises UnreachableError if what was not counted decides about the limit."""
        counted, all_of_it = (worst(found.windows(everything=each)) for each in (False, True))
        said = found.grown.said
        if said:
            self._prometheus.say(said, found.query)
        if not counted >= limit and all_of_it >= limit:
            raise UnreachableError(undecided(counted, all_of_it, limit, said))
        if math.isnan(counted):
            raise UnreachableError(
                f"{found.selector}: expected requests in {found.looked.span.seconds} s, saw none"
            )
        self._prometheus.say(f"{counted:g} {of}", found.query, counted)
        return counted

    def _looked(self, selector: str) -> "Looked":
        """The same, and what else has to be known of the scrapes."""
        found, every = self._scraping(selector)
        span = Span.of(self._seconds, every)
        until = max(one.at for one in found)
        whole = self._waiting.for_all(
            lambda waited: self._whole(
                selector, span.longer(waited), every, until + timedelta(seconds=round(waited))
            ),
            every,
        )
        longer = timedelta(seconds=whole.seconds - span.seconds)
        return Looked(whole, until + longer, max(1, math.ceil(every)), _labels(found))

    def _scraping(self, selector: str) -> tuple[Sequence[Sample], float]:
        """Its series now, and the longest time between two scrapes of their jobs."""
        found = self._prometheus.query(selector)
        jobs = {one.labels.get("job", "") for one in found}
        every = [
            one.every_seconds
            for one in self._prometheus.targets()
            if one.job in jobs and one.every_seconds is not None
        ]
        if not every:
            raise UnreachableError(f"{selector}: expected series of a job that is scraped, saw none")
        return found, max(every)

    def _whole(self, selector: str, span: Span, every: float, until: datetime) -> Span:
        """The same span; AssertionError as long as a pod lacks samples in it, which later ones outweigh."""
        shares: dict[str, float] = {}
        try:
            found = self._prometheus.coverage(selector, span.seconds, every)
        except NoDataError as error:
            raise AssertionError(str(error)) from None
        for one in found:
            pod = one.labels.get("pod", "")
            shares[pod] = max(one.value, shares.get(pod, 0.0))
        lived = self._lived(span, until, SAMPLES * every)
        slack = every / span.seconds  # one sample more or less lies within, as it happens
        gaps = [pod for pod in self._pods if shares.get(pod, 0.0) < COVERED * lived[pod] - slack]
        said = ", ".join(f"{pod} {shares.get(pod, 0.0):.0%}" for pod in gaps)
        assert not gaps, f"{selector}: expected {COVERED:.0%} of the samples of {span.seconds} s, saw {said}"
        return span

    def _lived(self, span: Span, until: datetime, found_after: float) -> dict[str, float]:
        """Pod -> of which part of the span there must be samples: an autoscaler may have added it meanwhile.

        It takes a moment to be found by Prometheus. Where clocks differ, or no pod would be older than the
        span, all of it counts.
        """
        lived = dict.fromkeys(self._pods, 1.0)
        for pod, began in self._began.items():
            seconds = (until - began).total_seconds()
            if seconds >= 0:
                lived[pod] = min(1.0, max(0.0, seconds - found_after) / span.seconds)
        return lived if 1.0 in lived.values() else dict.fromkeys(self._pods, 1.0)

    def _share(self, looked: "Looked", resource: str, share: str) -> Mapping[str, float]:
        span = looked.span
        found = {
            one.labels.get("pod", ""): one.value
            for one in self._prometheus.query(
                span.over("max_over_time", share), f"percent of its {resource} limit"
            )
        }
        numbers = {pod for pod, value in found.items() if not math.isnan(value)}  # else it is under any limit
        lived = self._lived(span, looked.until, span.rate)
        without = sorted({*(pod for pod in self._pods if lived[pod]), *found} - numbers)
        if without or not found:
            raise UnreachableError(f"{resource}: expected a share of the limit of each pod, not of {without}")
        return found


@dataclass(frozen=True)
class Looked:
    """What was covered: until when, by Prometheus' own clock, and the seconds between two scrapes."""

    span: Span
    until: datetime
    every: int
    labels: Sequence[str]  # of the targets

    @property
    def since(self) -> datetime:
        return self.until - timedelta(seconds=self.span.seconds)


@dataclass(frozen=True)
class Counted:
    """What counters grew by in what was covered; `query` shows them again."""

    grown: Grown
    looked: Looked
    selector: str
    query: str

    def windows(self, *, everything: bool) -> Sequence[Window]:
        """With what was not counted, or without."""
        looked = self.looked
        return list(
            self.grown.windows(
                looked.since, looked.until, looked.every, looked.span.rate, everything=everything
            )
        )


def _labels(found: Iterable[Sample]) -> Sequence[str]:
    """The names of the labels that series have."""
    return sorted({name for one in found for name in one.labels} - {"__name__"})


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
