"""Authorization URLs of OAuth: each parsed and compared part by part, as RFC 6749 4.1.1 has them."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from nox_service.access.guessing import digest, guessable, prepare, repeated
from nox_service.api import LOOKS as OWN_CONNECTIONS
from nox_service.faults import refusals
from nox_service.together import Together
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.look.observation import shortened
from noxgate.project.target import ProviderRequest, Target

LOOKS = 20  # at one provider, at the most: each may store a state
SHORTEST = 16  # characters of a state
ONCE = ("client_id", "redirect_uri", "response_type", "scope", "state")
OF_ONE_LOGIN = ("nonce", "code_challenge")  # beside the state, which is looked at closer
# PKCE (RFC 7636) and OpenID Connect Core 3.1.2.1: any provider may be sent them.
MAY_BE_SENT = frozenset(
    {"code_challenge", "code_challenge_method", "nonce", "prompt", "login_hint", "response_mode", "display"}
    | {"ui_locales", "claims", "max_age"}
)
READ_BY_SERVERS = frozenset(
    {"query", "form_post"}
)  # what comes back in a fragment, browsers keep to themselves
GOOGLE_SCOPES = "https://www.googleapis.com/auth/"
GRAPH = "https://graph.microsoft.com/"


@dataclass(frozen=True)
class Provider:
    """Where a provider authorizes, and what it may be sent.

    `known`: scopes that say who signs in, `usual`: others that are harmless; `prompts`: with which a person
    who is not signed in can do so. `same`: other names of a scope.
    """

    name: str
    host: str
    path: str
    known: frozenset[str]
    usual: frozenset[str]
    prompts: frozenset[str]
    parameters: frozenset[str]
    commas: bool = False  # between scopes
    any_case: bool = False  # of scopes
    prefix: str = ""  # of a scope, that may be left out
    same: tuple[tuple[str, str], ...] = ()


GOOGLE = Provider(
    "google",
    "accounts.google.com",
    r"/o/oauth2/(v2/)?auth",
    frozenset({"openid", "email", "profile"}),
    frozenset(),
    frozenset({"consent", "select_account"}),
    frozenset(
        {"access_type", "include_granted_scopes", "enable_granular_consent", "hd", "hl", "approval_prompt"}
    ),
    same=((f"{GOOGLE_SCOPES}userinfo.email", "email"), (f"{GOOGLE_SCOPES}userinfo.profile", "profile")),
)
GITHUB = Provider(
    "github",
    "github.com",
    r"/login/oauth/authorize",
    frozenset({"user", "read:user", "user:email"}),
    frozenset({"read:org"}),
    frozenset({"select_account"}),
    frozenset({"login", "allow_signup"}),
    commas=True,
)
MICROSOFT = Provider(
    "microsoft",
    "login.microsoftonline.com",
    r"/(?!\.+/)(?P<tenant>[\w.-]+)/oauth2/v2\.0/authorize",
    frozenset({"openid", "email", "profile", "user.read"}),
    frozenset({"offline_access"}),
    frozenset({"login", "consent", "select_account", "create"}),
    frozenset(  # the second half: what MSAL adds
        {"domain_hint", "sid", "instance_aware", "client_info", "client-request-id", "x-client-SKU"}
        | {"x-client-VER", "x-client-OS", "x-client-CPU", "x-ms-lib-capability", "x-app-name", "x-app-ver"}
        | {"x-client-current-telemetry", "x-client-last-telemetry", "haschrome"}
    ),
    any_case=True,
    prefix=GRAPH,
)


def assert_authorization_urls(
    api: Together, target: Target, provider: Provider, *, digests: Sequence[str] = (), at_least: int = 0
) -> None:
    """The provider's host and path, our client, this target's callback, and a state that cannot be guessed.

    `digests`: of states that others were given, as a load test was. Where all together are fewer than
    `at_least`, the target is asked for the rest.
    """
    path = f"/api/auth/{provider.name}/url"
    began = time.time()
    with ThreadPoolExecutor(1) as meanwhile:
        meanwhile.submit(prepare)
        answers = [*api.get_often(path), *api.gather(path, LOOKS - OWN_CONNECTIONS)]
        ended = time.time()
    states = _states(answers, target, provider)
    _none(guessable(states, (began, ended)))
    missing = at_least - len(states) - len(digests)
    more = api.gather(path, missing) if missing > 0 else []
    given = [answer for answer in more if answer.status != HTTPStatus.TOO_MANY_REQUESTS]
    _none(repeated([*map(digest, [*states, *_states(given, target, provider)]), *digests]))
    if len(given) < len(more):
        got = at_least - len(more) + len(given)
        raise UnreachableError(
            f"{path}: expected {at_least} states, saw HTTP 429 after {got}: a load test gets them, too"
        )


def _states(answers: Sequence[Answer], target: Target, provider: Provider) -> list[str]:
    """All faults at once: of one pod of three they are others."""
    _none([fault for answer in answers for fault in url_faults(answer, target, provider)])
    sent = [parse_qs(urlsplit(answer.field("url", str)).query) for answer in answers]
    _none([fault for name in OF_ONE_LOGIN for fault in _used_again(name, sent)])
    return [each["state"][0] for each in sent]


def _used_again(name: str, sent: Sequence[Mapping[str, Sequence[str]]]) -> list[str]:
    """Whether several logins share what protects one of them."""
    values = [each[name][0] for each in sent if name in each]
    more = len(values) - len(set(values))
    return [f"{more + 1} of {len(values)} URLs have the same {name}: it is for one login"] if more else []


def url_faults(answer: Answer, target: Target, provider: Provider) -> list[str]:
    """What is wrong with an authorization URL; never the value of a parameter that may be secret."""
    if answer.status != HTTPStatus.OK:
        return [f"HTTP {answer.status}: {shortened(answer.text) or 'an empty body'}"]
    text = answer.field("url", str)
    if said := refusals(answer.json()):
        return [f"an error beside the URL: {said[0]}"]
    if strange := re.findall(r"[^!-~]|\\", text):
        return [f"characters that browsers and we would read differently: {strange}"]
    return list(_faults(text, target, provider, target.asks.get(provider.name, ProviderRequest())))


def state_of(answer: Answer, target: Target, provider: Provider) -> str:
    """The state of an authorization URL; AssertionError says what is wrong with that."""
    _none(url_faults(answer, target, provider))
    return parse_qs(urlsplit(answer.field("url", str)).query)["state"][0]


def _faults(text: str, target: Target, provider: Provider, asked: ProviderRequest) -> Iterator[str]:
    try:
        url = urlsplit(text)
    except ValueError as error:  # such as https://[::1
        yield f"expected a URL: {error}"
        return
    netloc = url.netloc.casefold().removesuffix(":443")
    place, expected = (url.scheme, netloc, url.fragment), ("https", provider.host, "")
    if place != expected:
        yield f"scheme, host and fragment: {place} == {expected}"
    found = re.fullmatch(provider.path, url.path)
    if found is None:
        yield f"{url.path} is not {provider.host}'s authorization endpoint"
    elif asked.tenant is not None and found["tenant"].casefold() != asked.tenant.casefold():
        yield f"tenant: {found['tenant']!r} == {asked.tenant!r}"
    sent = parse_qs(url.query, keep_blank_values=True)
    surplus = sent.keys() - {*ONCE, *MAY_BE_SENT, *provider.parameters}
    if surplus:
        named = ", ".join(sorted(surplus))
        yield f"parameters that {provider.host} is not to be sent: {named} (values not shown)"
    yield from (f"expected one {name}, saw {len(several)}" for name, several in sent.items() if several[1:])
    for name, value in {
        "client_id": target.client_id(provider.name),
        "response_type": "code",
        "redirect_uri": f"{target.base_url}/api/auth/{provider.name}/callback",
    }.items():
        if sent.get(name) != [value]:
            yield f"{name}: {sent.get(name)!r} == {[value]!r}"
    yield from _scope_faults(sent.get("scope", [""])[0], provider, asked.scopes)
    yield from _prompt_faults(sent.get("prompt"), provider, asked.prompt)
    yield from _way_back_faults(sent)


def _way_back_faults(sent: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What keeps others from ending a login, and from reading what comes back."""
    if "code_challenge" in sent and sent.get("code_challenge_method") != ["S256"]:
        yield "code_challenge_method: expected S256; a plain challenge is the secret itself (RFC 7636, 4.2)"
    mode = sent.get("response_mode", ["query"])[0]
    if mode not in READ_BY_SERVERS:
        yield f"response_mode {mode!r}: the callback never gets the code"
    if len(sent.get("state", [""])[0]) < SHORTEST:
        yield f"a state shorter than {SHORTEST} characters can be guessed"


def _scope_faults(text: str, provider: Provider, listed: Sequence[str] | None) -> Iterator[str]:
    """Against the profile's list; without one, none but those that say who signs in."""
    asked = _scopes(text, provider)
    wanted = None if listed is None else _scopes(" ".join(listed), provider)
    if not provider.known & asked and (wanted is None or wanted or not provider.commas):
        yield f"scope {text!r} does not tell who signs in"
    more = asked - (provider.known | provider.usual if wanted is None else wanted)
    if more:
        where = (
            f"name them in [oauth.{provider.name}] scopes"
            if wanted is None
            else "the profile has not got them"
        )
        yield f"scope asks for more than it takes to sign in: {', '.join(sorted(more))} ({where})"
    if wanted is not None and wanted - asked:
        yield f"scope {text!r} lacks {', '.join(sorted(wanted - asked))}, which the profile has"


def _scopes(text: str, provider: Provider) -> set[str]:
    """By one name each."""
    names = re.split(r"[\s,]+" if provider.commas else r"\s+", text)
    same = dict(provider.same)
    found = {same.get(name, name) for name in names if name}
    if provider.prefix:
        found = {name[len(provider.prefix) :] if _begins(name, provider.prefix) else name for name in found}
    return {name.casefold() for name in found} if provider.any_case else found


def _begins(name: str, prefix: str) -> bool:
    return name.casefold().startswith(prefix)


def _prompt_faults(sent: Sequence[str] | None, provider: Provider, wanted: str | None) -> Iterator[str]:
    """As the profile has it; without it, nothing that keeps out who is not signed in there."""
    prompt = " ".join(sent or []).strip()
    if wanted is not None:
        if set(prompt.split()) != set(wanted.split()):
            yield f"prompt: {prompt!r} == {wanted!r}"
    elif strange := set(prompt.split()) - provider.prompts:
        known = ", ".join(sorted(provider.prompts))
        yield f"prompt {' '.join(sorted(strange))!r}: expected one of {known}, or none"


def _none(faults: Sequence[str]) -> None:
    """In the words of a reason: pytest rewrites the asserts of check files alone."""
    assert not faults, "; ".join(dict.fromkeys(faults))
