"""Bearer tokens: the two that a profile names, and those that must be refused, made of them without any key.

A token that is rightly signed and must be refused all the same (it has expired, is not valid yet, or is for
another service) only its issuer can make: the profile names variables for them. The application's key
is never read, and nothing is signed with it.

    python -m nox_service.access.tokens "alg none" TEST_TOKEN     prints the one made of $TEST_TOKEN
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from noxgate.errors import UnreachableError
from noxgate.look.observation import exported
from noxgate.look.secret import Secret
from noxgate.project.credentials import web_token
from noxgate.project.credentials.web_token import AHEAD, Claims, claims_of, decoded, decoded_bytes, number
from noxgate.project.target import Target

# How requests with a bad token say so, to whoever reads the target's logs.
MARK = "noxgate-bad-token"
FORGED = 8  # last characters of a token, well inside its signature, that a forged one has otherwise
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}

# `forged` is the test token with another signature, of an unknown key.
Who = Literal["test_token", "admin_token", "forged"]
REFUSED = frozenset((401, 403))  # how a token is
Tokens = Callable[[str], Secret]  # gives the token of a role
EXPIRED, EARLY, OTHER_AUDIENCE = "expired", "early", "other audience"
NAMED = {"expired_token": EXPIRED, "early_token": EARLY, "other_audience_token": OTHER_AUDIENCE}


@dataclass(frozen=True)
class BadToken:
    """A token that must be refused; `spelled`: how a shell makes or finds it."""

    name: str
    value: str = field(repr=False)
    spelled: str


@dataclass(frozen=True)
class BadTokens:
    """Those to be tried, and why others are not."""

    tried: tuple[BadToken, ...]
    not_tried: tuple[str, ...]

    def said(self) -> str:
        """In words, for the record."""
        left_out = f"; not tried: {'; '.join(self.not_tried)}" if self.not_tried else ""
        return f"bad tokens: {', '.join(token.name for token in self.tried)}{left_out}"


def bearer(tokens: Tokens, who: Who | BadToken) -> tuple[str, str]:
    """The Authorization header with somebody's token, and how curl is told of it without the token."""
    value, spelled = _token(tokens, who)
    return f"Bearer {value}", f'-H "Authorization: Bearer {spelled}"'


def _token(tokens: Tokens, who: Who | BadToken) -> tuple[str, str]:
    """The token, and as a shell spells it."""
    if isinstance(who, BadToken):
        return who.value, who.spelled
    token = tokens(made_of(who))
    value = token.reveal()
    if who != "forged":
        return value, exported(token.name)
    end = ("B" if value.endswith("A" * FORGED) else "A") * FORGED
    return value[:-FORGED] + end, f"${{{token.name}%{'?' * FORGED}}}{end}"


def made_of(who: Who | BadToken) -> str:
    """The role whose token it is, or is made of."""
    return "test_token" if is_bad(who) else str(who)


def is_bad(who: Who | BadToken | None) -> bool:
    """Whether it must be refused, wherever it is shown."""
    return who == "forged" or isinstance(who, BadToken)


def subject_of(target: Target) -> str:
    """Who the test token is of. Raises UnreachableError if neither token nor profile says so."""
    if target.test_subject is not None:
        return target.test_subject
    if said := web_token.subject_of(target.credential("test_token").reveal()):
        return said
    name = target.credentials["test_token"]
    raise UnreachableError(
        f"${name} does not say whose it is (no JSON Web Token with a sub): "
        f"say it in {target.path.name}, test_subject"
    )


def bad_tokens(target: Target) -> BadTokens:
    """All that can be made or that the profile names.

    Raises UnreachableError if one is not what it is called.
    """
    secret = target.credential("test_token")
    claims = claims_of(secret.reveal())
    tried, not_tried = [BadToken("another signature", *_token(target.credential, "forged"))], []
    if claims is None:
        not_tried.append(f"{', '.join(MADE)} (${secret.name} is not a JSON Web Token)")
    else:
        tried += [
            BadToken(
                name, make(secret.reveal()), f"$(python -m nox_service.access.tokens '{name}' {secret.name})"
            )
            for name, make in MADE.items()
        ]
    for role, name in NAMED.items():
        if role not in target.credentials:
            not_tried.append(f"{name} ({target.path.name} names no {role} under [credentials])")
            continue
        given = target.credential(role)
        if said := _otherwise(name, claims_of(given.reveal()), claims):
            raise UnreachableError(f"${given.name} is to be the {name} token, and {said}: get another one")
        tried.append(BadToken(name, given.reveal(), exported(given.name)))
    return BadTokens(tuple(tried), tuple(not_tried))


def _otherwise(wrong: str, claims: Claims | None, own: Claims | None) -> str:
    """Why a token is not wrong in this one way, or also in another: then its refusal proves nothing.

    Tokens that are not JSON Web Tokens tell nothing: then it is what its issuer calls it.
    """
    if claims is None or own is None:
        return "" if claims is own else "is not a JSON Web Token, as the test token is"
    now = time.time()
    shared = _audience(claims) & _audience(own)
    ways = {
        EXPIRED: (number(claims, "exp", now + 1) < now - AHEAD, "has expired"),
        EARLY: (number(claims, "nbf", 0) > now + AHEAD, "is not valid yet"),
        OTHER_AUDIENCE: ("aud" in claims and not shared, "is for another audience"),
    }
    if not ways[wrong][0]:
        return {
            EXPIRED: "has not expired",
            EARLY: "has no nbf ahead",
            OTHER_AUDIENCE: "is for the same audience",
        }[wrong]
    also = [what for way, (holds, what) in ways.items() if holds and way != wrong]
    also += ["is another issuer's"] if claims.get("iss") != own.get("iss") else []
    return f"also {also[0]}" if also else ""


def _audience(claims: Claims) -> set[str]:
    said = claims.get("aud", [])
    return set(map(str, said if isinstance(said, list) else [said]))


def _no_algorithm(token: str, name: str = "none") -> str:
    """Unsigned, and saying so (RFC 7519, 6)."""
    return f"{_encoded({**_header(token), 'alg': name})}.{token.split('.')[1]}."


def _of_another_key(token: str) -> str:
    """Signed with another shared key; with random bytes if the algorithm does not use one."""
    text = token.rpartition(".")[0]
    made = HASHES.get(str(_header(token).get("alg")))
    if made is not None:
        return f"{text}.{_base64(hmac.digest(secrets.token_bytes(64), text.encode(), made))}"
    return f"{text}.{_base64(secrets.token_bytes(len(decoded_bytes(token.split('.')[2])) or 64))}"


def _of_its_own_key(token: str) -> str:
    """Signed by a key that it brings along (RFC 7515, 4.1.3), which some libraries believe."""
    key = secrets.token_bytes(32)
    return _signed(token, {"jwk": {"kty": "oct", "k": _base64(key)}}, key)


def _of_an_empty_key(token: str) -> str:
    """Signed with an empty key, and naming an empty file as its key's."""
    return _signed(token, {"kid": "../../../../../../dev/null"}, b"")


def _signed(token: str, more: Claims, key: bytes) -> str:
    kept = {name: value for name, value in _header(token).items() if name != "kid"}
    text = f"{_encoded({**kept, 'alg': 'HS256', **more})}.{token.split('.')[1]}"
    return f"{text}.{_base64(hmac.digest(key, text.encode(), hashlib.sha256))}"


def _of_another_user(token: str) -> str:
    """Another subject, an administrator's role, and the signature of the token that it was made of."""
    header, payload, signature = token.split(".")
    claims = dict(decoded(payload) or {})
    subject = claims.get("sub", "")
    other = "1" if str(subject) != "1" else "2"
    claims["sub"] = int(other) if isinstance(subject, int) else other
    for key, role in (("role", "admin"), ("roles", ["admin"]), ("is_admin", True), ("admin", True)):
        if key in claims or key == "role":
            claims[key] = role
    return f"{header}.{_encoded(claims)}.{signature}"


# Made of the test token by anybody who holds it.
MADE: Mapping[str, Callable[[str], str]] = {
    "alg none": _no_algorithm,
    "alg NONE": lambda token: _no_algorithm(token, "NONE"),
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "another key": _of_another_key,
    "its own key": _of_its_own_key,
    "an empty key": _of_an_empty_key,
    "another user": _of_another_user,
}


def _header(token: str) -> Claims:
    return decoded(token.partition(".")[0]) or {}


def _encoded(document: Claims) -> str:
    return _base64(json.dumps(document, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def main(arguments: list[str]) -> int:
    """Print the bad token that a command under Repeat asks for."""
    name, variable = arguments
    sys.stdout.write(MADE[name](os.environ[variable]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
