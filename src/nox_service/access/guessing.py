"""Whether somebody could guess the next state: from the last ones, or because it is made of a number.

Not everything can be found from outside: docs/OAUTH.md says what cannot.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, combinations, takewhile
from typing import TYPE_CHECKING, TypeAlias

from noxgate.machine.late import late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = late("numpy")

# Characters in which any two states must differ between what they have in common at both ends: a counter or
# a clock changes fewer, however long its state is.
DIFFERENT = 10
# Numbers whose digests are tried: each small one, each fourth of the others. Those that a counter gives to
# twenty looks are neighbours; twenty that were drawn miss all of them three times in a thousand.
EACH = 2**12
STEP = 4
COUNTED = 2**20  # as text
SHORT = 2**14  # as bytes, in other spellings, and by rarer digests
AT_ONCE = 2**14  # of them in memory
AROUND = 300  # seconds before and after the looks
CLOSE = 5  # seconds before and after, of which each millisecond is tried
PREFIX = 8  # bytes by which a digest is known; it may have been cut
DIGESTS = ("md5", "sha1", "sha256")
MORE_DIGESTS = ("sha512", "sha224", "sha384", "sha3_256", "sha3_512", "blake2b", "blake2s")

Spelling = Callable[[int], bytes]
Found = tuple[str, int]  # what a state is, of which number
Starts: TypeAlias = "NDArray[np.uint64]"
Table: TypeAlias = "tuple[str, NDArray[np.uint64]]"
TEXT: Spelling = b"%d".__mod__
OTHERS: dict[str, Spelling] = {
    "hexadecimal": b"%x".__mod__,
    "its bytes": lambda number: number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"),
    "2 bytes": lambda number: (number & 0xFFFF).to_bytes(2, "big"),
    "4 bytes": lambda number: (number & 0xFFFFFFFF).to_bytes(4, "big"),
    "8 bytes": lambda number: number.to_bytes(8, "big"),
    "2 bytes, the low one first": lambda number: (number & 0xFFFF).to_bytes(2, "little"),
    "4 bytes, the low one first": lambda number: (number & 0xFFFFFFFF).to_bytes(4, "little"),
    "8 bytes, the low one first": lambda number: number.to_bytes(8, "little"),
}
_HEX = re.compile(r"[0-9a-fA-F]{16,}")


def guessable(states: Sequence[str], looked: tuple[float, float]) -> list[str]:
    """Why the next of these states can be guessed; they were given between two moments."""
    return [*repeated(states), *_alike(states), *_numbered(states, looked)]


def repeated(states: Sequence[str]) -> list[str]:
    """Of states, or of their digests: of 800 that have 16 bits each, two are alike in 99 of 100 tries."""
    more = len(states) - len(set(states))
    alike = f"{more + 1} of {len(states)} states are alike"
    return [f"{alike}: a state came twice, a login can be forged"] if more else []


def digest(state: str) -> str:
    """As a state is kept by those who only compare them."""
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def different(one: str, other: str) -> int:
    """How long they are without what they have in common at both ends."""
    start = in_common(one, other)
    rests = one[start:], other[start:]
    return max(map(len, rests)) - in_common(rests[0][::-1], rests[1][::-1])


def in_common(one: str, other: str) -> int:
    """The length of what both begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _alike(states: Sequence[str]) -> list[str]:
    for one, other in combinations(dict.fromkeys(states), 2):
        if different(one, other) < DIFFERENT:
            return [f"the next state can be guessed from the last: {(one, other)}"]
    return []


def _numbered(states: Sequence[str], looked: tuple[float, float]) -> list[str]:
    """Whether one is the digest of a small number, or of the time."""
    wanted = {int.from_bytes(part[:PREFIX], "big") for state in states for part in _bytes_of(state)}
    if not wanted:
        return []
    sought = np.array(sorted(wanted), dtype=np.uint64)
    found = next(chain(_among(sought, _tables(), _numbers(COUNTED)), _of_the_time(sought, looked)), None)
    return [] if found is None else [f"the next state can be guessed: one is the {found[0]}, {found[1]}"]


def _bytes_of(state: str) -> Iterator[bytes]:
    """What it may spell, wholly or in a part: hexadecimal, a UUID, base32, base64 (of hexadecimal, too)."""
    parts = [state, state.replace("-", ""), *re.split(r"[.:|~]", state), *re.split(r"[._:|~-]", state)]
    for part in dict.fromkeys(parts):
        yield from (bytes.fromhex(found[: len(found) // 2 * 2]) for found in _HEX.findall(part))
        spelled = part.translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
        for decode, block, text in ((base64.b64decode, 4, spelled), (base64.b32decode, 8, spelled.upper())):
            try:
                found = decode(text + "=" * (-len(text) % block))
            except (ValueError, binascii.Error):
                continue
            if len(found) >= PREFIX:
                yield found
                inner = found.decode("latin-1")
                yield from (bytes.fromhex(one[: len(one) // 2 * 2]) for one in _HEX.findall(inner))


def _among(sought: Starts, tables: Sequence[Table], numbers: Sequence[int]) -> Iterator[Found]:
    """Those that stand in a table, of which number they are."""
    for what, table in tables:
        nearest = np.minimum(np.searchsorted(sought, table), len(sought) - 1)
        places = np.flatnonzero(sought[nearest] == table)
        yield from ((what, numbers[place]) for place in places[:1])


def _of_the_time(sought: Starts, looked: tuple[float, float]) -> Iterator[Found]:
    """Those of each second around the looks, and of each millisecond near them."""
    began, ended = map(int, looked)
    for minute in range((began - AROUND) // 60, (ended + AROUND) // 60 + 1):
        yield from _among(sought, _of_a_minute(minute), range(minute * 60, minute * 60 + 60))
    for second in range(began - CLOSE, ended + CLOSE + 1):
        yield from _among(sought, _of_a_second(second), range(second * 1000, second * 1000 + 1000))


# The looks at three providers follow one another: most of these are those of the one before.
@cache
def _of_a_minute(minute: int) -> Sequence[Table]:
    seconds = range(minute * 60, minute * 60 + 60)
    return _tables_of(
        "the time", seconds, ("text", "4 bytes", "8 bytes", "hexadecimal"), MORE_DIGESTS + DIGESTS
    )


@cache
def _of_a_second(second: int) -> Sequence[Table]:
    """In milliseconds."""
    milliseconds = range(second * 1000, second * 1000 + 1000)
    return _tables_of("the time", milliseconds, ("text", "8 bytes", "hexadecimal"), DIGESTS)


def _tables_of(
    what: str, numbers: Sequence[int], spelled: Sequence[str], algorithms: Sequence[str]
) -> Sequence[Table]:
    return [table for name in spelled for table in _table(what, name, algorithms, numbers)]


def prepare() -> None:
    """Make the tables, while others wait for answers."""
    _tables()


@cache
def _numbers(end: int) -> Sequence[int]:
    return (*range(EACH), *range(EACH, end, STEP))


@cache
def _tables() -> Sequence[Table]:
    """The beginnings of the digests of these numbers: made once in a run, in half a second."""
    what, short = "a number", _numbers(SHORT)
    return [
        *_table(what, "text", DIGESTS, _numbers(COUNTED)),
        *_tables_of(what, short, ["text"], MORE_DIGESTS),
        *_tables_of(what, short, list(OTHERS), DIGESTS),
    ]


def _table(what: str, spelled: str, algorithms: Sequence[str], numbers: Sequence[int]) -> list[Table]:
    spell = {"text": TEXT, **OTHERS}[spelled]
    parts: dict[str, list[bytes]] = {name: [] for name in algorithms}
    for start in range(0, len(numbers), AT_ONCE):
        texts = [spell(number) for number in numbers[start : start + AT_ONCE]]
        for name, starts in parts.items():
            whole = b"".join([made.digest() for made in map(getattr(hashlib, name), texts)])
            starts.append(np.frombuffer(whole, np.uint8).reshape(len(texts), -1)[:, :PREFIX].tobytes())
    return [
        (f"{name} of {what} as {spelled}", np.frombuffer(b"".join(starts), ">u8").astype(np.uint64))
        for name, starts in parts.items()
    ]
