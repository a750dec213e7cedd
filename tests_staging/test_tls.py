"""Runbook 2, validation suite > TLS."""

import ssl

import pytest

from nox_service.api import ApiClient
from noxgate.project.runbook import Runbook
from noxgate.project.target import Target
from noxgate.systems.http.tls import TlsClient, faults


@pytest.mark.runbook("staging.tls-version")
def test_tls_is_1_2_or_newer(tls: TlsClient) -> None:
    """Newer ones are spoken, and the old ones refused to a client that knows nothing else (RFC 8996)."""
    old = [version.name for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1) if tls.accepts(version)]
    new = [
        version.name for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3) if tls.accepts(version)
    ]

    assert old == []
    assert new != []


@pytest.mark.runbook("staging.tls-certificate")
def test_certificate_is_valid_for_weeks(tls: TlsClient, runbook: Runbook) -> None:
    """At each address, as a careful client sees them: host name, and a chain that lasts for the window."""
    facts = tls.facts()

    assert facts != []
    assert faults(facts, runbook.lines["staging.tls-certificate"].limits["days_left"]) == []


@pytest.mark.runbook("staging.https-redirect")
def test_http_redirects_to_https(api: ApiClient, target: Target) -> None:
    """To the same path on this target with its query, not to another host; or nobody is there at all."""
    if not target.plain_url:
        assert api.open_without_tls() == [], "expected its port to be closed, as the profile has it"
        return
    paths = ("/health", "/api/public/stats?page=2&of=a%2Fb")
    answers = {path: api.get_plain(path) for path in paths}

    assert [answer for answer in answers.values() if answer.status not in {301, 302, 307, 308}] == []
    found = {path: answer.headers.get("location") for path, answer in answers.items()}
    assert found == {path: f"{target.base_url}{path}" for path in paths}
