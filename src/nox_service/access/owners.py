"""Whose profile and history an answer has: only those of the user of the token."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from nox_service.access.tokens import subject_of
from nox_service.api import ApiClient
from nox_service.pages import HISTORY, NAMES, PROFILE, plain
from noxgate.look.http import Answer
from noxgate.look.observation import few, shortened
from noxgate.project.credentials import web_token
from noxgate.project.target import Target

CALLED = NAMES | {"user"}
OWNERS = frozenset({"userid", "uid", "sub", "subject", "accountid", "owner", "ownerid", "user", "createdby"})
AROUND = frozenset({"user", "profile", "account", "data", "result", "me", "attributes", "identity"})
ANSWER = "the answer has them"
ENTRY = frozenset({"id", "jobid", "uuid"})


def faults(api: ApiClient, target: Target) -> list[str]:
    """Why the test user does not get their own profile and history.

    Histories need not say whose they are: then an administrator's is another one, where there is a token.
    """
    subject = subject_of(target)
    profile = api.get(PROFILE, who="test_token")
    history = api.get(HISTORY, who="test_token")
    if wrong := [f"{path}: {said}" for path, said in _unlike_pages({PROFILE: profile, HISTORY: history})]:
        return wrong
    others = api.get(HISTORY, who="admin_token") if "admin_token" in target.credentials else None
    is_another = others is not None and others.status == HTTPStatus.OK and subject != _other(target)
    return [
        *profile_faults(profile, subject),
        *history_faults(history, profile, subject, others if is_another else None),
    ]


def profile_faults(profile: Answer, subject: str) -> list[str]:
    """Why it is not the profile of that user."""
    names = _names(profile.json())
    if subject in names:
        return []
    seen = ", ".join(few(sorted(name for name in names if "@" not in name), 5, ANSWER)) or "no name"
    otherwise = "if that is how the API calls this user, say so in the profile: test_subject"
    return [f"expected the profile of the token's subject {subject!r}, saw {seen} ({otherwise})"]


def history_faults(history: Answer, profile: Answer, subject: str, others: Answer | None = None) -> list[str]:
    """Why it is not that user's history: entries of somebody else, or the very ones that another one has."""
    own = {subject, *_names(profile.json())}
    strange = sorted({owner for owner in _owners(history.json()) if owner not in own})
    if strange:
        return [
            f"expected the history of {subject!r} alone, saw entries of {', '.join(few(strange, 5, ANSWER))}"
        ]
    ours = dict(_entries(history.json()))
    theirs = {} if others is None else dict(_entries(others.json()))
    same = [name for name, entry in ours.items() if _is_one(entry, theirs.get(name, {}))]
    if same and ours.keys() == theirs.keys():
        return [f"another user has the very same {len(same)} entries: whose are they?"]
    return []


def _is_one(entry: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether most is said alike of two entries of one name: an address may be made anew for each answer."""
    fields = {key for key in {*entry, *other} if plain(key) not in ENTRY}
    return 2 * sum(entry.get(key) == other.get(key) for key in fields) > len(fields) or entry == other


def _unlike_pages(answers: Mapping[str, Answer]) -> Iterator[tuple[str, str]]:
    for path, answer in answers.items():
        if answer.status != HTTPStatus.OK:
            yield path, f"HTTP {answer.status}: {shortened(answer.text, 120)}"


def _other(target: Target) -> str:
    """Whose the administrator's token is; empty if it does not say."""
    return web_token.subject_of(target.credential("admin_token").reveal())


def _names(document: Any) -> set[str]:
    """What says whose profile it is: on top, or in what is only around it."""
    if not isinstance(document, dict):
        return set()
    found = {
        str(value)
        for key, value in document.items()
        if plain(key) in CALLED and isinstance(value, str | int) and not isinstance(value, bool)
    }
    return found.union(*(_names(value) for key, value in document.items() if plain(key) in AROUND))


def _owners(document: Any) -> Iterator[str]:
    for key, value in _pairs(document):
        if key not in OWNERS:
            continue
        if isinstance(value, dict):
            yield from (str(one) for name, one in value.items() if plain(name) == "id")
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)


def _entries(document: Any) -> Iterator[tuple[str, Any]]:
    """Name -> all that is said of it: an API may number each user's from one."""
    if isinstance(document, list):
        for each in document:
            yield from _entries(each)
    if isinstance(document, dict):
        for key, value in document.items():
            if plain(key) in ENTRY and isinstance(value, str | int):
                yield str(value), document
            yield from _entries(value)


def _pairs(document: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(document, list):
        for each in document:
            yield from _pairs(each)
    if isinstance(document, dict):
        for key, value in document.items():
            yield plain(key), value
            yield from _pairs(value)
