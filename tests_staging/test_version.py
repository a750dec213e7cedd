"""Runbook 2, Critical test points > Version verification."""

import pytest

from nox_service import faults
from nox_service.clients import Clients
from noxgate.project.runbook import Limits


@pytest.mark.runbook("staging.version")
def test_version_is_the_release(clients: Clients, limits: Limits) -> None:
    """GET /version names exactly the release on each pod, not a release candidate or a neighbour."""
    answers = clients.api.get_often("/version")

    assert faults.version(answers, clients.release.version) == []
    assert [answer.seconds for answer in answers if answer.seconds > limits["seconds"]] == []
