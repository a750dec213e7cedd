"""Authorization URLs as libraries write them: healthy and odd ones pass, what is near to them does not."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from nox_service.access.tokens import Who
from nox_service.oauth_urls import (
    GITHUB,
    GOOGLE,
    MICROSOFT,
    Provider,
    assert_authorization_urls,
    state_of,
    url_faults,
)
from nox_service.together import Together
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.look.secret_forms import redacted
from noxgate.project.target import ProviderRequest, Target

STATE = "k3jx81mfQpZ20vWbe9TtLsAa"
ENDPOINTS = {
    GOOGLE: "https://accounts.google.com/o/oauth2/v2/auth",
    GITHUB: "https://github.com/login/oauth/authorize",
    MICROSOFT: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
}
SCOPES = {GOOGLE: "openid email profile", GITHUB: "read:user user:email", MICROSOFT: "openid email profile"}
TARGET = Target(
    name="production",
    path=Path("production.toml"),
    serves=("live",),
    base_url="https://api.nox.example",
    plain_url="http://api.nox.example",
    namespace="nox",
    client_ids={"google": "nox-google", "github": "Iv1.8a61f9b3a7aba766", "microsoft": "nox-microsoft"},
)
USERINFO = "https://www.googleapis.com/auth/userinfo"
MSAL = {
    "client-request-id": "0d3ac72c-54b0-43b7-ae8e-8fb0a5b7eb4b",
    "response_mode": "query",
    "x-client-SKU": "msal.js.node",
    "x-client-VER": "3.2.1",
    "x-client-OS": "linux",
    "x-client-CPU": "x64",
    "client_info": "1",
}
PKCE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


def given(provider: Provider, endpoint: str = "", *, without: str = "", **changes: str) -> Answer:
    """As the API gives it; a name in `changes` may have - written as __."""
    parameters = {
        "client_id": TARGET.client_ids[provider.name],
        "redirect_uri": f"{TARGET.base_url}/api/auth/{provider.name}/callback",
        "response_type": "code",
        "scope": SCOPES[provider],
        "state": STATE,
        **{name.replace("__", "-"): value for name, value in changes.items()},
    }
    parameters.pop(without, None)
    return raw(f"{endpoint or ENDPOINTS[provider]}?{urlencode(parameters, quote_via=quote)}")


def raw(url: str, status: int = 200, **beside: str) -> Answer:
    return Answer(status, {}, {}, json.dumps({"url": url, **beside}))


def asking(provider: Provider, **asked: object) -> Target:
    return replace(TARGET, asks={provider.name: ProviderRequest(**asked)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        (GOOGLE, {}),
        (GITHUB, {}),
        (MICROSOFT, {}),
        (GITHUB, {"scope": "user:email,read:org"}),
        (GITHUB, {"scope": "read:user, user:email"}),
        (GITHUB, {"scope": "user"}),
        (GITHUB, {"allow_signup": "false", **PKCE}),
        (GOOGLE, {"scope": f"{USERINFO}.email {USERINFO}.profile"}),
        (GOOGLE, {"scope": f"openid {USERINFO}.email"}),
        (GOOGLE, {"access_type": "offline", "include_granted_scopes": "true", "prompt": "consent"}),
        (GOOGLE, {"prompt": "select_account consent", "nonce": "n-0S6_WzA2Mj", **PKCE}),
        (MICROSOFT, {"scope": "User.Read"}),
        (MICROSOFT, {"scope": "user.read openid profile offline_access", **MSAL, **PKCE}),
        (MICROSOFT, {"scope": "https://graph.microsoft.com/User.Read", "prompt": "select_account"}),
        (MICROSOFT, {"response_mode": "form_post", "domain_hint": "nox.example"}),
        (GOOGLE, {"scope": "email  openid email"}),
        (GITHUB, {"scope": "user:email,read:user,"}),
    ],
)
def test_sign_in_as_libraries_ask_for_it(provider: Provider, changes: dict[str, str]) -> None:
    answer = given(provider, **changes)

    assert url_faults(answer, TARGET, provider) == []
    assert state_of(answer, TARGET, provider) == STATE


def test_case_of_a_github_app() -> None:
    """Scopes with a comma: GitHub takes them, and many libraries write them so."""
    url = (
        "https://github.com/login/oauth/authorize?response_type=code"
        "&redirect_uri=https%3A%2F%2Fapi.nox.example%2Fapi%2Fauth%2Fgithub%2Fcallback"
        "&scope=user%3Aemail%2Cread%3Aorg&state=k3jx81mfQpZ20vWbe9TtLsAa&client_id=Iv1.8a61f9b3a7aba766"
    )

    assert url_faults(raw(url), TARGET, GITHUB) == []


@pytest.mark.parametrize(
    ("provider", "changes", "said"),
    [
        (GITHUB, {"scope": "user:email delete_repo"}, "more than it takes to sign in: delete_repo"),
        (GITHUB, {"scope": "user:email,repo"}, "more than it takes to sign in: repo"),
        (GITHUB, {"scope": "read:userx"}, "does not tell who signs in"),
        (GITHUB, {"scope": ""}, "does not tell who signs in"),
        (GOOGLE, {"scope": "openid https://www.googleapis.com/auth/drive"}, "auth/drive"),
        (GOOGLE, {"scope": "openid,email"}, "does not tell who signs in"),  # Google has no commas
        (GOOGLE, {"scope": "userinfo.email"}, "does not tell who signs in"),
        (MICROSOFT, {"scope": "User.Read Files.ReadWrite.All"}, "files.readwrite.all"),
        (MICROSOFT, {"scope": "openid https://graph.microsoft.com/.default"}, ".default"),
        (GOOGLE, {"client_secret": "GOCSPX-abcdef"}, "not to be sent: client_secret"),
        (GITHUB, {"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}, "code_verifier"),
        (GITHUB, {"access_type": "offline"}, "not to be sent: access_type"),
        (GOOGLE, {"access_token": "ya29.a0Af"}, "access_token"),
        (GOOGLE, {"prompt": "none"}, "prompt 'none'"),
        (GITHUB, {"prompt": "consent"}, "prompt 'consent'"),
        (MICROSOFT, {"response_mode": "fragment"}, "response_mode 'fragment'"),
        (GOOGLE, {"response_type": "token"}, "response_type: ['token'] == ['code']"),
        (GOOGLE, {"client_id": "staging"}, "client_id: ['staging'] == ['nox-google']"),
        (GOOGLE, {"state": "short"}, "shorter than 16"),
        (GOOGLE, {**PKCE, "code_challenge_method": "plain"}, "the secret itself"),
        (GITHUB, {"code_challenge": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r"}, "the secret itself"),
        (MICROSOFT, {**PKCE, "code_challenge_method": "s256"}, "expected S256"),
    ],
)
def test_what_is_near_to_it(provider: Provider, changes: dict[str, str], said: str) -> None:
    faults = url_faults(given(provider, **changes), TARGET, provider)

    assert [fault for fault in faults if said in fault] != [], faults


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope", "state"])
def test_each_part_is_there(name: str) -> None:
    assert url_faults(given(GOOGLE, without=name), TARGET, GOOGLE) != []


def test_nothing_is_there_twice() -> None:
    """Which one would count is undefined (RFC 6749, 3.1)."""
    answer = raw(f"{json.loads(given(GITHUB).text)['url']}&scope=repo")

    assert "expected one scope, saw 2" in url_faults(answer, TARGET, GITHUB)


def test_a_secret_is_red_and_not_shown() -> None:
    """Neither in the reason nor in what was seen."""
    answer = given(GOOGLE, client_secret="GOCSPX-5up3rS3cr3tOfAnybody")  # noqa: S106 (of an invented user)
    (fault,) = url_faults(answer, TARGET, GOOGLE)

    assert "client_secret" in fault
    assert "5up3r" not in fault
    assert "5up3r" not in redacted(answer.text)


@pytest.mark.parametrize(
    ("listed", "scope", "said"),
    [
        (("read:user", "repo"), "repo read:user", None),
        (("read:user", "repo"), "read:user,repo", None),
        (("read:user",), "read:user repo", "the profile has not got them"),
        (("read:user", "user:email"), "read:user", "lacks user:email"),
        (("repo",), "repo", "does not tell who signs in"),
        ((), "", None),  # a GitHub App has permissions in place of scopes
        ((), "read:user", "the profile has not got them"),
    ],
)
def test_scopes_are_those_of_the_profile(listed: tuple[str, ...], scope: str, said: str | None) -> None:
    faults = url_faults(given(GITHUB, scope=scope), asking(GITHUB, scopes=listed), GITHUB)

    assert (faults == []) if said is None else (said in "; ".join(faults)), faults


def test_other_names_of_a_listed_scope() -> None:
    google = asking(GOOGLE, scopes=("openid", f"{USERINFO}.email"))
    microsoft = asking(MICROSOFT, scopes=("https://graph.microsoft.com/User.Read",))

    assert url_faults(given(GOOGLE, scope="email openid"), google, GOOGLE) == []
    assert url_faults(given(MICROSOFT, scope="user.read"), microsoft, MICROSOFT) == []


@pytest.mark.parametrize(
    ("wanted", "sent", "is_right"),
    [
        ("select_account", "select_account", True),
        ("consent select_account", "select_account consent", True),
        ("", "", True),
        ("", "consent", False),
        ("select_account", "consent", False),
        ("select_account", "", False),
        ("none", "none", True),  # the profile knows why
    ],
)
def test_prompt_is_the_profiles(wanted: str, sent: str, is_right: bool) -> None:  # noqa: FBT001
    answer = given(GOOGLE, **({"prompt": sent} if sent else {}))

    assert (url_faults(answer, asking(GOOGLE, prompt=wanted), GOOGLE) == []) is is_right


@pytest.mark.parametrize(
    ("wanted", "sent", "is_right"),
    [
        ("common", "common", True),
        ("72F988BF-86F1-41AF-91AB-2D7CD011DB47", "72f988bf-86f1-41af-91ab-2d7cd011db47", True),
        ("contoso.onmicrosoft.com", "contoso.onmicrosoft.com", True),
        ("common", "organizations", False),
        ("72f988bf-86f1-41af-91ab-2d7cd011db47", "common", False),
        (None, "organizations", True),
        (None, "..", False),
    ],
)
def test_tenant_is_the_profiles(wanted: str | None, sent: str, is_right: bool) -> None:  # noqa: FBT001
    endpoint = f"https://login.microsoftonline.com/{sent}/oauth2/v2.0/authorize"
    target = asking(MICROSOFT, tenant=wanted)

    assert (url_faults(given(MICROSOFT, endpoint), target, MICROSOFT) == []) is is_right


@pytest.mark.parametrize("place", ["https://accounts.google.com:443", "https://Accounts.Google.com"])
def test_the_same_place_in_other_letters(place: str) -> None:
    assert url_faults(given(GOOGLE, f"{place}/o/oauth2/v2/auth"), TARGET, GOOGLE) == []


@pytest.mark.parametrize(
    "place",
    [
        "https://accounts.google.com:444",
        "https://accounts.google.com:443:443",
        "https://x@accounts.google.com",
    ],
)
def test_a_place_near_to_it(place: str) -> None:
    assert url_faults(given(GOOGLE, f"{place}/o/oauth2/v2/auth"), TARGET, GOOGLE) != []


@pytest.mark.parametrize(
    "answer",
    [
        raw("https://accounts.google.com/o/oauth2/v2/auth", error="client secret invalid"),
        raw(f"{ENDPOINTS[GOOGLE]}?client_id=nox-google", errors="client secret invalid"),
        raw("https://accounts.google.com.example/o/oauth2/v2/auth"),
        raw("http://accounts.google.com/o/oauth2/v2/auth"),
        raw("https://[::1"),
        raw("https://accounts.google.com/o/oauth2/v2/auth#x"),
        raw("https://accounts.google.com/o/oauth2/v2/auth\t?state=1"),
        raw("x", 503),
    ],
)
def test_what_is_no_authorization_url(answer: Answer) -> None:
    assert url_faults(answer, TARGET, GOOGLE) != []


# ---------------------------------------------------------------- how many states are compared


class Given(Together):
    """An API that gives these states, one after another, and after `most` of them HTTP 429.

    `beside` is sent with each; where it ends in #, a number stands for that.
    """

    def __init__(self, bits: int, most: int = 10_000, *, beside: Mapping[str, str] | None = None) -> None:
        self.asked, self._beside = 0, beside or {}
        self._bits, self._most = bits, most

    def get_often(self, path: str, *, who: Who | None = None, times: int = 8) -> list[Answer]:  # noqa: ARG002
        return [self._next() for _ in range(times)]

    def gather(self, _: str, times: int) -> list[Answer]:
        return [self._next() for _ in range(times)]

    def _next(self) -> Answer:
        self.asked += 1
        if self.asked > self._most:
            return Answer(429, {}, {}, "slow down")
        text = f"a key{secrets.randbelow(2**self._bits)}"
        beside = {name: value.replace("#", str(self.asked)) for name, value in self._beside.items()}
        return given(GITHUB, state=hashlib.sha256(text.encode()).hexdigest()[:32], **beside)


def test_800_states_are_compared_and_each_is_new() -> None:
    api = Given(64)
    assert_authorization_urls(api, TARGET, GITHUB, at_least=800)

    assert api.asked == 800


def test_what_a_load_test_was_given_is_not_asked_for_again() -> None:
    api = Given(64)
    assert_authorization_urls(api, TARGET, GITHUB, digests=[f"{n:016x}" for n in range(900)], at_least=800)

    assert api.asked == 20


def test_without_more_there_are_20_looks_at_the_most() -> None:
    """As on production, where each look may store a state."""
    api = Given(64)
    assert_authorization_urls(api, TARGET, GITHUB)

    assert api.asked == 20


@pytest.mark.parametrize("name", ["nonce", "code_challenge"])
def test_what_protects_one_login_is_of_that_one(name: str) -> None:
    """A fresh state beside it hides nothing."""
    beside = {name: "E9Melhoa2OwvFrEMTJ", "code_challenge_method": "S256"}
    fresh = beside | {name: "E9Melhoa2OwvFrEMTJ#"}
    assert_authorization_urls(Given(64, beside=fresh), TARGET, GITHUB, at_least=100)

    with pytest.raises(AssertionError, match=f"20 of 20 URLs have the same {name}"):
        assert_authorization_urls(Given(64, beside=beside), TARGET, GITHUB)


@pytest.mark.parametrize("bits", [3, 9, 12])
def test_states_of_few_bits_collide(bits: int) -> None:
    """Hashed with a key, so that nothing else shows it."""
    with pytest.raises(AssertionError, match="a login can be forged"):
        assert_authorization_urls(Given(bits), TARGET, GITHUB, at_least=800)


def test_two_of_a_load_test_collide() -> None:
    digests = [f"{n:016x}" for n in range(900)]

    with pytest.raises(AssertionError, match="2 of 921 states are alike"):
        assert_authorization_urls(Given(64), TARGET, GITHUB, digests=[*digests, digests[5]], at_least=800)


def test_a_limiter_is_no_fault_of_the_release() -> None:
    """With fewer states nothing is decided, and it is said what would."""
    with pytest.raises(UnreachableError, match="expected 800 states, saw HTTP 429 after 300: a load test"):
        assert_authorization_urls(Given(64, most=300), TARGET, GITHUB, at_least=800)


def test_a_limiter_that_users_meet_is_one() -> None:
    with pytest.raises(AssertionError, match="HTTP 429"):
        assert_authorization_urls(Given(64, most=10), TARGET, GITHUB, at_least=800)


def test_an_envelope_around_the_url() -> None:
    """One that says that nothing went wrong, and one that says otherwise."""
    url = json.loads(given(GOOGLE).text)["url"]
    good = {"success": True, "error": None, "url": url}

    assert url_faults(Answer(200, {}, {}, json.dumps(good)), TARGET, GOOGLE) == []
    for wrong in ({"errors": ["client"]}, {"success": False}, {"status": "error"}):
        (fault,) = url_faults(Answer(200, {}, {}, json.dumps(good | wrong)), TARGET, GOOGLE)
        assert fault.startswith("an error beside the URL: ")
