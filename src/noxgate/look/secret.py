"""Secrets: a type that does not print, and finding or redacting secrets in any text.

One whose value we know leaks in disguise (`written.spellings`), or cut to a fragment by a shortened diff. So
what is looked for is every FRAGMENT neighbouring characters of every secret in every spelling. Any other is
known by its form (`secret_forms`).
"""

import dataclasses
import functools
import hmac
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from noxgate.look.secret_forms import form_in, redacted, redacted_lines, without_people
from noxgate.look.secret_search import REDACTED
from noxgate.look.written.spellings import FRAGMENT, fragments, layers, nothing, unescaped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGE = 2_000  # characters
HASH_BITS = 20
_SLICES = tuple(slice(at, at + FRAGMENT) for at in range(LARGE))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Secret:
    """A secret value and the name of the variable it came from; only `reveal` gives the value."""

    name: str
    _value: str

    def __repr__(self) -> str:
        return f"Secret({self.name}, {REDACTED})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> str:
        raise TypeError(f"{self!r} is not to be pickled")

    def reveal(self) -> str:
        """The value, for the edge where it is sent: never for an assert, a message or a fixture."""
        return self._value


class Scrubber:
    """Finds and redacts known secrets, and what has the form of one; other text is left as it is.

    `public` reads what every report may show. A token that begins as the name of a test is not told by that.
    """

    def __init__(self, secrets: Iterable[Secret], public: Callable[[], str] = nothing) -> None:
        self.secrets = tuple(secrets)
        self._public = public
        self._clean: set[str] = set()

    @cached_property
    def _fragments(self) -> dict[str, dict[str, str]]:
        """By its first characters: each fragment, and the name of the secret that it gives away."""
        found: dict[str, dict[str, str]] = {}
        for secret in self.secrets:
            for fragment in fragments(secret.reveal(), self._public):
                found.setdefault(fragment[:FRAGMENT], {}).setdefault(fragment, secret.name)
        return found

    def _places(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and secret of each fragment in a text."""
        known = self._fragments
        if not known or len(text) < FRAGMENT:
            return
        if len(text) > LARGE:
            places = self._likely(text)
        elif known.keys().isdisjoint(map(text.__getitem__, _SLICES[: len(text) - FRAGMENT + 1])):
            return  # of most texts, and twice as fast as one place after another
        else:
            places = list(range(len(text) - FRAGMENT + 1))
        for at in places:
            if text[at : at + FRAGMENT] in known:
                for fragment, name in known[text[at : at + FRAGMENT]].items():
                    if text.startswith(fragment, at):
                        yield at, at + len(fragment), name

    def _likely(self, text: str) -> list[int]:
        """Where a fragment may begin, in order: no place too few, and one of a few hundred too many.

        The evidence of a load test has millions of characters, and it is swept while somebody waits.
        """
        import numpy as np  # noqa: PLC0415 (a tenth of a second, and small texts do without)

        found: list[int] = np.flatnonzero(self._marked[_hashes(text)]).tolist()
        return found

    @cached_property
    def _marked(self) -> "NDArray[np.bool_]":
        """The hashes of the first characters of all fragments."""
        import numpy as np  # noqa: PLC0415

        marked = np.zeros(1 << HASH_BITS, dtype=np.bool_)
        marked[_hashes("".join(self._fragments))[::FRAGMENT]] = True
        return marked

    def find(self, text: str) -> str | None:
        """The name of a known secret that this text gives away, or None."""
        if not self.secrets or len(text) < FRAGMENT:  # without its escapes a text is no longer than with them
            return None
        return next((name for layer in layers(text) for _, _, name in self._places(layer)), None)

    def gives_away(self, text: str) -> str | None:
        """What of a secret this text gives away, in words: `$TEST_TOKEN`, or a form's name; else None."""
        if text in self._clean:
            return None
        if name := self.find(text):
            return f"${name}"
        if form := next((form for layer in unescaped(text) if (form := form_in(layer))), None):
            return form
        if len(text) <= LARGE:  # each text goes through many hands on its way into the evidence
            self._clean.add(text)
        return None

    def scrub(self, text: str, *, people: bool = True) -> str:
        """The text with every stretch that gives a secret away replaced by `***`.

        Addresses of persons go, too, but where `people` is false: who attested is a part of the evidence.
        Half a surrogate pair, which no report can hold, is written out.
        """
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        if people:
            text = without_people(text)
        if self.gives_away(text) is None:
            return text[:]  # plain text, also of an enum's value
        parts: list[str] = []
        kept = 0  # up to here the text is in parts, or redacted
        for start, end, _ in self._places(text):
            if start > kept or not parts:
                parts += text[kept:start], REDACTED
            kept = max(kept, end)
        scrubbed = redacted("".join([*parts, text[kept:]]))
        # spelled in a way that can be read back, but not cut out
        left = self.gives_away(scrubbed)
        return scrubbed if left is None else f"{REDACTED} (text withheld: it gives a secret away)"

    def scrub_pair(self, name: object, value: object, *, people: bool = True) -> object:
        """A value that has a name: the name may say that it is secret."""
        if isinstance(value, str) and isinstance(name, str):
            told = f'"{name}": "{value}"'
            return (
                REDACTED if form_in(told) and not form_in(f'"{value}"') else self.scrub(value, people=people)
            )
        return self.scrub_tree(value, people=people)

    def scrub_tree(self, value: object, *, people: bool = True) -> object:
        """The same for every string inside containers, and in place inside dataclasses and attrs objects."""
        if isinstance(value, str):
            return self.scrub(value, people=people)
        each = functools.partial(self.scrub_tree, people=people)
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(map(each, value))
        if isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value):
            return [each(line) for line in redacted_lines(value)]
        if isinstance(value, list | tuple):
            return type(value)(map(each, value))
        if isinstance(value, dict):
            return {each(key): self.scrub_pair(key, item, people=people) for key, item in value.items()}
        names = _field_names(value)
        for name in names:
            told = getattr(value, "name", name) if name == "value" and "name" in names else name
            object.__setattr__(value, name, self.scrub_pair(told, getattr(value, name), people=people))
        return value


def _hashes(text: str) -> "NDArray[np.uint64]":
    """A number below 2 ** HASH_BITS for every FRAGMENT neighbouring characters of a text."""
    import numpy as np  # noqa: PLC0415

    characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    count = len(characters) - FRAGMENT + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(FRAGMENT):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + characters[place : place + count]
    return hashes >> np.uint64(64 - HASH_BITS)


def _field_names(value: object) -> list[str]:
    """The fields of a dataclass (pytest's) or an attrs object (Allure's)."""
    kind = type(value)
    fields = (
        dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else getattr(kind, "__attrs_attrs__", ())
    )
    return [field.name for field in fields]
