"""Runbook 2, Critical test points > Version verification."""

import pytest

from noxgate.clients.api import ApiClient
from noxgate.runbook import Release


@pytest.mark.runbook("staging.version")
def test_version_is_the_release(api: ApiClient, release: Release) -> None:
    """GET /version names exactly the release, not a release candidate or a neighbour."""
    answer = api.get("/version")

    assert answer.status == 200
    assert answer.field("version", str) == release.version
