"""The key metrics of green since the switch, the worst moment of each: from Prometheus, coverage first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from noxgate.clients.metric_queries import MetricQueries
from noxgate.clients.prometheus import Prometheus
from noxgate.target import UnreachableError

COVERED = 0.9  # of the samples that there should be: below it, silence proves nothing
SAMPLES = 4  # at the least, of what a rate is made of
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

    def over(self, function: str, expression: str) -> str:
        """The expression's worst moment: its windows must lie within the span."""
        return f"{function}(({expression})[{self.seconds - self.rate}s:{self.step}s])"


class KeyMetrics:
    """Asks for one check. No data, a gap or no request is an UnreachableError: nothing is known then."""

    def __init__(
        self, prometheus: Prometheus, namespace: str, container: str, pods: Sequence[str], seconds: float
    ) -> None:
        self._prometheus = prometheus
        self._of = MetricQueries(namespace, container)
        self._pods = pods
        self._seconds = seconds

    def p95_ms(self) -> float:
        """The 95th percentile of the response times, in milliseconds."""
        span = self._covered(self._of.up)
        self._edges()
        return self._prometheus.value(span.over("max_over_time", self._of.p95_ms(span.rate)))

    def errors_percent(self) -> float:
        """The share of the requests that end in a 5xx."""
        span = self._covered(self._of.up)
        return self._prometheus.value(span.over("max_over_time", self._of.errors_percent(span.rate)))

    def memory_percent(self) -> Mapping[str, float]:
        """Pod -> its memory, as a share of the limit."""
        span = self._covered(self._of.memory)
        return self._share(span, "memory", self._of.memory_percent())

    def cpu_percent(self) -> Mapping[str, float]:
        """Pod -> its CPU, as a share of the limit."""
        span = self._covered(self._of.cpu)
        return self._share(span, "cpu", self._of.cpu_percent(span.rate))

    def pods_at_least(self) -> float:
        """The fewest pods that answered at any moment."""
        span = self._covered(self._of.up)
        return self._prometheus.value(span.over("min_over_time", self._of.pods()))

    def _covered(self, selector: str) -> Span:
        """The span, if every pod has nearly all of the samples in it."""
        found = self._prometheus.query(selector)
        jobs = {one.labels.get("job", "") for one in found}
        every = [
            one.every_seconds
            for one in self._prometheus.targets()
            if one.job in jobs and one.every_seconds is not None
        ]
        if not every:
            raise UnreachableError(f"{selector}: expected series of a job that is scraped, saw none")
        span = Span.of(self._seconds, max(every))
        shares: dict[str, float] = {}
        for one in self._prometheus.coverage(selector, span.seconds, max(every)):
            pod = one.labels.get("pod", "")
            shares[pod] = max(one.value, shares.get(pod, 0.0))
        enough = COVERED - max(every) / span.seconds  # one sample more or less lies within, as it happens
        gaps = [pod for pod in self._pods if shares.get(pod, 0.0) < enough]
        if gaps:
            said = ", ".join(f"{pod} {shares.get(pod, 0.0):.0%}" for pod in gaps)
            raise UnreachableError(
                f"{selector}: expected {COVERED:.0%} of the samples of {span.seconds} s, saw {said}"
            )
        return span

    def _share(self, span: Span, resource: str, share: str) -> Mapping[str, float]:
        found = {
            one.labels.get("pod", ""): one.value
            for one in self._prometheus.query(span.over("max_over_time", share))
        }
        without = [pod for pod in self._pods if pod not in found]
        if without or not found:
            raise UnreachableError(f"{resource}: expected a share of the limit of each pod, not of {without}")
        return found

    def _edges(self) -> None:
        """The limits must be edges of buckets, or the percentile near them is made up."""
        found = self._prometheus.query(f"count by (le) ({self._of.buckets})")
        edges = {float(one.labels["le"]) for one in found}
        missing = {0.3, 0.5} - edges
        if missing:
            raise UnreachableError(f"the histogram has no bucket that ends at {sorted(missing)} s")


def since(moment: datetime | None) -> float:
    """Seconds since a moment; UnreachableError where nothing says when it was."""
    if moment is None:
        raise UnreachableError("nothing says when the Ingress was switched")
    return (datetime.now(UTC) - moment).total_seconds()
