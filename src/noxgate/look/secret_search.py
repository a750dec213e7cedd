"""How a text is searched for what has the form of a secret: at the few places where one may begin."""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

REDACTED = "***"
Span = tuple[int, int]
Hides = Callable[[re.Match[str]], Iterator[Span]]
_compiled = functools.cache(re.compile)  # of ninety forms a run meets few


@dataclass(frozen=True)
class Form:
    """One way in which a secret shows.

    In every text that has it stands one of `hints` (in lower case), and at most so many characters
    after its begin.
    """

    name: str
    hints: Mapping[str, int]
    pattern: str
    hides: Hides
    flags: int = re.IGNORECASE | re.MULTILINE

    def spans(self, text: str, lower: str) -> Iterator[Span]:
        """Where it shows in a text, in order; what is hidden already is not shown."""
        done = 0
        for start in self._starts(lower):
            if start >= done and (match := _compiled(self.pattern, self.flags).match(text, start)):
                done = match.end()
                yield from (span for span in self.hides(match) if not text.startswith(REDACTED, span[0]))

    def _starts(self, lower: str) -> list[int]:
        starts: set[int] = set()
        for hint, lead in self.hints.items():
            for place in _places(lower, hint):
                starts.update(range(max(0, place - lead), place + 1))
        return sorted(starts)


def _places(lower: str, hint: str) -> Iterator[int]:
    at = lower.find(hint)
    while at >= 0:
        yield at
        at = lower.find(hint, at + 1)


def lowered(text: str) -> str:
    """In lower case, each character at its place."""
    lower = text.lower()
    return (
        lower if len(lower) == len(text) else "".join(one.lower() if one.isascii() else one for one in text)
    )


def hidden(match: re.Match[str]) -> Span:
    """The group `quoted`, `bare` or `value`; without one, all."""
    groups = match.re.groupindex
    names = (name for name in ("quoted", "bare", "value") if name in groups and match[name] is not None)
    return next(map(match.span, names), match.span())


def whole(match: re.Match[str]) -> Iterator[Span]:
    """Every value counts as a secret."""
    yield hidden(match)


def unless(is_none: Callable[[str], bool]) -> Hides:
    """The value, but for one that only looks like it."""

    def hides(match: re.Match[str]) -> Iterator[Span]:
        start, end = hidden(match)
        if not is_none(match.string[start:end]):
            yield start, end

    return hides


def hints(words: str, lead: int = 0) -> dict[str, int]:
    """Several hints with one lead."""
    return dict.fromkeys(words.split(), lead)
