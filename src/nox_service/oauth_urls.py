"""Authorization URLs of OAuth: each parsed and compared part by part, as RFC 6749 4.1.1 has them."""

import re
from dataclasses import dataclass
from itertools import combinations, takewhile
from urllib.parse import parse_qs, urlsplit

from nox_service.api import LOOKS, ApiClient
from noxgate.look.http import Answer
from noxgate.project.target import Target

# Characters in which any two states must differ between what they have in common at both ends: a counter or
# a clock changes fewer, however long its state is.
DIFFERENT = 10
SHORTEST = 16  # characters of a state
OK = 200


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


def assert_authorization_urls(api: ApiClient, target: Target, provider: Provider) -> None:
    """The provider's host and path, our client, this target's callback, and a fresh state on each call."""
    path = f"/api/auth/{provider.name}/url"
    states = [state_of(api.get(path), target, provider) for _ in range(LOOKS)]

    assert len(set(states)) == LOOKS, "a state came twice: a login can be forged"
    guessable = [pair for pair in combinations(states, 2) if different(*pair) < DIFFERENT]
    assert guessable == [], f"the next state can be guessed from the last: {guessable[0]}"


def state_of(answer: Answer, target: Target, provider: Provider) -> str:
    """Check one authorization URL and return its state; AssertionError says what is wrong with it."""
    _expect("HTTP status", answer.status, OK)
    text = answer.field("url", str)
    error = answer.json().get("error")
    assert not error, f"an error beside the URL: {error!r}"
    strange = re.findall(r"[^!-~]|\\", text)
    assert strange == [], f"characters that browsers and we would read differently: {strange}"
    try:
        url = urlsplit(text)
    except ValueError as error:  # such as a bracket that is never closed
        raise AssertionError(f"expected an URL, saw none: {error}") from None
    _expect("scheme, host and fragment", (url.scheme, url.netloc, url.fragment), ("https", provider.host, ""))
    assert re.fullmatch(provider.path, url.path), (
        f"{url.path} is not {provider.host}'s authorization endpoint"
    )
    parameters = parse_qs(url.query, keep_blank_values=True)
    _expect("client_id", parameters.get("client_id"), [target.client_id(provider.name)])
    _expect("response_type", parameters.get("response_type"), ["code"])
    callback = f"{target.base_url}/api/auth/{provider.name}/callback"
    _expect("redirect_uri", parameters.get("redirect_uri"), [callback])
    scopes = parameters.get("scope", [""])
    assert len(scopes) == 1, f"expected one scope parameter, saw {len(scopes)}"
    assert provider.scopes & set(scopes[0].split()), f"scope {scopes[0]!r} does not tell who signs in"
    states = parameters.get("state", [""])
    assert len(states) == 1, f"expected one state, saw {len(states)}"
    assert len(states[0]) >= SHORTEST, f"a state shorter than {SHORTEST} characters can be guessed"
    return states[0]


def _expect(what: str, seen: object, expected: object) -> None:
    """In the words of pytest, which rewrites the asserts of check files alone."""
    assert seen == expected, f"{what}: {seen!r} == {expected!r}"


def different(one: str, other: str) -> int:
    """How long they are without what they have in common at both ends."""
    start = in_common(one, other)
    rests = one[start:], other[start:]
    return max(map(len, rests)) - in_common(rests[0][::-1], rests[1][::-1])


def in_common(one: str, other: str) -> int:
    """The length of what both begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
