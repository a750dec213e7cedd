"""Runbook 2, validation suite > security headers: each once, with the value that the target promises."""

import pytest

from nox_service.api import ApiClient
from nox_service.clients import Clients
from nox_service.edge import security_headers
from noxgate.project.target import Target


@pytest.mark.runbook("staging.header-frame-options")
def test_x_frame_options(clients: Clients) -> None:
    """Against clickjacking (RFC 7034)."""
    assert_header(clients.api, clients.target, "x-frame-options")


@pytest.mark.runbook("staging.header-xss-protection")
def test_x_xss_protection(clients: Clients) -> None:
    """For browsers without a content security policy."""
    assert_header(clients.api, clients.target, "x-xss-protection")


@pytest.mark.runbook("staging.header-content-type-options")
def test_x_content_type_options(clients: Clients) -> None:
    """No guessing of content types (Fetch standard)."""
    assert_header(clients.api, clients.target, "x-content-type-options")


@pytest.mark.runbook("staging.header-hsts")
def test_strict_transport_security(clients: Clients) -> None:
    """HTTPS only from now on (RFC 6797)."""
    assert_header(clients.api, clients.target, "strict-transport-security")


@pytest.mark.runbook("staging.header-csp")
def test_content_security_policy(clients: Clients) -> None:
    """Where scripts and the rest may come from (CSP level 3)."""
    assert_header(clients.api, clients.target, "content-security-policy")


@pytest.mark.runbook("staging.header-referrer-policy")
def test_referrer_policy(clients: Clients) -> None:
    """What other sites are told of ours."""
    assert_header(clients.api, clients.target, "referrer-policy")


def assert_header(api: ApiClient, target: Target, name: str) -> None:
    """Once on each path, with every status."""
    assert security_headers(api, {name: target.security_headers[name]}) == {}
