"""What people read: a signed-in user's own pages, and the public figures."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nox_service.access.tokens import Who
from nox_service.api import Asks
from nox_service.faults import content, is_well, of_each
from noxgate.look.http import Answer
from noxgate.look.observation import shortened
from noxgate.systems.http.caches import cached

# Keys under which an answer says how it went: alone, they are not content.
SAYS = frozenset({"error", "errors", "detail", "details", "message", "code", "status", "success"})
# Spelled without case and signs between words: userId and user_id are one.
NAMES = frozenset(
    {
        "id",
        "userid",
        "uid",
        "uuid",
        "guid",
        "upn",
        "sub",
        "subject",
        "accountid",
        "email",
        "emailaddress",
        "mail",
    }
    | {"username", "login"}
)
OWN = 8  # characters from which on a word in a refusal is the user's own, such as an address, and no chance
REFUSED = 401
STATS = "/api/public/stats"
PROFILE, SETTINGS, HISTORY = "/api/user/profile", "/api/user/settings", "/api/user/history"


def look(api: Asks, path: str, strangers: Sequence[Who | None] = (None,)) -> list[str]:
    """Ask each pod for one page, as the user and as those who must not get it; what is wrong with it."""
    mine = api.at_each_pod(path, who="test_token")
    refused = [answer for stranger in strangers for answer in api.at_each_pod(path, who=stranger)]
    return list(dict.fromkeys([fault for one in mine for fault in faults(path, one, refused)]))


def each(api: Asks) -> dict[str, list[str]]:
    """The pages with which something is wrong: asked as the user, and without a token."""
    found = {path: look(api, path) for path in PAGES}
    return {path: wrong for path, wrong in found.items() if wrong}


def faults(path: str, mine: Answer, refused: Sequence[Answer] = ()) -> list[str]:
    """What is wrong: the user gets the page's content; the others are refused, and do not see it."""
    document, said = content(mine)
    if not said and PAGES[path](document) == []:
        said.append(f"nothing of the user's in {shortened(mine.text)}")
    said += cached(mine)
    if let_in := sorted({answer.status for answer in refused} - {REFUSED}):
        said.append(f"others than the user: expected HTTP {REFUSED}, saw {', '.join(map(str, let_in))}")
    own = [word for word in leaves(document) if isinstance(word, str) and len(word) >= OWN]
    shown = sorted({word for word in own for answer in refused if word in answer.text})
    return said + ([f"others than the user see {shortened(', '.join(shown), 120)}"] if shown else [])


def another_user(known: Answer, seen: Answer) -> list[str]:
    """Why a profile is not that of the user whom another one tells: refused, or another id or address."""
    said = faults(PROFILE, seen)
    if said:
        return said
    old, new = owner(known.json()), owner(seen.json())
    shared = old.keys() & new.keys()
    if not shared and set(old.values()).isdisjoint(new.values()):
        told = [", ".join(sorted(each)) or "nothing" for each in (old, new)]
        return [f"another user: expected {told[0]} to be told, saw {told[1]}"]
    return [
        f"another user: {key} {new[key]}, expected {old[key]}"
        for key in sorted(shared)
        if old[key] != new[key]
    ]


def owner(document: Any) -> dict[str, str]:
    """What says whose profile it is, by its key; the outermost of a name counts."""
    found: dict[str, str] = {}
    if isinstance(document, dict):
        for key, value in document.items():
            if key not in SAYS:
                found = owner(value) | found
        found |= {
            plain(key): str(value)
            for key, value in document.items()
            if plain(key) in NAMES and isinstance(value, str | int)
        }
    return found


def each_counted(answers: Sequence[Answer]) -> list[str]:
    """What is wrong with the public figures, each fault once."""
    return list(dict.fromkeys(of_each(answers, counted)))


def counted(answer: Answer) -> list[str]:
    """What is wrong with the public figures of one answer."""
    document, said = content(answer)
    if said:
        return said
    if isinstance(document, dict) and (
        excuse := [key for key in ("code", "message") if document.get(key) and not is_well(document[key])]
    ):
        said.append(f"an excuse in place of figures: {', '.join(excuse)} in {shortened(answer.text)}")
    if [number for number in numbers(document) if number >= 0] == []:
        said.append(f"expected a figure, saw {shortened(answer.text)}")
    return said


def names_of(document: Any) -> list[Any]:
    """What says whose profile it is, at any depth."""
    if isinstance(document, dict):
        own = [
            value
            for key, value in document.items()
            if plain(key) in NAMES and value and isinstance(value, str | int)
        ]
        return own + [name for key, value in document.items() if key not in SAYS for name in names_of(value)]
    return []


def settings_of(document: Any) -> list[Any]:
    """Every setting with a value, by its name or in a list."""
    nested = isinstance(document, dict | list)
    return [value for value in leaves(document) if value is not None] if nested else []


def lists_of(document: Any) -> list[list[Any]]:
    """The list itself, or under some key; it may be empty."""
    if isinstance(document, dict):
        return [found for key, value in document.items() if key not in SAYS for found in lists_of(value)]
    return [document] if isinstance(document, list) else []


def plain(key: str) -> str:
    """A name without case and signs between its words."""
    return re.sub(r"[^a-z0-9]", "", key.casefold())


def leaves(document: Any) -> list[Any]:
    """Every value in a JSON document, but for what an error would say."""
    if isinstance(document, dict):
        return [leaf for key, value in document.items() if key not in SAYS for leaf in leaves(value)]
    if isinstance(document, list):
        return [leaf for value in document for leaf in leaves(value)]
    return [document]


def numbers(document: Any) -> list[float]:
    """Every finite number in a JSON document."""
    return [
        float(leaf)
        for leaf in leaves(document)
        if isinstance(leaf, int | float) and not isinstance(leaf, bool) and math.isfinite(leaf)
    ]


PAGES: Mapping[str, Callable[[Any], list[Any]]] = {
    PROFILE: names_of,
    SETTINGS: settings_of,
    HISTORY: lists_of,
}
