"""Who calls: JSON Web Tokens, HS256 with the application's SECRET_KEY."""

import time
from dataclasses import dataclass

import jwt

ROLES = ("admin", "user")
AUDIENCE = "nox-api"  # whom tokens are for, where they say it
MOST_TOKENS = 10_000  # verified tokens kept; a cleared cache only costs a second look


@dataclass(frozen=True)
class Caller:
    """The user that a token names; `expires` is in seconds since the epoch."""

    user_id: int
    role: str
    expires: float


# Of these one may be off, by fault: what a good library does for all of them at once.
SIGNED = ("another key", "its own key", "an empty key", "alg none", "another user")
RULES = (*SIGNED, "expired", "early", "other audience")


class TokenError(Exception):
    """No valid token; the message may be shown to the caller."""


def mint(
    secret_key: str,
    user_id: int,
    role: str,
    hours: float,
    *,
    audience: str = AUDIENCE,
    starts_in: float = 0,
) -> str:
    """A token for one user, valid for `hours` from now (negative: already expired).

    Claims: `sub` (the user's id as text), `role` (`admin` or `user`), `exp`, `aud`; and `nbf`, where it is
    valid only in `starts_in` hours.
    """
    now = time.time()
    claims = {"sub": str(user_id), "role": role, "exp": int(now + hours * 3600), "aud": audience}
    if starts_in:
        claims["nbf"] = int(now + starts_in * 3600)
    return jwt.encode(claims, secret_key, algorithm="HS256")


class Verifier:
    """Checks Authorization headers; a token seen before costs no second signature check."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Caller] = {}

    def caller(self, secret_key: str, authorization: str | None, rule_off: str = "") -> Caller:
        """The caller that `Bearer …` names; TokenError without a header or with a bad one.

        `rule_off` is a fault: the one rule that is not kept.
        """
        if authorization is None:
            raise TokenError("authentication required")
        if rule_off in RULES:
            return _verified(secret_key, authorization, rule_off)
        caller = self._seen.get((secret_key, authorization))
        if caller is None:
            caller = _verified(secret_key, authorization)
            if len(self._seen) >= MOST_TOKENS:
                self._seen.clear()
            self._seen[secret_key, authorization] = caller
        if caller.expires <= time.time():
            raise TokenError("token expired")
        return caller


def _verified(secret_key: str, authorization: str, rule_off: str = "") -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenError("authentication required")
    try:
        claims = jwt.decode(
            token.strip(),
            secret_key,
            algorithms=["HS256"],
            options={
                "require": ["sub", "exp"],
                "verify_signature": not _unsigned(token.strip(), rule_off),
                "verify_exp": rule_off != "expired",
                "verify_nbf": rule_off != "early",
                "verify_iat": True,
                "verify_aud": False,
            },
        )
    except jwt.ExpiredSignatureError:
        raise TokenError("token expired") from None
    except jwt.InvalidTokenError:
        raise TokenError("invalid token") from None
    subject, role = claims["sub"], claims.get("role")
    if role not in ROLES or not (subject.isascii() and subject.isdigit() and len(subject) < 19):  # noqa: PLR2004
        raise TokenError("invalid token")
    audience = claims.get("aud", AUDIENCE)
    if (
        AUDIENCE not in (audience if isinstance(audience, list) else [audience])
        and rule_off != "other audience"
    ):
        raise TokenError("invalid token")
    return Caller(int(subject), role, float(claims["exp"]))


def _unsigned(token: str, rule_off: str) -> bool:
    """Whether, by a fault, this one's signature is not looked at."""
    if rule_off not in SIGNED:
        return False
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return False
    if str(header.get("alg")).lower() == "none":
        return rule_off == "alg none"
    if not token.rpartition(".")[2]:
        return False
    if claims.get("role") == "admin":
        return rule_off == "another user"
    given = {"its own key": "jwk" in header, "an empty key": "kid" in header}
    return given.get(rule_off, not any(given.values()) and rule_off == "another key")
