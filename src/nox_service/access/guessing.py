"""Whether somebody could guess the next state: from the last ones, or because it is made of a number.

Not everything can be found from outside: docs/OAUTH.md says what cannot.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, combinations, takewhile
from typing import TYPE_CHECKING

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
    wanted = {part[:PREFIX] for state in states for part in _bytes_of(state)}
    found = next(chain(_known(wanted), _of_the_time(wanted, looked)), None)
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


def _known(wanted: set[bytes]) -> Iterator[Found]:
    """Those of small numbers, as they stand in the tables."""
    sought = np.array(sorted(int.from_bytes(start, "big") for start in wanted), dtype=np.uint64)
    for what, table in _tables() if len(sought) else ():
        nearest = np.minimum(np.searchsorted(sought, table), len(sought) - 1)
        places = np.flatnonzero(sought[nearest] == table)
        yield from ((what, _numbers(COUNTED)[place]) for place in places[:1])


def _of_the_time(wanted: set[bytes], looked: tuple[float, float]) -> Iterator[Found]:
    """Those of each second around the looks, and of each millisecond near them."""
    began, ended = looked
    for second in range(int(began) - AROUND, int(ended) + AROUND):
        yield from _among(wanted, _of_a_second(second))
    for second in range(int(began) - CLOSE, int(ended) + CLOSE + 1):
        yield from _among(wanted, _of_milliseconds(second))


def _among(wanted: set[bytes], made: Mapping[bytes, Found]) -> Iterator[Found]:
    yield from (made[start] for start in wanted & made.keys())


# The looks at three providers follow one another: most of these seconds are those of the one before.
@cache
def _of_a_second(second: int) -> Mapping[bytes, Found]:
    spellings = {"text": TEXT, **{name: OTHERS[name] for name in ("4 bytes", "8 bytes", "hexadecimal")}}
    return _made([second], spellings, (*DIGESTS, *MORE_DIGESTS))


@cache
def _of_milliseconds(second: int) -> Mapping[bytes, Found]:
    spellings = {"text": TEXT, **{name: OTHERS[name] for name in ("8 bytes", "hexadecimal")}}
    return _made(range(second * 1000, second * 1000 + 1000), spellings, DIGESTS)


def _made(
    numbers: Sequence[int], spellings: Mapping[str, Spelling], algorithms: Sequence[str]
) -> Mapping[bytes, Found]:
    return {
        new(spell(number)).digest()[:PREFIX]: (f"{algorithm} of the time as {name}", number)
        for algorithm in algorithms
        for new in [getattr(hashlib, algorithm)]
        for name, spell in spellings.items()
        for number in numbers
    }


def prepare() -> None:
    """Make the tables, while others wait for answers."""
    _tables()


@cache
def _numbers(end: int) -> Sequence[int]:
    return (*range(EACH), *range(EACH, end, STEP))


@cache
def _tables() -> list[tuple[str, "NDArray[np.uint64]"]]:
    """The beginnings of the digests of these numbers: made once in a run, in half a second."""
    made = _table("text", TEXT, DIGESTS, COUNTED) + _table("text", TEXT, MORE_DIGESTS, SHORT)
    for spelled, spell in OTHERS.items():
        made += _table(spelled, spell, DIGESTS, SHORT)
    return made


def _table(
    spelled: str, spell: Spelling, algorithms: Sequence[str], end: int
) -> list[tuple[str, "NDArray[np.uint64]"]]:
    parts: dict[str, list[bytes]] = {name: [] for name in algorithms}
    numbers = _numbers(end)
    for start in range(0, len(numbers), AT_ONCE):
        texts = [spell(number) for number in numbers[start : start + AT_ONCE]]
        for name, starts in parts.items():
            whole = b"".join([made.digest() for made in map(getattr(hashlib, name), texts)])
            starts.append(np.frombuffer(whole, np.uint8).reshape(len(texts), -1)[:, :PREFIX].tobytes())
    return [
        (f"{name} of a number as {spelled}", np.frombuffer(b"".join(starts), ">u8").astype(np.uint64))
        for name, starts in parts.items()
    ]
