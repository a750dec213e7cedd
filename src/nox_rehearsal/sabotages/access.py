"""One rule for tokens, doors or OAuth states is not kept, in staging and after the switch."""

from collections.abc import Iterator
from functools import partial

from nox_rehearsal.sabotages.lines import DOORS, OAUTH, OWN, SIGNED, TOKENS
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import altered, in_production, settings

LIVE_OAUTH = tuple(f"live.oauth-{provider}" for provider in ("google", "github", "microsoft"))
# What the token is called that gets in, where nothing else is red with it.
ALONE = ("alg none", "its own key", "an empty key", "expired", "early", "other audience")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _tokens()
    yield from _doors()
    yield from _states()
    yield from _asked_for()


def _tokens() -> Iterator[Sabotage]:
    after = partial(Sabotage, moment="live")
    for rule in ALONE:
        name, what = rule.replace(" ", "-"), f"a token that is bad ({rule}) gets in"
        off = settings(rule_off=rule)
        yield Sabotage(TOKENS, name, what, off, f"{rule}, GET /api/user/profile: expected HTTP 401, saw 200")
        live = in_production(off, green=True)
        yield after("live.bad-tokens", name, what, live, f"{rule}, GET /api/user/profile: expected HTTP 401")
    for rule, others in {"another key": SIGNED, "another user": (DOORS,)}.items():
        name, what = rule.replace(" ", "-"), f"a token that is forged ({rule}) gets in"
        off = settings(rule_off=rule)
        yield Sabotage(TOKENS, name, what, off, f"{rule}, GET /api/user/profile", others)
        live = in_production(off, green=True)
        yield after("live.bad-tokens", name, what, live, f"{rule}, GET /api/user/profile")
    writing = settings(rule_off="writing")
    yield Sabotage(TOKENS, "writing", "a bad token's job is taken", writing, "POST /xtb/v1: HTTP 20")
    for page in ("profile", "history"):
        mixed = settings(rule_off=f"own {page}")
        seen = {"profile": "subject '2', saw 1", "history": "another user has the very same"}[page]
        what = f"everybody gets the {page} of who asked first"
        yield Sabotage(OWN, page, what, mixed, seen)
        yield after("live.own-user", page, what, in_production(mixed, green=True), seen)


def _doors() -> Iterator[Sabotage]:
    for rule, seen in {
        "slash": "GET /api/admin/health/: HTTP 200",
        "case": "GET /API/ADMIN/HEALTH: HTTP 200",
        "HEAD": "HEAD /api/admin/health: HTTP 200",
        "OPTIONS": "OPTIONS /api/admin/health: HTTP 200",
        "POST": "POST /api/admin/health: HTTP 200",
    }.items():
        off = settings(rule_off=rule)
        others = (TOKENS,) if rule == "POST" else ()
        yield Sabotage(DOORS, rule.lower(), f"the door is open by this: {rule}", off, seen, others)


def _states() -> Iterator[Sabotage]:
    first, *rest = OAUTH
    few = settings(state_bits=4)
    yield Sabotage(first, "4-bits", "states of four bits, with a key", few, "alike", tuple(rest))
    counter = settings(state_bits=-1)
    yield Sabotage(first, "hashed", "a counter, hashed", counter, "of a number as text", tuple(rest))
    live, *others = LIVE_OAUTH
    green = in_production(counter, green=True)
    what = "a counter, hashed"
    yield Sabotage(live, "hashed", what, green, "of a number as text", tuple(others), moment="live")


def _asked_for() -> Iterator[Sabotage]:
    more = {
        "google": ("https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdrive", "auth/drive"),
        "github": ("delete_repo", "delete_repo"),
        "microsoft": ("Files.ReadWrite.All", "files.readwrite.all"),
    }
    plain = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw&code_challenge_method=plain&state="
    secret = "client_secret=GOCSPX-5up3rS3cr3tOfTheRehearsal&client_id="  # noqa: S105 (made up)
    for provider, (scope, seen) in more.items():
        path = f"GET /api/auth/{provider}/url"
        for phase in ("staging", "live"):
            line = f"{phase}.oauth-{provider}"
            faults = {
                "scopes": (altered(path, "&scope=", f"&scope={scope}%20"), "more than sign-in takes", seen),
                "secret": (altered(path, "client_id=", secret), "the client's secret in it", "client_secret"),
                "prompt": (altered(path, "&state=", "&prompt=none&state="), "no page to sign in", "'none'"),
                "plain": (altered(path, "&state=", plain), "PKCE without a digest", "the secret itself"),
                "nonce": (
                    altered(path, "&state=", "&nonce=n0S6WzA2Mj&state="),
                    "one nonce for all",
                    "same nonce",
                ),
            }
            for name, (fault, what, said) in faults.items():
                if phase == "live":
                    yield Sabotage(line, name, what, in_production(fault, green=True), said, moment="live")
                else:
                    yield Sabotage(line, name, what, fault, said)
