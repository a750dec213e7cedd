"""New science on each hold, asked by the process that leads: beside the users, and counted apart."""

from collections.abc import Callable
from random import SystemRandom

import gevent  # type: ignore[import-untyped]
from load.answers import JOB_SECONDS, LOOK_AGAIN, TAKEN
from load.drawn import Question, prepared
from load.new_jobs import answered

from noxgate.slo.plan import Plan
from noxgate.slo.result import NewJob
from noxgate_load.course import Course
from noxgate_load.engine import endpoint
from noxgate_load.http.client import HttpClient
from noxgate_load.http.exchange import Answer, call
from noxgate_load.samples import Totals, clock, wall

CONNECT = 5.0  # seconds
LONGEST = JOB_SECONDS + 60  # that one is waited for; it gives up by itself before that

Mistake = Callable[[BaseException], None]


class NewJobs:
    """What is to be asked, drawn before the first request; `done` is what came of it."""

    def __init__(self, plan: Plan, token: str, mistake: Mistake) -> None:
        self._plan = plan
        self._token = token
        self._mistake = mistake
        self._began = clock()
        self._left = prepared(plan.ramp, SystemRandom())  # never a series that was drawn before
        self._asking: list[gevent.Greenlet] = []
        self.done: list[NewJob] = []

    def look(self, course: Course) -> None:
        """Ask what is due on the hold that there is now."""
        if not course.holding:
            return
        hold = course.level.name(course.number)
        into = wall(clock()) - course.holding
        left = self._left[hold]
        while left and left[0][0] <= into:
            _, question = left.pop(0)
            asking = gevent.spawn(self._ask, hold, question)
            asking.link_exception(lambda ended: self._mistake(ended.exception))
            self._asking.append(asking)

    def wait(self) -> None:
        """Until all that was asked has ended."""
        gevent.joinall(self._asking, timeout=LONGEST)
        gevent.killall(self._asking)

    def _ask(self, hold: str, question: Question) -> None:
        line = _Line(self._plan, self._token)
        began = clock()
        try:
            ended = answered(question, line, self._began)
        finally:
            line.close()
        self.done.append(
            NewJob(
                hold,
                question.method,
                question.text,
                wall(began),
                wall(clock()),
                *question.bounds,
                ended.value,
                ended.status,
                ended.wrong,
            )
        )


class _Line:
    """A connection of its own."""

    def __init__(self, plan: Plan, token: str) -> None:
        self._endpoint = endpoint(plan.base_url, plan.ca_file, CONNECT)
        self._signed = {"authorization": f"Bearer {token}"}
        self._http = HttpClient(self._endpoint, lambda _: None, Totals(), timeout=plan.timeout)

    def post(self, question: Question) -> Answer:
        return self._http.send(
            call(
                self._endpoint,
                "POST",
                question.method,
                headers=self._signed,
                body=question.text.encode(),
                expected=TAKEN,
            )
        )

    def look(self, job_id: str) -> Answer:
        return self._http.send(call(self._endpoint, "GET", f"/api/jobs/{job_id}", headers=self._signed))

    def pause(self) -> None:
        gevent.sleep(LOOK_AGAIN)

    def now(self) -> float:
        return clock()

    def close(self) -> None:
        self._http.close()
