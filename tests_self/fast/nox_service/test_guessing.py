"""States of OAuth: what can be guessed from outside is found, and what was drawn well is not."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Callable
from random import Random

import pytest

from nox_service.access.guessing import guessable, repeated

NOW = 1_764_583_000.5
LOOKED = (NOW, NOW + 2)
MADE = {
    "sha256 of a counter": lambda n: hashlib.sha256(str(n).encode()).hexdigest(),
    "md5 of a counter, cut, in base64": lambda n: base64.urlsafe_b64encode(
        hashlib.md5(b"%d" % n, usedforsecurity=False).digest()
    ).decode()[:16],
    "a UUID made of md5": lambda n: str(
        uuid.UUID(bytes=hashlib.md5(b"%d" % n, usedforsecurity=False).digest())
    ),
    "sha1 in hexadecimal in base64": lambda n: base64.b64encode(
        hashlib.sha1(b"%d" % n, usedforsecurity=False).hexdigest().encode()
    ).decode(),
    "sha256 in base32": lambda n: base64.b32encode(hashlib.sha256(b"%d" % n).digest()).decode().lower(),
    "in capitals": lambda n: hashlib.sha256(b"%d" % n).hexdigest().upper(),
    "behind the provider's name": lambda n: f"github.{hashlib.sha256(b'%d' % n).hexdigest()}",
    "behind a line": lambda n: f"github_{hashlib.sha256(b'%d' % n).hexdigest()[:40]}",
    "of its byte": lambda n: hashlib.sha256(bytes([n % 256])).hexdigest(),
    "of eight bytes": lambda n: hashlib.sha256((n % 4096).to_bytes(8, "big")).hexdigest()[:24],
    "of four bytes": lambda n: hashlib.sha1(
        (n % 4096).to_bytes(4, "little"), usedforsecurity=False
    ).hexdigest(),
    "of 12 bits": lambda n: hashlib.sha512(b"%d" % (n * 7919 % 4096)).hexdigest()[:32],
    "blake2 of few": lambda n: hashlib.blake2b(b"%d" % (n % 999)).hexdigest(),
}
DRAWN: dict[str, Callable[[], str]] = {
    "token_urlsafe": lambda: secrets.token_urlsafe(24),
    "token_hex": lambda: secrets.token_hex(16),
    "uuid4": lambda: str(uuid.uuid4()),
    "base64": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "a time and a number (ULID, UUIDv7)": lambda: f"0193822c-7b1e-7{secrets.token_hex(9)}",
    "a hash of something drawn": lambda: hashlib.sha256(secrets.token_bytes(16)).hexdigest(),
    "a JSON Web Token": lambda: (
        "eyJhbGciOiJIUzI1NiJ9."
        + base64.urlsafe_b64encode(f'{{"n":"{secrets.token_hex(8)}"}}'.encode()).decode().rstrip("=")
        + f".{secrets.token_urlsafe(32)}"
    ),
    "with the provider's name": lambda: f"google:{secrets.token_urlsafe(18)}",
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("start", [0, 700, 1_048_000])
def test_state_made_of_a_number(name: str, start: int) -> None:
    """However it is spelled; a counter that has come far, too."""
    states = [MADE[name](number) for number in range(start, start + 20)]

    assert guessable(states, LOOKED) != []


@pytest.mark.parametrize("name", DRAWN)
def test_state_that_was_drawn(name: str) -> None:
    assert guessable([DRAWN[name]() for _ in range(20)], LOOKED) == []


@pytest.mark.parametrize(
    "made",
    [
        hashlib.sha256(str(int(NOW) - 200).encode()).hexdigest(),
        hashlib.md5(str(int(NOW * 1000) + 700).encode(), usedforsecurity=False).hexdigest(),
        hashlib.sha1(int(NOW).to_bytes(4, "big"), usedforsecurity=False).hexdigest(),
    ],
)
def test_state_made_of_the_time(made: str) -> None:
    assert "of the time" in guessable([secrets.token_hex(16), made], LOOKED)[0]


@pytest.mark.parametrize(
    "states",
    [
        [f"nox-api-green-1-{number:016}" for number in range(20)],
        [f"{1764583000000 + number}00000000000" for number in range(20)],
        [str(uuid.UUID(fields=(number, 4590, 4560, 170, 250, 1))) for number in range(20)],
    ],
)
def test_state_that_counts(states: list[str]) -> None:
    assert "guessed from the last" in guessable(states, LOOKED)[0]


def test_16_bits_are_found_among_800() -> None:
    """By collisions alone: 99 times of 100."""
    drawn = Random(19)  # noqa: S311 (the same draws each time)
    found = [bool(repeated([str(drawn.getrandbits(16)) for _ in range(800)])) for _ in range(500)]

    assert sum(found) >= 490


def test_64_bits_are_not() -> None:
    drawn = Random(19)  # noqa: S311

    assert repeated([str(drawn.getrandbits(64)) for _ in range(40_000)]) == []


def test_nothing_is_not_guessable() -> None:
    """Nor does a state of strange signs stop the look."""
    assert guessable([], LOOKED) == []
    assert guessable(["ä" * 30, "%%%" + secrets.token_hex(20)], LOOKED) == []
