"""Who attests, watches, or opens a window: somebody whom the release record names."""

from dataclasses import dataclass

from noxgate.errors import NoxgateError, UnreachableError
from noxgate.project.placeholder import is_placeholder
from noxgate.project.release_facts import read_release_facts
from noxgate.trust.keys import Trust

NOBODY = "rehearsal"  # who attests in a rehearsal, which has no persons
LONGEST = 1000


class PersonError(NoxgateError):
    """A person is not in the release record, or gave no words: one line, expected and seen."""


@dataclass(frozen=True)
class Person:
    """Somebody, as the record writes the name. `key` is the one it gives them, as `ada.pub`."""

    name: str
    key: str | None = None
    others: tuple[str, ...] = ()  # whom the record names in addition


def person(trust: Trust, by: str) -> Person:
    """Whom `by` names.

    Raises PersonError if the release record does not name them, FactsError if it is not a valid record.
    """
    by = plain("--by", by)
    if trust.rehearsal and by == NOBODY:
        return Person(NOBODY)
    try:
        facts = read_release_facts(trust.record)
    except UnreachableError as error:
        raise PersonError(f"--by: expected somebody of the release record; {error}") from None
    names = facts.names()
    found = next((name for name in names if name.casefold() == by.casefold()), None)
    if found is None:
        known = ", ".join(names) or "it names no person yet: fill in [contacts]"
        raise PersonError(f"--by: expected somebody of {facts.path.name} ({known}), saw {by!r}")
    return Person(found, facts.key_of(found), tuple(name for name in names if name != found))


def plain(option: str, text: str) -> str:
    """What somebody typed, on one line. Raises PersonError for no words of their own."""
    found = " ".join(text.split())
    if not found or is_placeholder(found):
        raise PersonError(f"{option}: expected words of your own, saw {text!r}")
    if not found.isprintable() or len(found) > LONGEST:
        raise PersonError(f"{option}: expected one line of at most {LONGEST} printable characters")
    return found
