"""Runbook 2, Critical test points > OAuth URL generation: each URL parsed and compared part by part."""

import pytest

from nox_service.clients import Clients
from nox_service.oauth_urls import GITHUB, GOOGLE, MICROSOFT, assert_authorization_urls
from noxgate.project.runbook import Limits
from noxgate.slo.load_results import LoadTest

REHEARSED = 200  # states, without any load test


@pytest.mark.runbook("staging.oauth-google")
def test_google_authorization_url(clients: Clients, limits: Limits, load_test: LoadTest) -> None:
    """As RFC 6749 4.1.1 has it, at Google's own endpoint."""
    digests = load_test.states(GOOGLE.name)
    at_least = enough(limits["states"], load_test, len(digests))

    assert_authorization_urls(clients.together, clients.target, GOOGLE, digests=digests, at_least=at_least)


@pytest.mark.runbook("staging.oauth-github")
def test_github_authorization_url(clients: Clients, limits: Limits, load_test: LoadTest) -> None:
    """As RFC 6749 4.1.1 has it, at GitHub's own endpoint."""
    digests = load_test.states(GITHUB.name)
    at_least = enough(limits["states"], load_test, len(digests))

    assert_authorization_urls(clients.together, clients.target, GITHUB, digests=digests, at_least=at_least)


@pytest.mark.runbook("staging.oauth-microsoft")
def test_microsoft_authorization_url(clients: Clients, limits: Limits, load_test: LoadTest) -> None:
    """As RFC 6749 4.1.1 has it, at Microsoft's own endpoint of any tenant."""
    digests = load_test.states(MICROSOFT.name)
    at_least = enough(limits["states"], load_test, len(digests))

    assert_authorization_urls(clients.together, clients.target, MICROSOFT, digests=digests, at_least=at_least)


def enough(states: float, load_test: LoadTest, loaded: int) -> int:
    """States to compare: what today's load tests were given, and the target is asked for the rest.

    A rehearsal's short ramp is held to what it is.
    """
    return int(load_test.expected(states, loaded or REHEARSED))
