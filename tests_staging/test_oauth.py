"""Runbook 2, Critical test points > OAuth URL generation: each URL parsed and compared part by part."""

import pytest

from nox_service.api import ApiClient
from nox_service.oauth_urls import GITHUB, GOOGLE, MICROSOFT, assert_authorization_urls
from noxgate.project.target import Target


@pytest.mark.runbook("staging.oauth-google")
def test_google_authorization_url(api: ApiClient, target: Target) -> None:
    """As RFC 6749 4.1.1 has it, at Google's own endpoint."""
    assert_authorization_urls(api, target, GOOGLE)


@pytest.mark.runbook("staging.oauth-github")
def test_github_authorization_url(api: ApiClient, target: Target) -> None:
    """As RFC 6749 4.1.1 has it, at GitHub's own endpoint."""
    assert_authorization_urls(api, target, GITHUB)


@pytest.mark.runbook("staging.oauth-microsoft")
def test_microsoft_authorization_url(api: ApiClient, target: Target) -> None:
    """As RFC 6749 4.1.1 has it, at Microsoft's own endpoint of any tenant."""
    assert_authorization_urls(api, target, MICROSOFT)
