"""What is wrong with an answer of the API: the same in every phase, a line for each fault.

Read as people's health answers are: {"status": "ok"}, Spring Boot's components, the checks of
application/health+json (draft-inadarei-api-health-check), NestJS' details, ASP.NET's entries.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from noxgate.look.http import Answer
from noxgate.look.observation import shortened
from noxgate.look.wording import in_words
from noxgate.systems.http.caches import cached

READY = frozenset(
    {"200", "alive", "available", "green", "healthy", "ok", "okay", "pass", "passed", "passing", "ready"}
    | {"running", "serving", "success", "true", "up", "warn"}
)
# First words of what a part says that is not well.
_ILL = frozenset(
    {"broken", "closed", "connecting", "crashed", "critical", "dead", "degraded", "disconnected", "down"}
    | {"error", "errored", "exited", "fail", "failed", "failing", "failure", "false", "initialising"}
    | {"initializing", "ko", "loading", "migrating", "no", "nok", "not", "offline", "out", "pending"}
    | {"reconnecting", "refused", "starting", "stopped", "timed", "timeout", "unavailable", "unhealthy"}
    | {"unreachable", "unready", "warming"}
)
_NOBODY = re.compile(r"0\s*(?:/|of\b)\s*[1-9]")  # 0 of 3 running
# Said of anything, by itself: `"celery": "down"`.
_ILL_ALONE = frozenset({"degraded", "disconnected", "down", "unavailable", "unhealthy", "unreachable"})
_STATES = frozenset({"status", "state", "health", "result", "outcome"})
_SAYS = ("status", "state", "health", "ready")  # of an answer as a whole
_PARTS = frozenset({"checks", "components", "dependencies", "details", "entries", "services"})
_KNOWN = frozenset(
    {"broker", "cache", "database", "db", "postgres", "postgresql", "queue", "redis", "storage", "worker"}
    | {"workers", "connected", "alive", "healthy", "ok", "ready"}
)
# Last words of what is true of a part that is well: redis_ok, databaseConnected, isReady.
_WELL = frozenset({"alive", "connected", "healthy", "ok", "reachable", "ready", "success"})
_WELL_IF_KNOWN = frozenset({"available", "online", "up"})  # of others it is a feature: gpu_available
_COMPLAINTS = frozenset(
    {"degraded", "down", "error", "errors", "failed", "failing", "failures", "problem", "problems"}
    | {"unhealthy", "draining", "maintenance", "read_only", "readonly", "shutting_down"}
)
# Lists of parts: failedChecks, degraded_services.
_OF_PARTS = frozenset({"broken", "degraded", "failed", "failing", "unavailable", "unhealthy"})
_COUNTED = frozenset(  # what is done there fails now and then, and is counted
    {"counts", "emails", "job", "jobs", "logins", "messages", "queue", "queues", "requests", "runs", "stats"}
    | {"statistics", "tasks", "totals", "metrics", "counters", "builds", "attempts"}
)
_BEFORE = frozenset({"last", "previous"})  # last_backup: how it went then
_REFUSED = frozenset({"error", "fail", "failed", "failure"})  # of an answer as a whole, as JSend has it
_BAD_CODES = range(400, 600)
NO_ANSWER = "expected an answer, saw none"


def health(answers: Sequence[Answer]) -> list[str]:
    """The status is the whole word: a `degraded` with HTTP 200 is not healthy. Nothing else complains."""
    return of_each(answers, _health)


def ready(answers: Sequence[Answer]) -> list[str]:
    """HTTP 200, and a body that says as much: JSON without a complaint, or a word."""
    return of_each(answers, _ready)


def version(answers: Sequence[Answer], expected: str) -> list[str]:
    """Exactly that version, and nothing beside it that complains."""
    return of_each(answers, lambda answer: _version(answer, expected))


def of_each(answers: Sequence[Answer], look: Callable[[Answer], Iterable[str]]) -> list[str]:
    """What is wrong with these answers; without any, that too: nothing was proven."""
    return [fault for answer in answers for fault in look(answer)] if answers else [NO_ANSWER]


def content(answer: Answer, *statuses: int) -> tuple[Any, list[str]]:
    """The JSON of an answer, and why it does not count: its status, no body, an error with a good status.

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
    return document, [f"an error with HTTP {answer.status}: {said}" for said in refusals(document)]


def refusals(document: Any) -> list[str]:
    """What an answer says to have gone wrong as a whole, in the envelopes that people use.

    `"error": null` says that nothing did; a list of jobs of which one failed is a good answer.
    """
    if not isinstance(document, dict):
        return []
    found = [f"{document[key]!r}" for key in ("error", "errors") if document.get(key)]
    found += [f"{key} False" for key in ("success", "ok") if document.get(key) is False]
    status = document.get("status")
    if isinstance(status, str) and status.casefold() in _REFUSED:
        found.append(f"status {status!r}")
    for key in ("status", "code", "status_code", "statusCode"):
        code = document.get(key)
        if isinstance(code, int) and code in _BAD_CODES:
            found.append(f"{key} {code}")
    return found


def complaints(document: Any) -> list[str]:
    """What an answer says against itself, at any depth."""
    return [f"it says {shortened(said, 120)}" for said in _complaints(document)]


def unwell(answer: Answer) -> list[str]:
    """What an answer of JSON says against itself, and against being one of now."""
    return complaints(answer.json()) + cached(answer)


def open_to_any_origin(answer: Answer, origin: str) -> list[str]:
    """Whether a page of `origin` may read, as its user, what was asked with that Origin (Fetch, 3.3)."""
    allowed = answer.headers.get("access-control-allow-origin", "").strip()
    with_credentials = answer.headers.get("access-control-allow-credentials", "").strip() == "true"
    if with_credentials and allowed in {origin, "*", "null"}:
        return [f"any origin may read it as the user: Access-Control-Allow-Origin {allowed}"]
    return []


def is_well(value: Any) -> bool:
    """Whether a word says that all is well."""
    return _word(value) in READY


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
    yield from unwell(answer)


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
    yield from unwell(answer)


def _complaints(document: Any, above: str = "") -> Iterator[str]:
    """`above`: the key under which it stands."""
    if isinstance(document, list):
        for each in document:
            yield from _complaints(each, above)
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        name = _spelled(key)
        words = name.split("_")
        if words[0] in _BEFORE:
            continue
        if isinstance(value, dict | list):
            if (name in _COMPLAINTS or _are_parts(words)) and _says_anything(value):
                yield f"{key}: {in_words(value)}"
            else:
                yield from _complaints(value, name)
        elif _is_said(value, above) if name in _COMPLAINTS else _is_ill(value, words, above):
            yield f"{key}: {value!r}"


def _is_said(value: Any, above: str) -> bool:
    """Whether a complaint is made; a number of jobs that failed is not one."""
    is_count = type(value) is int and not _COUNTED.isdisjoint(above.split("_"))
    return bool(value) and not is_count and _word(value) not in {"false", "no", "none", "0"}


def _are_parts(words: Sequence[str]) -> bool:
    return bool(_OF_PARTS & {*words}) and words[-1] not in _COUNTED


def _says_anything(value: Any) -> bool:
    """More than zeros: {"4xx": 0, "5xx": 0} counts no error."""
    if isinstance(value, dict):
        return any(map(_says_anything, value.values()))
    if isinstance(value, list):
        return any(map(_says_anything, value))
    return bool(value)


def _is_ill(value: Any, words: Sequence[str], above: str) -> bool:
    known, in_parts, alone = bool(_KNOWN & {*words}), above in _PARTS, len(words) == 1
    if value is False:
        of_known = known or not _KNOWN.isdisjoint(above.split("_"))
        good = words[-1] in _WELL or (of_known and words[-1] in _WELL_IF_KNOWN)
        return "not" not in words and (good or (known and (in_parts or alone)))
    said = _word(value).split() if isinstance(value, str) else []
    if len(said) == 1 and said[0] in _ILL_ALONE:
        return True
    if said == ["closed"] and words[-1] == "state":
        return False  # of a circuit breaker it is the good one
    if not said or not (in_parts or words[-1] in _STATES | _WELL or (known and alone)):
        return False
    return said[0] in _ILL or said[-1] == "refused" or _NOBODY.match(value.strip()) is not None


def _spelled(key: str) -> str:
    """DatabaseConnected and database-connected are one: database_connected."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).casefold().replace("-", "_")


def _word(value: Any) -> str:
    """As people write it in one case: `Not_Ready: redis` is `not ready redis`."""
    return " ".join(re.findall(r"\w+", str(value).casefold().replace("_", " ")))
