"""Runbook 5, OAuth on the public host: production's client and callback, at each provider's own endpoint."""

import pytest

from nox_service.clients import Clients
from nox_service.oauth_urls import GITHUB, GOOGLE, MICROSOFT, assert_authorization_urls


@pytest.mark.runbook("live.oauth-google")
def test_google_authorization_url(clients: Clients) -> None:
    """Not staging's, with which users could not sign in. At Google's own endpoint."""
    assert_authorization_urls(clients.together, clients.target, GOOGLE)


@pytest.mark.runbook("live.oauth-github")
def test_github_authorization_url(clients: Clients) -> None:
    """Not staging's, with which users could not sign in. At GitHub's own endpoint."""
    assert_authorization_urls(clients.together, clients.target, GITHUB)


@pytest.mark.runbook("live.oauth-microsoft")
def test_microsoft_authorization_url(clients: Clients) -> None:
    """Not staging's, with which users could not sign in. At Microsoft's own endpoint of any tenant."""
    assert_authorization_urls(clients.together, clients.target, MICROSOFT)
