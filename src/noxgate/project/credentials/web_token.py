"""What a JSON Web Token says of itself, unverified (RFC 7519): any other bearer token says nothing."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MILLISECONDS = 10**12  # those since 1970 are more, and seconds of our millennia fewer
LONGEST = 20  # digits of a date: a longer number does not count
AHEAD = 60  # seconds that clocks may differ: a token that begins within them has begun for somebody

Claims = Mapping[str, Any]


def claims_of(token: str) -> Claims | None:
    """Its claims; None if it is not a JSON Web Token."""
    parts = token.split(".")
    if len(parts) != 3 or decoded(parts[0]) is None:  # noqa: PLR2004
        return None
    return decoded(parts[1])


def subject_of(token: str) -> str:
    """Who it is of; empty if it does not say."""
    said = (claims_of(token) or {}).get("sub")
    return str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""


def decoded(part: str) -> Claims | None:
    """One part of a token, an object in base64url; None if it is anything else."""
    try:
        found = json.loads(decoded_bytes(part))
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return found if isinstance(found, dict) else None


def decoded_bytes(part: str) -> bytes:
    """Base64url without its padding (RFC 7515, 2); empty for anything else."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""


def number(claims: Claims, name: str, default: float) -> float:
    """A date, in seconds since 1970; the default where it says none that all services read alike."""
    value = claims.get(name, default)
    if isinstance(value, str) and value.isdecimal() and len(value) < LONGEST:  # as some write it
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return default
    # in milliseconds; who reads it as RFC 7519 has it, sees a date far ahead
    return default if value >= MILLISECONDS else value


def untimely(token: str, since: float, until: float) -> str:
    """Why a token does not hold from one moment to another, in words; empty if it does or does not say.

    Both moments are seconds since 1970.
    """
    claims = claims_of(token) or {}
    ends, begins = number(claims, "exp", until + 1), number(claims, "nbf", since)
    if ends <= since:
        return f"has expired: it says exp {_moment(ends)}"
    if ends <= until:
        return f"expires too early: it says exp {_moment(ends)}, and has to hold until {_moment(until)}"
    return f"is not valid yet: it says nbf {_moment(begins)}" if begins > since + AHEAD else ""


def _moment(seconds: float) -> str:
    """The same in each look, so that what it stops is told as one."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):  # no year of four digits
        return f"{seconds}"[:20]
