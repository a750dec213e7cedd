"""Runbook 2, Critical test points > OAuth URL generation: each URL parsed and compared part by part."""

import re
from dataclasses import dataclass
from itertools import combinations, takewhile
from urllib.parse import parse_qs, urlsplit

import pytest

from noxgate.clients.api import LOOKS, Answer, ApiClient
from noxgate.target import Target

# Characters in which any two states must differ between what they have in common at both ends: a counter or
# a clock changes fewer, however long its state is.
DIFFERENT = 10


@dataclass(frozen=True)
class Provider:
    """Where a provider authorizes, and the scopes of which one tells who signs in."""

    name: str
    host: str
    path: str
    scopes: frozenset[str]


GOOGLE = Provider("google", "accounts.google.com", r"/o/oauth2/(v2/)?auth", frozenset({"openid"}))
GITHUB = Provider(
    "github", "github.com", r"/login/oauth/authorize", frozenset({"user", "read:user", "user:email"})
)
MICROSOFT = Provider(
    "microsoft",
    "login.microsoftonline.com",
    r"/(?!\.+/)[\w.-]+/oauth2/v2\.0/authorize",
    frozenset({"openid"}),
)


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


def assert_authorization_urls(api: ApiClient, target: Target, provider: Provider) -> None:
    """The provider's host and path, our client, this target's callback, and a fresh state on each call."""
    path = f"/api/auth/{provider.name}/url"
    states = [state_of(api.get(path), target, provider) for _ in range(LOOKS)]

    assert len(set(states)) == LOOKS, "a state came twice: a login can be forged"
    guessable = [pair for pair in combinations(states, 2) if different(*pair) < DIFFERENT]
    assert guessable == [], "the next state can be guessed from the last"


def state_of(answer: Answer, target: Target, provider: Provider) -> str:
    """Check one authorization URL and return its state."""
    assert answer.status == 200
    text = answer.field("url", str)
    assert not answer.json().get("error"), f"an error beside the URL: {answer.json()['error']!r}"
    assert re.findall(r"[^!-~]|\\", text) == [], "characters that browsers and we would read differently"
    url = urlsplit(text)
    assert (url.scheme, url.netloc, url.fragment) == ("https", provider.host, "")
    assert re.fullmatch(provider.path, url.path), (
        f"{url.path} is not {provider.host}'s authorization endpoint"
    )
    parameters = parse_qs(url.query, keep_blank_values=True)
    assert parameters.get("client_id") == [target.client_id(provider.name)]
    assert parameters.get("response_type") == ["code"]
    callback = f"{target.base_url}/api/auth/{provider.name}/callback"
    assert parameters.get("redirect_uri") == [callback]
    (scope,) = parameters.get("scope", [""])
    assert provider.scopes & set(scope.split()) != set(), f"scope {scope!r} does not tell who signs in"
    (state,) = parameters.get("state", [""])
    assert len(state) >= 16, "a state shorter than 16 characters can be guessed"
    return state


def different(one: str, other: str) -> int:
    """How long they are without what they have in common at both ends."""
    start = in_common(one, other)
    rests = one[start:], other[start:]
    return max(map(len, rests)) - in_common(rests[0][::-1], rests[1][::-1])


def in_common(one: str, other: str) -> int:
    """The length of what both begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
