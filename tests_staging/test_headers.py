"""Runbook 2, validation suite > security headers: each once, with the value that the target promises."""

import pytest

from nox_service.api import ApiClient
from nox_service.edge import security_headers
from noxgate.project.target import Target


@pytest.mark.runbook("staging.header-frame-options")
def test_x_frame_options(api: ApiClient, target: Target) -> None:
    """Against clickjacking (RFC 7034)."""
    assert_header(api, target, "x-frame-options")


@pytest.mark.runbook("staging.header-xss-protection")
def test_x_xss_protection(api: ApiClient, target: Target) -> None:
    """For browsers without a content security policy."""
    assert_header(api, target, "x-xss-protection")


@pytest.mark.runbook("staging.header-content-type-options")
def test_x_content_type_options(api: ApiClient, target: Target) -> None:
    """No guessing of content types (Fetch standard)."""
    assert_header(api, target, "x-content-type-options")


@pytest.mark.runbook("staging.header-hsts")
def test_strict_transport_security(api: ApiClient, target: Target) -> None:
    """HTTPS only from now on (RFC 6797)."""
    assert_header(api, target, "strict-transport-security")


@pytest.mark.runbook("staging.header-csp")
def test_content_security_policy(api: ApiClient, target: Target) -> None:
    """Where scripts and the rest may come from (CSP level 3)."""
    assert_header(api, target, "content-security-policy")


@pytest.mark.runbook("staging.header-referrer-policy")
def test_referrer_policy(api: ApiClient, target: Target) -> None:
    """What other sites are told of ours."""
    assert_header(api, target, "referrer-policy")


def assert_header(api: ApiClient, target: Target, name: str) -> None:
    """Once on each path, with every status."""
    assert security_headers(api, {name: target.security_headers[name]}) == {}
