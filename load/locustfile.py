"""What Locust runs for `noxgate load`: users, ramp, watch, result. $NOXGATE_LOAD names the plan."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from load.asking import NewJobs
from load.journeys import Jobs, Script
from locust import between, events, stats, task  # noqa: TID251 (load/ is where Locust may be imported)
from locust.runners import MasterRunner, WorkerRunner  # noqa: TID251

from noxgate.slo.holds import Second
from noxgate.slo.plan import CLASSES, PLAN, TOKEN, read_plan
from noxgate.slo.result import Generator, Problem, Result, write
from noxgate_load.arrivals import Arrivals
from noxgate_load.course import Course
from noxgate_load.engine import TOTALS, ApiUser
from noxgate_load.health import Health
from noxgate_load.http.endpoint import Endpoint
from noxgate_load.machine import this_machine
from noxgate_load.recorder import Recorder
from noxgate_load.samples import Sample, clock, wall
from noxgate_load.states import States
from noxgate_load.tasks import Shape
from noxgate_load.visits import Visits
from noxgate_load.watch import Watch
from noxgate_load.workers import Reports

plan = read_plan(Path(os.environ[PLAN]))
token = os.environ[TOKEN]
recorder = Recorder(plan.limits, open_model=plan.ramp.rate > 0)
health = Health(plan.ramp.lag_ms / 1000)
jobs = Jobs()
states = States()
arrivals = Arrivals(health.dropped)
visits = Visits()
HERE = "this process"
MACHINE = this_machine()


@cache
def script(endpoint: Endpoint) -> Script:
    """One for all users of this process: its requests are encoded once, and they take turns."""
    return Script(endpoint, token, plan.version, jobs, states)


class Visitor(ApiUser):
    """One user of the API."""

    wait_time = between(*plan.ramp.think)
    ca_file = plan.ca_file
    timeout = plan.timeout

    def on_start(self) -> None:
        self.script = script(self.endpoint)

    def record(self, sample: Sample) -> None:
        """Kept by our recorder alone: to tell Locust as well would cost a third of all that we can send."""
        recorder.record(sample)
        if plan.ui:
            super().record(sample)

    @task
    def visit(self) -> None:
        intended = arrivals.wait() if plan.ramp.rate else None
        with visits:
            self.script.go(self, intended)


class Ramping(Shape):
    """The plan's ramp."""

    abstract = plan.ui


@dataclass
class State:
    """What one process says of itself, in addition to its samples."""

    accepted: int = 0
    right: int = 0
    errors: dict[str, int] = field(default_factory=dict)


class Conductor:
    """Connects all of it in one process: one that leads, one that sends, or both in one."""

    def __init__(self, environment: Any, **_: Any) -> None:
        runner = environment.runner
        self._environment = environment
        self._sends = not isinstance(runner, MasterRunner)
        self._reports = Reports(environment, recorder, TOTALS)
        self._states: dict[str, State] = {}
        self._errors: dict[str, int] = {}
        self._machines = {MACHINE} if self._sends else set()
        HOOKS.user_error.add_listener(self._mistake)
        HOOKS.report_to_master.add_listener(self._report)
        HOOKS.worker_report.add_listener(self._take)
        if self._sends:
            health.watch(TOTALS)
            if plan.ramp.rate:
                gevent.spawn(arrivals.come, self._rate)
        if not isinstance(runner, WorkerRunner) and not plan.ui:
            self._started = datetime.now(UTC)
            self._watch = Watch(plan, recorder, environment)
            self._course = Course(plan.ramp, self._watch.end)
            self._new_jobs = NewJobs(plan, token, self._mistake)
            environment.shape_class.course = self._course
            HOOKS.quitting.add_listener(self._finish)
            self._leading = gevent.spawn(self._lead)
        else:
            gevent.spawn(self._stay)

    def _lead(self) -> None:
        while True:
            gevent.sleep(1)
            users = health.users[int(wall(clock()))] = self._environment.runner.user_count
            if self._sends:
                recorder.settle()
                health.take(HERE, health.drain())
                self._states[HERE] = State(jobs.accepted, jobs.right, self._errors)
                under_way = TOTALS.sent - TOTALS.recorded
            else:
                under_way = sum(tally.sent - tally.recorded for tally in self._reports.tallies.values())
            self._watch.look(self._course, users, under_way)
            self._new_jobs.look(self._course)

    def _stay(self) -> None:
        """End when the command that started this process is gone."""
        with suppress(OSError):
            while True:
                os.write(plan.progress, b"\n")
                gevent.sleep(1)
        self._environment.runner.quit()
        sys.exit(1)

    def _rate(self) -> float:
        """This process's part of the arrivals: as many of them as it has of the users."""
        most = max(level.users for level in plan.ramp.levels)
        return plan.ramp.rate * min(1.0, float(self._environment.runner.user_count) / most)

    def _mistake(self, exception: BaseException, **_: Any) -> None:
        text = f"{type(exception).__name__}: {exception}"
        self._errors[text] = self._errors.get(text, 0) + 1

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        data["noxgate-states"] = states.drain()
        data["noxgate-state"] = [health.drain(), visits.drain(), jobs.accepted, jobs.right, self._errors]
        data["noxgate-machine"] = list(MACHINE)

    def _take(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        drained, seen, *state = data["noxgate-state"]
        shift = self._reports.clocks.shift(client_id)  # which its own listener took first
        states.add(data["noxgate-states"])
        visits.take(seen, shift)
        self._machines.add(tuple(data["noxgate-machine"]))
        name = client_id.rpartition("_")[2][:8]
        health.take(f"worker {name}", drained, shift)
        self._states[client_id] = State(*state)

    def _finish(self, **_: Any) -> None:
        self._course.interrupt()
        self._leading.kill()  # from here on missing workers and silence mean nothing
        self._new_jobs.wait()
        problems = self._reports.problems()
        if self._sends:
            health.take(HERE, health.drain())
            self._states[HERE] = State(jobs.accepted, jobs.right, self._errors)
        for state in self._states.values():
            problems += [f"a mistake in the load test, {n} times: {text}" for text, n in state.errors.items()]
        write(plan.result, self._result(problems))

    def _result(self, problems: list[str]) -> Result:
        states.add(states.drain())
        course = self._course
        whole = course.falling or self._watch.stopped
        return Result(
            target=plan.target,
            base_url=plan.base_url,
            rehearsal=plan.rehearsal,
            release=plan.release,
            version=plan.version,
            ramp=plan.ramp,
            started=self._started.isoformat(timespec="seconds"),
            ended=datetime.now(UTC).isoformat(timespec="seconds"),
            processes=plan.processes,
            stopped=self._watch.stopped if whole else "it was interrupted",
            problems=tuple(problems),
            holds=tuple(
                replace(held, spoiled=tuple(health.spoiled(plan.ramp, held, plan.processes)))
                for held in course.holds
            ),
            classes=CLASSES,
            accepted=sum(state.accepted for state in self._states.values()),
            right=sum(state.right for state in self._states.values()),
            failures=tuple(
                Problem(group, name, status, str(reason), number)
                for (group, name, status, reason), number in recorder.problems.most_common()
            ),
            users=health.users,
            seconds={
                name: {
                    second: Second(times, outcomes, over) for second, (times, outcomes, over) in by.items()
                }
                for name, by in recorder.seconds().items()
            },
            new_jobs=tuple(self._new_jobs.done),
            nonce=plan.nonce,
            sent=self._reports.sent,
            states={provider: tuple(digests) for provider, digests in states.seen.items()},
            generators=tuple(Generator(*machine) for machine in sorted(self._machines)),
            visits={second: (began, ended) for second, (began, ended) in sorted(visits.seconds.items())},
        )


# In three digits, as Locust's own page is to agree with what we say; its default would round 305 ms to 300.
stats.bucket_response_time = lambda response_time: round(float(f"{response_time:.3g}"))
HOOKS: Any = events  # untyped
HOOKS.init.add_listener(lambda environment, **_: Conductor(environment))
