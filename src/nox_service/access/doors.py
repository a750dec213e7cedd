"""Who gets in where: bad tokens are refused, and no other spelling or method opens a door that is shut."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from nox_service.access.closed_list import DOOR, JOBS, KNOCKS, Knock
from nox_service.access.tokens import BadToken, BadTokens, Who
from nox_service.api import LOOKS
from nox_service.faults import NO_ANSWER, complaints, content, is_well, of_each
from nox_service.together import Together
from noxgate.look.http import Answer
from noxgate.look.observation import shortened

PAGES = ("/api/user/profile", "/api/user/settings", "/api/user/history")
# What the job would be, had the token been good: small, and the same one again and again.
JOB = '{"molecule": "H2O", "method": "GFN2-xTB", "properties": ["energy"]}'
BODIES = {JOBS: JOB}
OWN = 8  # characters from which on a word in an answer is the rightful one's own, and no chance
SUCCESS = range(200, 300)
Person = Who | BadToken | None


def refused(answer: Answer, rightful: Answer | None = None) -> list[str]:
    """Why a request with a bad token was not refused (RFC 6750, 3.1): 401, and nothing of the page."""
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return [f"expected HTTP 401, saw {answer.status}: {shortened(answer.text, 120)}"]
    page = _json(rightful) if rightful is not None and rightful.status == HTTPStatus.OK else None
    shown = [word for word in _words(page) if word in answer.text]
    return [f"refused, and shown what is the user's: {len(shown)} words of the page"] if shown else []


def shut(answer: Answer, rightful: Answer, method: str = "GET") -> list[str]:
    """Why a request by another spelling or method got in: what it got is what is behind the door.

    A page that is given for each missing path does not count, nor does what OPTIONS says of itself.
    """
    if answer.status not in SUCCESS:
        return []
    if method == "HEAD":
        inside = _type(answer) == _type(rightful)
    elif method in {"GET", "OPTIONS"}:
        inside = _alike(_json(answer), _json(rightful)) or any(
            word in answer.text for word in _words(_json(rightful))
        )
    else:
        inside = True  # it was done, with any answer
    return [f"HTTP {answer.status}: {shortened(answer.text, 120) or 'let in'}"] if inside else []


def spellings(path: str) -> tuple[str, ...]:
    """Ways to write a path that some proxies and applications take for the same."""
    first, _, rest = path[1:].partition("/")
    return (
        f"{path}/",
        path.upper(),
        f"/{first.capitalize()}/{rest}",
        f"/{first}//{rest}",
        f"/{first}/%{ord(rest[0]):02x}{rest[1:]}",
        f"{path}/.",
        f"{path};x=1",
    )


def administrator_enters(answers: Sequence[Answer]) -> list[str]:
    """Otherwise a door that is shut for all would look well guarded. Nothing behind it is unwell."""
    return list(dict.fromkeys(of_each(answers, _behind_the_door)))


def _behind_the_door(answer: Answer) -> list[str]:
    room, said = content(answer)
    if said:
        return said
    found = complaints(room)
    if isinstance(room, dict) and not is_well(status := room.get("status", "healthy")):
        found.append(f"status {status!r}, expected 'healthy'")
    return found


def turned_away(answers: Sequence[Answer], status: HTTPStatus) -> list[str]:
    """A known user who may not enter gets 403, an unknown one 401 (RFC 9110, 15.5)."""
    seen = sorted({answer.status for answer in answers} - {status})
    if not answers:
        return [NO_ANSWER]
    return [f"expected HTTP {status}, saw {', '.join(map(str, seen))}"] if seen else []


def bad_tokens_refused(api: Together, tokens: BadTokens, pages: Sequence[str]) -> list[str]:
    """Each is tried once on each page, by GET."""
    rightful = {page: api.get(page, who=_rightful(page)) for page in pages}
    knocks = [Knock(page, token) for token in tokens.tried for page in pages]
    shut = [
        f"{_rightful(page)}, GET {page}: HTTP {answer.status}: that others are refused proves nothing"
        for page, answer in rightful.items()
        if answer.status != HTTPStatus.OK
    ]
    return shut + [
        f"{knock}: {fault}"
        for knock, answer in zip(knocks, api.knock(knocks), strict=True)
        for fault in refused(answer, rightful[knock.path])
    ]


def bad_tokens_write_nothing(api: Together, tokens: BadTokens) -> list[str]:
    """What would be done for a good token; on staging alone."""
    knocks = [
        Knock(path, token, method, BODIES.get(path, "{}"))
        for token in tokens.tried
        for method, path in KNOCKS
    ]
    return [
        f"{knock}: HTTP {answer.status}, expected a refusal"
        for knock, answer in zip(knocks, api.knock(knocks), strict=True)
        if answer.status in SUCCESS
    ]


def doors_shut(api: Together, tokens: BadTokens) -> list[str]:
    """By other spellings and other methods, on staging alone: for strangers, forgers and, at DOOR, users."""
    strangers: list[Person] = [None, _boldest(tokens)]
    found = []
    for page in (DOOR, *PAGES):
        rightful = api.get(page, who=_rightful(page))
        persons: list[Person] = [*strangers, "test_token"] if page == DOOR else strangers
        knocks = [
            Knock(path, person, method, "{}" if method in {"POST", "PUT"} else "")
            for person in persons
            for method, path in _ways(page, person)
        ]
        found += [
            f"{knock}: {fault}"
            for knock, answer in zip(knocks, api.knock(knocks), strict=True)
            for fault in shut(answer, rightful, knock.method)
        ]
    return found


def _rightful(page: str) -> Who:
    return "admin_token" if page == DOOR else "test_token"


def _ways(page: str, person: Person) -> Iterator[tuple[str, str]]:
    yield from (("GET", spelling) for spelling in spellings(page))
    yield from [("HEAD", page)] * (LOOKS if person == "test_token" else 1)  # each pod may have its own guard
    yield "OPTIONS", page
    yield from ((method, path) for method, path in KNOCKS if path == page)


def _boldest(tokens: BadTokens) -> BadToken:
    """The one that says that it is an administrator's, where there is one."""
    return next((token for token in tokens.tried if token.name == "another user"), tokens.tried[0])


def _type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().casefold()


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except AssertionError:
        return None


def _alike(one: Any, other: Any) -> bool:
    """Whether two documents have the same shape: half of the names of the one behind the door."""
    if isinstance(one, dict) and isinstance(other, dict):
        return bool(other) and 2 * len(one.keys() & other.keys()) >= len(other)
    return isinstance(one, list) and isinstance(other, list)


def _words(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [word for value in document.values() for word in _words(value)]
    if isinstance(document, list):
        return [word for value in document for word in _words(value)]
    return [document] if isinstance(document, str) and len(document) >= OWN and not document.isalpha() else []
