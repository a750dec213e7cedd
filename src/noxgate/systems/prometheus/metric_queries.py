"""The key metrics in PromQL: written once, for the half hour after the switch and for the 48 hours."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from noxgate.project.service.names import Metrics

SAID = 300  # seconds in which others than the pods themselves say something of them


@dataclass(frozen=True)
class MetricQueries:
    """Of one namespace's pods, and of the application's container in them."""

    namespace: str
    container: str
    metrics: Metrics

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
        paths = "|".join([*self.metrics.operators, *self.metrics.slow])
        return f'{self.metrics.buckets}{{{self._of_job},path!~"{paths}"}}'

    @property
    def requests(self) -> str:
        """All that users asked for, by status."""
        return f'{self.metrics.requests}{{{self._of_job},path!~"{"|".join(self.metrics.operators)}"}}'

    def of_path(self, metric: str, path: str) -> str:
        """A metric of one path alone."""
        return f"{metric}{{{self._of_job},path={json.dumps(path)}}}"

    @property
    def answers(self) -> str:
        """All requests, of all users."""
        return f"{self.metrics.requests}{{{self._of_job}}}"

    @property
    def started(self) -> str:
        """By pod, when its newest process started, by whoever says it, in seconds."""
        ours = f"process_start_time_seconds{{{self._of_job}}}"
        return _newest(ours, f"container_start_time_seconds{{{self._of_container}}}", *self._of_pods)

    @property
    def pod_started(self) -> str:
        """When the pod itself did; restarts of its containers do not count."""
        return _newest(*self._of_pods)

    @property
    def _of_pods(self) -> tuple[str, str]:
        return (
            f'kube_pod_start_time{{namespace="{self.namespace}"}}',
            f'kube_pod_created{{namespace="{self.namespace}"}}',
        )

    @property
    def every(self) -> tuple[tuple[str, ...], ...]:
        """What each selects, whoever asked for whichever path; of several any will do."""
        buckets = f"{self.metrics.buckets}{{{self._of_job}}}"
        limits = (self._limit("memory"), self._limit("cpu"))
        each = (self.up, self.answers, buckets, self.memory, self.cpu, *limits, self.restarts)
        return (*((one,) for one in each), self._of_pods)

    def labels(self, name: str) -> tuple[str, ...]:
        """What series of this name are told apart by."""
        return ("pod", *self.metrics.labels.get(name, ()))

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
        return f'namespace="{self.namespace}",job="{self.metrics.job}"'

    @property
    def _of_container(self) -> str:
        return f'namespace="{self.namespace}",container="{self.container}"'

    def _share(self, resource: str, used: str) -> str:
        return f"100*{used}/max by (pod) ({self._limit(resource)})"

    def _limit(self, resource: str) -> str:
        return f'kube_pod_container_resource_limits{{{self._of_container},resource="{resource}"}}'


def _newest(*said: str) -> str:
    """By pod, the newest of what these say."""
    return f"max by (pod) ({' or '.join(f'last_over_time({each}[{SAID}s])' for each in said)})"


def is_failed(status: str) -> bool:
    """Whether it is the server's own fault."""
    return re.fullmatch("5..", status) is not None


def is_refused(status: str) -> bool:
    """Whether it is laid at the door of who asked."""
    return re.fullmatch("4..", status) is not None


def any_of(values: Iterable[str]) -> str:
    """As a regular expression in PromQL."""
    return json.dumps("|".join(re.escape(value) for value in sorted(values)))
