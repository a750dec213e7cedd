"""Science that is new on each hold: how each answer is followed, and when it is wrong."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from load.answers import JOB_SECONDS
from load.drawn import Question
from load.new_jobs import TRIES, Ended, answered


@dataclass
class Said:
    """One answer."""

    status: int = 200
    document: Any = None
    error: str = ""
    date: str = ""

    def json(self) -> Any:
        if self.document is None:
            raise ValueError
        return self.document

    def header(self, name: str) -> str | None:
        return {"date": self.date}.get(name) or None


@dataclass
class Target:
    """Answers to one request after the other, the last for ever; a pause takes a quarter of a second."""

    posts: list[Said]
    looks: list[Said] = field(default_factory=list)
    posted: int = 0
    looked: int = 0
    seconds: float = 100.0

    def post(self, _: Question) -> Said:
        self.posted += 1
        return self.posts.pop(0) if self.posts[1:] else self.posts[0]

    def look(self, _: str) -> Said:
        self.looked += 1
        return self.looks.pop(0) if self.looks[1:] else self.looks[0]

    def pause(self) -> None:
        self.seconds += 0.25

    def now(self) -> float:
        return self.seconds


QUESTION = Question("/xtb/v1", {"molecule": "3\n"}, (-5.072, -5.068))
RIGHT = {"status": "completed", "result": {"energy": -5.0704}}
TAKEN = Said(202, {"job_id": "7", "status": "queued"})
QUEUED = Said(200, {"job_id": "7", "status": "queued"})


def ask(*posts: Said, looks: tuple[Said, ...] = ()) -> Ended:
    """Of a test that began a minute and 40 seconds ago."""
    return answered(QUESTION, Target(list(posts), list(looks)), 0.0)


def completed(**more: object) -> Said:
    return Said(200, RIGHT | more)


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("posts", "looks"),
    [
        pytest.param([completed()], [], id="at once"),
        pytest.param([Said(200, {"energy": -5.07})], [], id="no job at all"),
        pytest.param([TAKEN], [QUEUED, Said(200, {"status": "running"}), completed()], id="followed"),
        pytest.param([TAKEN], [Said(404, {"error": "no such job"}), completed()], id="not there yet"),
        pytest.param([TAKEN], [Said(0, error="reset"), completed()], id="a look that failed"),
        pytest.param([Said(404, {"error": "?"}), Said(0, error="timeout"), TAKEN], [completed()], id="third"),
        pytest.param([completed(finished_at="2026-01-01T00:00:00")], [], id="of a zone that nobody knows"),
        pytest.param([completed(finishedAt="yesterday", created_at=None)], [], id="no time"),
        pytest.param([completed(error=None, created_at=10**400)], [], id="nothing said"),
        pytest.param([completed(user={"joined_at": "2020-01-01T00:00:00Z"})], [], id="another time"),
        pytest.param(
            [replace(completed(created_at="2031-05-05T12:00:00Z"), date="Mon, 05 May 2031 12:00:09 GMT")],
            [], id="by the target's clock",
        ),
    ],
)  # fmt: skip
def test_right(posts: list[Said], looks: list[Said]) -> None:
    assert ask(*posts, looks=tuple(looks)).wrong == ""


@pytest.mark.parametrize(("time", "seconds"), [("finished_at", 3), ("created_at", 130)])
def test_right_by_its_time(time: str, seconds: float) -> None:
    """A moment ago, or by another clock; as of now, and not of when the tests were collected."""
    assert ask(completed(**{time: ago(seconds=seconds)})).wrong == ""


OLD = ago(hours=26)
EPOCH = datetime.now(UTC).timestamp() - 90000


@pytest.mark.parametrize(
    ("posts", "looks", "why"),
    [
        pytest.param([Said(500, {"error": "no"})], [], 'HTTP 500: {"error": "no"}', id="500"),
        pytest.param([Said(500), TAKEN], [completed()], "HTTP 500", id="500, and not the next time"),
        pytest.param([Said(429, {})], [], "HTTP 429", id="limiter"),
        pytest.param(
            [Said(400, error="client certificate")], [], "no answer: client certificate", id="mTLS"
        ),
        pytest.param([Said(422, {"error": "no XYZ"})], [], "HTTP 422", id="422"),
        pytest.param([Said(0, error="refused")], [], "no answer: refused", id="no answer"),
        pytest.param([TAKEN], [QUEUED], "no result within 60 s: its job is queued", id="no worker"),
        pytest.param([TAKEN], [Said(404)], "no result within 60 s: HTTP 404", id="never there"),
        pytest.param([TAKEN], [Said(503)], "HTTP 503", id="look 503"),
        pytest.param([TAKEN], [Said(429)], "HTTP 429", id="look 429"),
        pytest.param(
            [TAKEN], [Said(200, {"status": "failed", "error": "xtb is not installed"})],
            "its job ended otherwise: .*xtb is not installed", id="failed",
        ),
        pytest.param([TAKEN], [Said(200)], "its job ended otherwise", id="no JSON"),
        pytest.param([TAKEN], [Said(200, {"status": ["completed"]})], "ended otherwise", id="a list"),
        pytest.param([Said(202, {"job_id": "../x"})], [], "accepted without a job_id", id="no id"),
        pytest.param([Said(202)], [], "accepted without a job_id", id="no document"),
        pytest.param([Said(200, {"energy": -4.4262})], [], "-5.072 to -5.068, saw -4.4262", id="wrong"),
        pytest.param([Said(200, {"energy": 0})], [], "saw 0", id="nothing"),
        pytest.param([Said(200, {"energy": "-5.07"})], [], "saw None", id="a text"),
        pytest.param([Said(200, {"energy": True})], [], "saw None", id="no number"),
        pytest.param([Said(200, {"energy": -(10**400)})], [], "saw None", id="too large"),
        pytest.param([completed(error="did not converge")], [], "it says error: did not", id="error"),
        pytest.param(
            [completed(finished_at=OLD)], [], r"computed (9[3-9]|1\d\d)\d\d\d s before", id="yesterday"
        ),
        pytest.param([completed(job={"createdAt": OLD})], [], "before the test began", id="created"),
        pytest.param([TAKEN], [completed(queued_at=EPOCH)], "before the test began", id="seconds"),
        pytest.param([completed(startedAt=EPOCH * 1000)], [], "before the test began", id="milliseconds"),
        pytest.param(
            [replace(completed(ended_at="2031-05-05T12:00:00Z"), date="Mon, 05 May 2031 13:00:00 GMT")],
            [], "computed 3500 s before", id="by the target's clock",
        ),
    ],
)  # fmt: skip
def test_wrong(posts: list[Said], looks: list[Said], why: str) -> None:
    ended = ask(*posts, looks=tuple(looks))

    assert ended.wrong
    assert re.search(why, ended.wrong), ended


def test_secrets_of_an_answer_are_not_kept() -> None:
    ended = ask(Said(500, {"error": "postgresql://nox:hunter2hunter2@db/nox refused"}))

    assert "hunter2" not in ended.wrong


def test_no_worker_is_waited_for_a_minute() -> None:
    target = Target([TAKEN], [QUEUED])

    answered(QUESTION, target, 0.0)

    assert target.seconds - 100 == pytest.approx(JOB_SECONDS, abs=0.5)


def test_refusals_are_asked_again_a_few_times() -> None:
    target = Target([Said(404)])
    answered(QUESTION, target, 0.0)

    assert target.posted == TRIES
