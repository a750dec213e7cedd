"""Runbook 5, the edge of production: its ingress has settings of its own, other than staging's."""

import pytest

from nox_service.clients import Clients
from nox_service.edge import security_headers


@pytest.mark.runbook("live.security-headers")
def test_every_answer_has_the_security_headers(clients: Clients) -> None:
    """Each once, on good answers and on errors."""
    assert clients.target.security_headers != {}
    assert security_headers(clients.api, clients.target.security_headers) == {}
