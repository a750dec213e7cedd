"""Runbook 2, Critical test points: the API is alive and its dependencies answer, on each pod and in time."""

import pytest

from nox_service import faults
from nox_service.clients import Clients
from noxgate.project.runbook import Limits


@pytest.mark.runbook("staging.health")
def test_health_is_healthy(clients: Clients, limits: Limits) -> None:
    """The whole word, and nothing beside it that complains: a `degraded` with HTTP 200 is not healthy."""
    answers = clients.api.get_often("/health")

    assert faults.health(answers) == []
    assert [answer.seconds for answer in answers if answer.seconds > limits["seconds"]] == []


@pytest.mark.runbook("staging.ready")
def test_ready_answers_200(clients: Clients, limits: Limits) -> None:
    """/ready looks at PostgreSQL and Redis, /health does not."""
    answers = clients.api.get_often("/ready")

    assert faults.ready(answers) == []
    assert [answer.seconds for answer in answers if answer.seconds > limits["seconds"]] == []
