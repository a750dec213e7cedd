"""Runbook 2, validation suite > TLS."""

import pytest

from nox_service.clients import Clients
from nox_service.edge import plain_http_faults, protocols
from noxgate.project.runbook import Limits
from noxgate.systems.http.tls import faults


@pytest.mark.runbook("staging.tls-version")
def test_tls_is_1_2_or_newer(clients: Clients) -> None:
    """Newer ones are spoken, and the old ones refused to a client that knows nothing else (RFC 8996)."""
    assert protocols(clients.tls) == []


@pytest.mark.runbook("staging.tls-certificate")
def test_certificate_is_valid_for_weeks(clients: Clients, limits: Limits) -> None:
    """At each address, as a careful client sees them: host name, and a chain that lasts for the window."""
    facts = clients.tls.facts()

    assert facts != []
    assert faults(facts, limits["days_left"]) == []


@pytest.mark.runbook("staging.https-redirect")
def test_http_redirects_to_https(clients: Clients) -> None:
    """To the same path on this target with its query, not to another host; or no server is there at all."""
    assert plain_http_faults(clients.api, clients.target) == []
