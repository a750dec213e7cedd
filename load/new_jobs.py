"""Asks for science that is new, follows its job to the end, and judges its result.

Nothing here knows gevent or HTTP: what asks is given to it.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from load.answers import COMPLETED, DONE, JOB_ID, JOB_SECONDS, TAKEN, TAKEN_ON, UNDER_WAY, numbers, within
from load.drawn import Question

from noxgate.look.documents import is_too_deep
from noxgate.look.observation import shortened
from noxgate.look.secret_forms import redacted
from noxgate.slo.holds import NO_CERTIFICATE

TRIES = 5  # at a request that has no answer, or a 4xx: how often that happens is for the SLOs
REFUSED = 500
LIMITED = 429
SLACK = 60.0  # seconds that the clocks of a target's parts may be apart
SHOWN = 120  # characters of a target's own words
MILLISECONDS = 1e11  # a larger number is not seconds since 1970


@dataclass(frozen=True)
class Ended:
    """What came of it: the number that was right, the last status (0: no answer), and why it is wrong."""

    value: float | None
    status: int
    wrong: str = ""


class Answer(Protocol):
    """As the engine's."""

    status: int

    @property
    def error(self) -> str: ...
    def json(self) -> Any: ...
    def header(self, name: str) -> str | None: ...


class Line(Protocol):
    """How a target is asked."""

    def post(self, question: Question) -> Answer: ...
    def look(self, job_id: str) -> Answer: ...
    def pause(self) -> None: ...
    def now(self) -> float: ...


def answered(question: Question, line: Line, began: float) -> Ended:
    """Ask, follow the job to its end, judge its result; `began`: when the test did, as `line.now` has it."""
    until = line.now() + JOB_SECONDS
    answer = line.post(question)
    for _ in range(TRIES - 1):
        if answer.status in TAKEN or _for_good(answer):
            break
        line.pause()
        answer = line.post(question)
    if answer.status not in TAKEN:
        return Ended(None, answer.status, _no_answer(answer))
    if answer.status == TAKEN_ON:
        job_id = str(_object(answer).get("job_id", ""))
        if not JOB_ID.fullmatch(job_id):
            return Ended(None, answer.status, f"accepted without a job_id: {_words(_object(answer))}")
        answer, wrong = _followed(job_id, line, until)
        if wrong:
            return Ended(None, answer.status, wrong)
    return _judged(question, answer, line.now() - began)


def _followed(job_id: str, line: Line, until: float) -> tuple[Answer, str]:
    """The answer that has the job's result; or the last one, and why the result is missing."""
    while True:
        line.pause()
        answer = line.look(job_id)
        seen = _no_answer(answer)
        if answer.status == DONE:
            document = _object(answer)
            state = document.get("status")
            if state == COMPLETED:
                return answer, ""
            seen = f"its job is {state}"
            if state not in UNDER_WAY:
                return answer, f"its job ended otherwise: {_words(document)}"
        if _for_good(answer):
            return answer, seen
        if line.now() >= until:
            return answer, f"no result within {JOB_SECONDS:g} s: {seen}"


def _for_good(answer: Answer) -> bool:
    """Asking again would hide it."""
    return answer.status == LIMITED or answer.status >= REFUSED


def _judged(question: Question, answer: Answer, lasted: float) -> Ended:
    document = _object(answer)
    if document.get("error"):
        return Ended(None, answer.status, f"it says error: {_words(document['error'])}")
    value = within(document, question.bounds)
    if value is None:
        low, high = question.bounds
        nearest = min(numbers(document), key=lambda one: abs(one - (low + high) / 2), default=None)
        return Ended(None, answer.status, f"expected {low:.6g} to {high:.6g}, saw {nearest}")
    before = max(_ages(answer, document), default=0.0) - lasted
    if before > SLACK:
        return Ended(value, answer.status, f"computed {before:.0f} s before the test began")
    return Ended(value, answer.status)


# created_at, finishedAt, …: what a job says of itself
_WHEN = re.compile(
    r"(?:created|submitted|queued|started|finished|completed|computed|ended)_?at", re.IGNORECASE
)


def _ages(answer: Answer, document: Any) -> Iterator[float]:
    """How many seconds ago a job was asked for or ended, by the target's own clock where it says the time."""
    here = datetime.now(UTC)
    with suppress(ValueError, TypeError):
        here = parsedate_to_datetime(answer.header("date") or "")
    for moment in _moments(document):
        yield here.timestamp() - moment


def _moments(document: Any) -> Iterator[float]:
    if isinstance(document, list):
        for part in document:
            yield from _moments(part)
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        if isinstance(value, dict | list):
            yield from _moments(value)
        elif _WHEN.fullmatch(key):
            if isinstance(value, str):
                with suppress(ValueError):
                    moment = datetime.fromisoformat(value)
                    if moment.tzinfo is not None:  # the zone of another is unknown
                        yield moment.timestamp()
            else:
                yield from (one / 1000 if one > MILLISECONDS else one for one in numbers(value))


def _object(answer: Answer) -> dict[str, Any]:
    """What was answered; empty if it is not a JSON object."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) and not is_too_deep(document) else {}


def _no_answer(answer: Answer) -> str:
    said = _words(_object(answer)) if _object(answer) else ""
    if not answer.status or answer.error == NO_CERTIFICATE:
        return f"no answer: {answer.error}"
    return f"HTTP {answer.status}{said and f': {said}'}"


def _words(said: Any) -> str:
    return shortened(redacted(said if isinstance(said, str) else json.dumps(said)), SHOWN)
