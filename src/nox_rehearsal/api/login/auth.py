"""Who calls: JSON Web Tokens, HS256 with the application's SECRET_KEY."""

import time
from dataclasses import dataclass
from typing import Literal

import jwt

ROLES = ("admin", "user")
MOST_TOKENS = 10_000  # verified tokens kept; a cleared cache only costs a second look


@dataclass(frozen=True)
class Caller:
    """The user that a token names; `expires` is in seconds since the epoch."""

    user_id: int
    role: str
    expires: float


class TokenError(Exception):
    """No valid token; the message may be shown to the caller."""


def mint(secret_key: str, user_id: int, role: str, hours: float) -> str:
    """A token for one user, valid for `hours` from now (negative: already expired).

    Claims: `sub` (the user's id as text), `role` (`admin` or `user`), `exp`.
    """
    claims = {"sub": str(user_id), "role": role, "exp": int(time.time() + hours * 3600)}
    return jwt.encode(claims, secret_key, algorithm="HS256")


class Verifier:
    """Checks Authorization headers; a token seen before costs no second signature check."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Caller] = {}

    def caller(self, secret_key: str, authorization: str | None) -> Caller:
        """The caller that `Bearer …` names; TokenError without a header or with a bad one."""
        if authorization is None:
            raise TokenError("authentication required")
        caller = self._seen.get((secret_key, authorization))
        if caller is None:
            caller = _verified(secret_key, authorization)
            if len(self._seen) >= MOST_TOKENS:
                self._seen.clear()
            self._seen[secret_key, authorization] = caller
        if caller.expires <= time.time():
            raise TokenError("token expired")
        return caller


def _verified(secret_key: str, authorization: str) -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenError("authentication required")
    required: list[Literal["sub", "exp"]] = ["sub", "exp"]
    try:
        claims = jwt.decode(
            token.strip(), secret_key, algorithms=["HS256"], options={"require": list(required)}
        )
    except jwt.ExpiredSignatureError:
        raise TokenError("token expired") from None
    except jwt.InvalidTokenError:
        raise TokenError("invalid token") from None
    subject, role = claims["sub"], claims.get("role")
    if role not in ROLES or not (subject.isascii() and subject.isdigit() and len(subject) < 19):  # noqa: PLR2004
        raise TokenError("invalid token")
    return Caller(int(subject), role, float(claims["exp"]))
