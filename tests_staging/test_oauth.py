"""Runbook 2, Critical test points > OAuth URL generation: each URL parsed and compared part by part."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from noxgate.clients.api import ApiClient
from noxgate.target import Target


@pytest.mark.runbook("staging.oauth-google")
def test_google_authorization_url(api: ApiClient, target: Target) -> None:
    """As RFC 6749 4.1.1 has it, at Google's own endpoint."""
    assert_authorization_url(api, target, "google", "accounts.google.com", r"/o/oauth2/(v2/)?auth")


@pytest.mark.runbook("staging.oauth-github")
def test_github_authorization_url(api: ApiClient, target: Target) -> None:
    """As RFC 6749 4.1.1 has it, at GitHub's own endpoint."""
    assert_authorization_url(api, target, "github", "github.com", r"/login/oauth/authorize")


@pytest.mark.runbook("staging.oauth-microsoft")
def test_microsoft_authorization_url(api: ApiClient, target: Target) -> None:
    """As RFC 6749 4.1.1 has it, at Microsoft's own endpoint of any tenant."""
    host = "login.microsoftonline.com"
    assert_authorization_url(api, target, "microsoft", host, r"/[^/]+/oauth2/v2\.0/authorize")


# More calls than there are pods: a state that each process keeps for itself differs from pod to pod.
CALLS = 8


def assert_authorization_url(api: ApiClient, target: Target, provider: str, host: str, path: str) -> None:
    """The provider's host and path, our client, this target's callback, and a fresh state on each call."""
    states = [state_of_authorization_url(api, target, provider, host, path) for _ in range(CALLS)]

    assert len(set(states)) == CALLS, "a state came twice: a login can be forged"


def state_of_authorization_url(api: ApiClient, target: Target, provider: str, host: str, path: str) -> str:
    """Check one authorization URL and return its state."""
    answer = api.get(f"/api/auth/{provider}/url")

    assert answer.status == 200
    url = urlsplit(answer.field("url", str))
    assert (url.scheme, url.netloc, url.fragment) == ("https", host, "")
    assert re.fullmatch(path, url.path), f"{url.path} is not {host}'s authorization endpoint"
    parameters = parse_qs(url.query, keep_blank_values=True)
    assert parameters.get("client_id") == [target.client_id(provider)]
    assert parameters.get("response_type") == ["code"]
    (redirect,) = parameters.get("redirect_uri", [""])
    callback = urlsplit(redirect)
    assert f"{callback.scheme}://{callback.netloc}" == target.base_url
    assert callback.path.startswith(f"/api/auth/{provider}/"), f"{callback.path} is no callback of {provider}"
    (scope,) = parameters.get("scope", [""])
    assert scope.split() != [], "no scope"
    (state,) = parameters.get("state", [""])
    assert len(state) >= 16, "a state shorter than 16 characters can be guessed"
    return state
