"""Runbook 2, validation suite > monitoring: /metrics has what the SLOs and alerts are made of."""

import math
import re
from itertools import pairwise

import pytest

from nox_service.api import ApiClient
from noxgate.systems.prometheus import exposition


@pytest.mark.runbook("staging.metrics-format")
def test_metrics_are_prometheus_text(api: ApiClient) -> None:
    """Parsed whole, as Prometheus would: one bad line loses the scrape."""
    answer = api.get("/metrics")

    assert answer.status == 200
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    assert kind in {"text/plain", "application/openmetrics-text"}
    assert exposition.parse(answer.text) != []


@pytest.mark.runbook("staging.metrics-series")
def test_slo_series_exist(api: ApiClient) -> None:
    """Requests by status, and a latency histogram that can tell 300 ms and 500 ms (the SLOs' limits)."""
    samples = exposition.parse(api.get("/metrics").text)
    requests = [sample for sample in samples if sample.name == "http_requests_total"]
    histograms = exposition.histograms(samples, "http_request_duration_seconds")

    assert [sample for sample in requests if not (math.isfinite(sample.value) and sample.value >= 0)] == []
    assert sum(sample.value for sample in requests) > 0
    statuses = [sample.labels for sample in requests]
    assert [labels for labels in statuses if not re.fullmatch(r"\d{3}", labels.get("status", ""))] == []
    assert [buckets for buckets in histograms if not never_falls(list(buckets.values()))] == []
    fine = [buckets for buckets in histograms if {0.3, 0.5, math.inf} <= buckets.keys()]
    assert sum(buckets[math.inf] for buckets in fine) > 0, "no requests in a histogram with 0.3, 0.5 and +Inf"


def never_falls(counts: list[float]) -> bool:
    """Each bucket holds those before it; NaN holds nothing."""
    return all(low <= high for low, high in pairwise([0, *counts]))
