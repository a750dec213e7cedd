"""Runbook 2, validation suite > monitoring: /metrics has what the SLOs and alerts are made of."""

import math
import re
from itertools import pairwise

import pytest

from nox_service.api import ApiClient
from nox_service.clients import Clients
from noxgate.look.http import Answer
from noxgate.project.runbook import Runbook
from noxgate.systems.prometheus.scraped import exposition


@pytest.mark.runbook("staging.metrics-format")
def test_metrics_are_prometheus_text(clients: Clients) -> None:
    """By its content type, and whole, as a scrape reads it: one bad line loses all of it.

    Prometheus 3 scrapes no other content type than these two, Prometheus 2 reads all else as text/plain.
    """
    answer = asked(clients.api)

    assert answer.status == 200, f"GET /metrics: expected HTTP 200, saw HTTP {answer.status}"
    kind = exposition.media_type(answer.headers.get("content-type", ""))
    assert kind in {exposition.TEXT, exposition.OPENMETRICS}
    assert exposition.read(answer) != []


@pytest.mark.runbook("staging.metrics-series")
def test_slo_series_exist(clients: Clients, runbook: Runbook) -> None:
    """Requests by status, and a latency histogram that can tell the SLOs' limits.

    With the labels by which live tells users from probes: without them its numbers would be of both.
    """
    service = clients.service
    samples = exposition.read(asked(clients.api))
    requests = [sample for sample in samples if sample.name == service.metrics.requests]
    histograms = exposition.histograms(samples, service.metrics.durations)

    assert [sample for sample in requests if not (math.isfinite(sample.value) and sample.value >= 0)] == []
    assert sum(sample.value for sample in requests) > 0, (
        f"{service.metrics.requests}: expected requests, saw 0"
    )
    statuses = [sample.labels for sample in requests]
    assert [labels for labels in statuses if not re.fullmatch(r"\d{3}", labels.get("status", ""))] == []
    unlabelled = [
        (sample.name, label)
        for sample in samples
        for label in service.metrics.labels.get(sample.name, ())
        if label not in sample.labels
    ]
    assert unlabelled == [], f"live's queries need more labels: {sorted(set(unlabelled))}"
    assert [buckets for buckets in histograms if not never_falls(list(buckets.values()))] == []
    p95 = runbook.lines["staging.slo-p95"].limits["p95_ms"] / 1000
    p99 = runbook.lines["staging.slo-p99"].limits["p99_ms"] / 1000
    fine = [buckets for buckets in histograms if {p95, p99, math.inf} <= buckets.keys()]
    assert sum(buckets[math.inf] for buckets in fine) > 0, f"no request in one with {p95}, {p99} and +Inf"


def asked(api: ApiClient) -> Answer:
    """As Prometheus asks: an application may answer others in another format."""
    return exposition.asked(lambda path: api.get(path, accept=exposition.ACCEPT))


def never_falls(counts: list[float]) -> bool:
    """Each bucket holds those before it; NaN holds nothing."""
    return all(low <= high for low, high in pairwise([0, *counts]))
