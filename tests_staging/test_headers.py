"""Runbook 2, validation suite > security headers: each once, with the value that the target promises."""

import pytest

from nox_service.api import ApiClient
from noxgate.project.target import Target
from noxgate.systems.http.header_values import faults


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


# The promise is for all: a page, one that is not there, an answer of the API and one of its refusals.
PATHS = ("/health", "/no-such-page", "/api/public/stats", "/api/user/profile")


def assert_header(api: ApiClient, target: Target, name: str) -> None:
    """Once on each path, whatever its status."""
    answers = {path: api.get(path, show=[name]) for path in PATHS}

    wanted = target.security_headers[name]
    found = {path: faults(name, wanted, answer.values.get(name, ())) for path, answer in answers.items()}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
