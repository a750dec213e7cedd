"""The key metrics of green since the switch, the worst moment of each: from Prometheus, coverage first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from noxgate.clients.prometheus import Prometheus
from noxgate.target import UnreachableError

JOB = "nox-api"
# As the shipped alerts have it: scrapes and probes always succeed quickly, and science may take 2 s.
OPERATORS = "/metrics|/health|/ready"
SCIENCE = "/empirical/v1|/predict/cj/v1|/xtb/v1|/psi4/v1"
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
        self._namespace = namespace
        self._container = container
        self._pods = pods
        self._seconds = seconds

    def p95_ms(self) -> float:
        """The 95th percentile of the response times, in milliseconds."""
        span = self._covered(f"up{{{self._of_job}}}")
        chosen = f'{self._of_job},path!~"{OPERATORS}|{SCIENCE}"'
        buckets = f"rate(http_request_duration_seconds_bucket{{{chosen}}}[{span.rate}s])"
        self._edges(chosen)
        p95 = f"1000*histogram_quantile(0.95,sum by (le) ({buckets}))"
        return self._prometheus.value(span.over("max_over_time", p95))

    def errors_percent(self) -> float:
        """The share of the requests that end in a 5xx."""
        span = self._covered(f"up{{{self._of_job}}}")
        chosen = f'{self._of_job},path!~"{OPERATORS}"'
        bad = f'sum(rate(http_requests_total{{{chosen},status=~"5.."}}[{span.rate}s]))'
        all_ = f"sum(rate(http_requests_total{{{chosen}}}[{span.rate}s]))"
        # 0 / 0, where nobody asks, is no number, and none of the windows that count
        return self._prometheus.value(span.over("max_over_time", f"100*({bad} or vector(0))/({all_} > 0)"))

    def memory_percent(self) -> Mapping[str, float]:
        """Pod -> its memory, as a share of the limit."""
        used = f"container_memory_working_set_bytes{{{self._of_container}}}"
        span = self._covered(used)
        return self._share(span, "memory", f"max by (pod) ({used})")

    def cpu_percent(self) -> Mapping[str, float]:
        """Pod -> its CPU, as a share of the limit."""
        used = f"container_cpu_usage_seconds_total{{{self._of_container}}}"
        span = self._covered(used)
        return self._share(span, "cpu", f"max by (pod) (rate({used}[{span.rate}s]))")

    def pods_at_least(self) -> float:
        """The fewest pods that answered at any moment."""
        span = self._covered(f"up{{{self._of_job}}}")
        up = f"count(max by (pod) (up{{{self._of_job}}}) == 1) or vector(0)"
        return self._prometheus.value(span.over("min_over_time", up))

    @property
    def _of_job(self) -> str:
        return f'namespace="{self._namespace}",job="{JOB}"'

    @property
    def _of_container(self) -> str:
        return f'namespace="{self._namespace}",container="{self._container}"'

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

    def _share(self, span: Span, resource: str, used: str) -> Mapping[str, float]:
        limit = f'kube_pod_container_resource_limits{{{self._of_container},resource="{resource}"}}'
        share = f"100*{used}/max by (pod) ({limit})"
        found = {
            one.labels.get("pod", ""): one.value
            for one in self._prometheus.query(span.over("max_over_time", share))
        }
        without = [pod for pod in self._pods if pod not in found]
        if without or not found:
            raise UnreachableError(f"{resource}: expected a share of the limit of each pod, not of {without}")
        return found

    def _edges(self, chosen: str) -> None:
        """The limits must be edges of buckets, or the percentile near them is made up."""
        found = self._prometheus.query(f"count by (le) (http_request_duration_seconds_bucket{{{chosen}}})")
        edges = {float(one.labels["le"]) for one in found}
        missing = {0.3, 0.5} - edges
        if missing:
            raise UnreachableError(f"the histogram has no bucket that ends at {sorted(missing)} s")


def since(moment: datetime | None) -> float:
    """Seconds since a moment; UnreachableError where nothing says when it was."""
    if moment is None:
        raise UnreachableError("nothing says when the Ingress was switched")
    return (datetime.now(UTC) - moment).total_seconds()
