"""Runbook 2, validation suite > monitoring: /metrics has what the SLOs and alerts are made of."""

import math

import pytest

from noxgate.clients import exposition
from noxgate.clients.api import ApiClient


@pytest.mark.runbook("staging.metrics-format")
def test_metrics_are_prometheus_text(api: ApiClient) -> None:
    """Parsed whole, as Prometheus would: one bad line loses the scrape."""
    answer = api.get("/metrics")

    assert answer.status == 200
    assert exposition.parse(answer.text) != []


@pytest.mark.runbook("staging.metrics-series")
def test_slo_series_exist(api: ApiClient) -> None:
    """Requests by status, and a latency histogram that can tell 300 ms and 500 ms (the SLOs' limits)."""
    samples = exposition.parse(api.get("/metrics").text)

    requests = [sample for sample in samples if sample.name == "http_requests_total"]
    buckets = [sample for sample in samples if sample.name == "http_request_duration_seconds_bucket"]
    assert sum(sample.value for sample in requests) > 0
    assert [sample.labels for sample in requests if not sample.labels.get("status")] == []
    assert sum(sample.value for sample in buckets if sample.labels.get("le") == "+Inf") > 0
    bounds = {float(sample.labels["le"]) for sample in buckets}
    assert {0.3, 0.5, math.inf} - bounds == set()
