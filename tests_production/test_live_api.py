"""Runbook 5, first 10 minutes: the public host, again and again, on each pod behind it."""

import pytest

from nox_service import answers as faults
from nox_service.first_minutes import FirstMinutes
from noxgate.project.runbook import Release


@pytest.mark.runbook("live.health")
def test_health_stays_healthy(first_minutes: FirstMinutes) -> None:
    """The whole word: a `degraded` with HTTP 200 is not healthy."""
    answers = first_minutes.answers("/health")

    assert answers != []
    assert faults.health(answers) == []


@pytest.mark.runbook("live.version")
def test_version_stays_the_release(first_minutes: FirstMinutes, release: Release) -> None:
    """Something that owns the Ingress may put it back, minutes later."""
    answers = first_minutes.answers("/version")

    assert answers != []
    assert faults.version(answers, release.version) == []


@pytest.mark.runbook("live.ready")
def test_ready_stays_ready(first_minutes: FirstMinutes) -> None:
    """/ready looks at PostgreSQL and Redis, which now have the users of two colours."""
    answers = first_minutes.answers("/ready")

    assert answers != []
    assert faults.ready(answers) == []
