"""What is wrong with an answer of the API: the same in every phase, a line for each fault.

Read as people's health answers are: {"status": "ok"}, Spring Boot's components, the checks of
application/health+json (draft-inadarei-api-health-check), NestJS' details, ASP.NET's entries.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from noxgate.look.http import Answer
from noxgate.look.observation import shortened

READY = frozenset(
    {"200", "alive", "available", "green", "healthy", "ok", "okay", "pass", "passed", "passing", "ready"}
    | {"running", "serving", "success", "true", "up", "warn"}
)
# First words of what a part says that is not well.
_ILL = frozenset(
    {"broken", "closed", "critical", "dead", "degraded", "disconnected", "down", "error", "errored", "fail"}
    | {"failed", "failing", "failure", "false", "loading", "not", "offline", "out", "refused", "starting"}
    | {"stopped", "timeout", "timed", "unavailable", "unhealthy", "unreachable", "unready", "no"}
)
_STATES = frozenset({"status", "state", "health", "result", "outcome"})
_SAYS = ("status", "state", "health", "ready")  # of an answer as a whole
_PARTS = frozenset({"checks", "components", "dependencies", "details", "entries", "info", "services"})
_NAMES = re.compile(r"alive|cache|connected|database|db|healthy|ok|postgres\w*|queue|ready|redis|workers?")
_COMPLAINTS = frozenset(
    {"degraded", "down", "error", "errors", "failed", "failing", "failures", "problems", "unhealthy"}
    | {"draining", "maintenance", "read_only", "readonly", "shutting_down"}
)
_CACHES = ("x-cache", "x-cache-status", "x-proxy-cache", "cf-cache-status", "cache-status", "x-varnish-cache")
_STORED = re.compile(r"(?<![\w-])(?:hit|stale|updating|revalidated)(?![\w-])", re.IGNORECASE)


def health(answers: Iterable[Answer]) -> list[str]:
    """The status is the whole word: a `degraded` with HTTP 200 is not healthy. Nothing else complains."""
    return [fault for answer in answers for fault in _health(answer)]


def ready(answers: Iterable[Answer]) -> list[str]:
    """HTTP 200, and a body that says as much: JSON without a complaint, or a word."""
    return [fault for answer in answers for fault in _ready(answer)]


def version(answers: Iterable[Answer], expected: str) -> list[str]:
    """Exactly that version, and nothing beside it that complains."""
    return [fault for answer in answers for fault in _version(answer, expected)]


def content(answer: Answer, *statuses: int) -> tuple[Any, list[str]]:
    """The JSON of an answer, and why it is none: its status, nothing in it, an error with a good one.

    Without `statuses` it has to be 200.
    """
    if answer.status not in (statuses or {HTTPStatus.OK}):
        return None, [not_ok(answer)]
    try:
        document = answer.json()
    except AssertionError as error:
        return None, [str(error)]
    if not isinstance(document, dict | list):
        return None, [f"expected a JSON object or list, saw {shortened(answer.text)}"]
    if document == {}:
        return document, ["expected something, saw {}"]
    if isinstance(document, dict) and "error" in document:
        return document, [f"an error with HTTP {answer.status}: {document['error']!r}"]
    return document, []


def cached(answer: Answer) -> list[str]:
    """Whether a cache gave it: then it says how things were (RFC 9111, 5.1; RFC 9211).

    Some caches say `Age: 0` of what they have just fetched.
    """
    age = answer.headers.get("age", "").strip()
    found = [f"from a cache: Age {age}"] if age.isdigit() and int(age) else []
    found += [
        f"from a cache: {name}: {shortened(answer.headers[name], 60)}"
        for name in _CACHES
        if _STORED.search(answer.headers.get(name, ""))
    ]
    return found


def complaints(document: Any) -> list[str]:
    """What an answer says against itself, at any depth."""
    return [f"it says {shortened(said, 120)}" for said in _complaints(document, in_parts=False)]


def open_to_any_origin(answer: Answer, origin: str) -> list[str]:
    """Whether a page of `origin` may read, as its user, what was asked with that Origin (Fetch, 3.3)."""
    allowed = answer.headers.get("access-control-allow-origin", "").strip()
    with_credentials = answer.headers.get("access-control-allow-credentials", "").strip() == "true"
    if with_credentials and allowed in {origin, "*", "null"}:
        return [f"any origin may read it with the user's credentials: Access-Control-Allow-Origin {allowed}"]
    return []


def not_ok(answer: Answer) -> str:
    """A status that it should not have, and what was said with it."""
    return f"HTTP {answer.status}: {shortened(answer.text) or 'an empty body'}"


def _health(answer: Answer) -> Iterator[str]:
    if answer.status != HTTPStatus.OK:
        yield not_ok(answer)
        return
    word = answer.field("status", str)
    if word != "healthy":
        yield f"status {word!r}, expected 'healthy'"
    yield from complaints(answer.json())
    yield from cached(answer)


def _ready(answer: Answer) -> Iterator[str]:
    if answer.status != HTTPStatus.OK:
        yield not_ok(answer)
        return
    yield from cached(answer)
    if not answer.text.strip() or _word(answer.text) in READY:
        return
    document = answer.json()
    if isinstance(document, dict):
        for name in _SAYS:
            word = document.get(name)
            if isinstance(word, str | int) and word is not False and _word(word) not in READY:
                yield f"{name} {word!r}, expected a word like 'ready'"
        yield from complaints(document)
    elif document is not True:
        yield f"expected a JSON object, saw {shortened(answer.text)}"


def _version(answer: Answer, expected: str) -> Iterator[str]:
    if answer.status != HTTPStatus.OK:
        yield not_ok(answer)
        return
    seen = answer.field("version", str)
    if seen != expected:
        yield f"version {seen!r}, expected {expected!r}"
    yield from complaints(answer.json())
    yield from cached(answer)


def _complaints(document: Any, *, in_parts: bool) -> Iterator[str]:
    if isinstance(document, list):
        for each in document:
            yield from _complaints(each, in_parts=in_parts)
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        name = key.casefold().replace("-", "_")
        if isinstance(value, dict | list):
            if name in _COMPLAINTS and value:
                yield f"{key}: {value}"
            else:
                yield from _complaints(value, in_parts=name in _PARTS)
        elif name in _COMPLAINTS:
            if value and _word(value) not in {"false", "no", "none", "0"}:
                yield f"{key}: {value!r}"
        elif (name in _STATES or in_parts or _NAMES.fullmatch(name)) and _is_ill(value):
            yield f"{key}: {value!r}"


def _is_ill(value: Any) -> bool:
    if value is False:
        return True
    words = _word(value).split() if isinstance(value, str) else []
    return bool(words) and (words[0] in _ILL or words[-1] == "refused")


def _word(value: Any) -> str:
    """As people write it in one case: `Not_Ready: redis` is `not ready redis`."""
    return " ".join(re.findall(r"\w+", str(value).casefold().replace("_", " ")))
