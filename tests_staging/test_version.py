"""Runbook 2, Critical test points > Version verification."""

import pytest

from nox_service import answers as faults
from nox_service.api import ApiClient
from noxgate.project.runbook import Limits, Release


@pytest.mark.runbook("staging.version")
def test_version_is_the_release(api: ApiClient, release: Release, limits: Limits) -> None:
    """GET /version names exactly the release on each pod, not a release candidate or a neighbour."""
    answers = api.get_often("/version")

    assert answers != []
    assert faults.version(answers, release.version) == []
    limit = limits["seconds"]
    assert [answer.seconds for answer in answers if answer.seconds > limit] == []
