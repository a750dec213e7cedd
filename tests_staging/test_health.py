"""Runbook 2, Critical test points: the API is alive and its dependencies answer."""

import pytest

from noxgate.clients.api import ApiClient


@pytest.mark.runbook("staging.health")
def test_health_is_healthy(api: ApiClient) -> None:
    """The status is the whole word: a `degraded` with HTTP 200 is not healthy."""
    answer = api.get("/health")

    assert answer.status == 200
    assert answer.field("status", str) == "healthy"


@pytest.mark.runbook("staging.ready")
def test_ready_answers_200(api: ApiClient) -> None:
    """/ready looks at PostgreSQL and Redis, /health does not."""
    answer = api.get("/ready")

    assert answer.status == 200
