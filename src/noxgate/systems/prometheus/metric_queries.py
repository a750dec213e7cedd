"""The key metrics in PromQL: written once, for the half hour after the switch and for the 48 hours."""

from dataclasses import dataclass

JOB = "nox-api"
# As the shipped alerts have it: scrapes and probes always succeed quickly, and science may take 2 s.
OPERATORS = "/metrics|/health|/ready"
SCIENCE = "/empirical/v1|/predict/cj/v1|/xtb/v1|/psi4/v1"


@dataclass(frozen=True)
class MetricQueries:
    """Of one namespace's pods, and of the application's container in them."""

    namespace: str
    container: str = "nox-api"

    @property
    def up(self) -> str:
        """One series for each scrape of a pod."""
        return f"up{{{self._of_job}}}"

    @property
    def memory(self) -> str:
        return f"container_memory_working_set_bytes{{{self._of_container}}}"

    @property
    def cpu(self) -> str:
        return f"container_cpu_usage_seconds_total{{{self._of_container}}}"

    @property
    def restarts(self) -> str:
        return f"kube_pod_container_status_restarts_total{{{self._of_container}}}"

    @property
    def buckets(self) -> str:
        """The response times of what users wait for."""
        return f'http_request_duration_seconds_bucket{{{self._of_job},path!~"{OPERATORS}|{SCIENCE}"}}'

    def p95_ms(self, rate: int) -> str:
        """No number where nobody asks."""
        return f"1000*histogram_quantile(0.95,sum by (le) (rate({self.buckets}[{rate}s])))"

    def requests_per_second(self, rate: int) -> str:
        return f"sum(rate({self._requests()}[{rate}s]))"

    def errors_percent(self, rate: int) -> str:
        """0 / 0, where nobody asks, is no number, and none of the windows that count."""
        bad = f"sum(rate({self._requests('5..')}[{rate}s]))"
        return f"100*({bad} or vector(0))/({self.requests_per_second(rate)} > 0)"

    def memory_percent(self) -> str:
        """By pod, as a share of its limit."""
        return self._share("memory", f"max by (pod) ({self.memory})")

    def cpu_percent(self, rate: int) -> str:
        """By pod, as a share of its limit."""
        return self._share("cpu", f"max by (pod) (rate({self.cpu}[{rate}s]))")

    def pods(self) -> str:
        """The pods that answered."""
        return f"count(max by (pod) ({self.up}) == 1) or vector(0)"

    @property
    def _of_job(self) -> str:
        return f'namespace="{self.namespace}",job="{JOB}"'

    @property
    def _of_container(self) -> str:
        return f'namespace="{self.namespace}",container="{self.container}"'

    def _requests(self, status: str = "") -> str:
        only = f',status=~"{status}"' if status else ""
        return f'http_requests_total{{{self._of_job},path!~"{OPERATORS}"{only}}}'

    def _share(self, resource: str, used: str) -> str:
        limit = f'kube_pod_container_resource_limits{{{self._of_container},resource="{resource}"}}'
        return f"100*{used}/max by (pod) ({limit})"
