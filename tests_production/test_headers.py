"""Runbook 5, the edge of production: its ingress has settings of its own, other than staging's."""

import pytest

from nox_service.api import ApiClient
from nox_service.edge import security_headers
from noxgate.project.target import Target


@pytest.mark.runbook("live.security-headers")
def test_every_answer_has_the_security_headers(api: ApiClient, target: Target) -> None:
    """Each once, on good answers and on errors."""
    assert target.security_headers != {}
    assert security_headers(api, target.security_headers) == {}
