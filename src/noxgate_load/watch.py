"""Looks at a running load test each second: says how it goes, and ends one that must not go on."""

import json
import os
from math import ceil
from typing import Any

import gevent  # type: ignore[import-untyped]
import numpy as np
from locust.runners import MasterRunner  # noqa: TID251 (load/ is where Locust may be imported)

from noxgate.slo.plan import CLASSES, Plan
from noxgate_load.course import Course
from noxgate_load.recorder import Cell, Recorder, reasons
from noxgate_load.samples import clock, wall

P95 = 0.95
_NONE = np.empty(0, np.float32)
WINDOW = 5  # seconds that are looked at
FEWEST = 20  # requests in it from which on half of them failing ends the test
SILENCE = 10.0  # seconds without an answer to anything, and the test ends
REPORTS = 4.0  # seconds that a worker's report may come late


class Watch:
    """`stopped` is why the test was ended; empty as long as it was not."""

    def __init__(self, plan: Plan, recorder: Recorder, environment: Any) -> None:
        self._plan = plan
        self._recorder = recorder
        self._runner = environment.runner
        self._distributed = isinstance(self._runner, MasterRunner)
        self._began = clock()
        self._answered = (0, clock())
        self.stopped = ""

    def end(self, reason: str) -> None:
        """End the test; what is under way may end in its own time."""
        if not self.stopped:
            self.stopped = reason
            gevent.spawn(self._runner.quit)

    def look(self, course: Course, users: int, under_way: int) -> None:
        """Say how it goes, and end it where most fails, nothing answers, or a process of ours is gone."""
        last = int(wall(clock()) - (REPORTS if self._distributed else 0)) - 1
        window = {name: list(self._recorder.window([name], last - WINDOW, last)) for name in CLASSES}
        cells = [cell for by_second in window.values() for cell in by_second]
        requests = sum(cell.requests for cell in cells)
        failed = sum(cell.failures for cell in cells)
        self._tell(
            elapsed=clock() - self._began,
            level=course.number,
            holding=bool(course.holding),
            users=users,
            wanted=0 if course.falling else course.level.users,
            rate=requests / WINDOW,
            failed=failed / requests if requests else 0.0,
            p95={name: _p95(by_second) for name, by_second in window.items()},
        )
        if requests >= FEWEST and failed > requests / 2:
            (reason, often) = reasons(cells).most_common(1)[0]
            self.end(f"{failed} of {requests} requests failed within {WINDOW} s ({reason}: {often})")
        answered = self._recorder.requests
        if answered != self._answered[0] or not under_way:
            self._answered = (answered, clock())
        silence = clock() - self._answered[1]
        if silence > SILENCE + (REPORTS if self._distributed else 0):
            self.end(f"no answer for {silence:.0f} s to {under_way} requests")
        there = self._runner.worker_count if self._distributed else self._plan.processes
        if course.number and not course.over and there < self._plan.processes:
            self.end(f"a process of the generator was lost: {there} of {self._plan.processes} are left")

    def _tell(self, **line: Any) -> None:
        try:
            os.write(self._plan.progress, json.dumps(line).encode() + b"\n")
        except OSError:
            self.end("the command that started it is gone")


def _p95(cells: list[Cell]) -> float | None:
    """By nearest rank, of what may be a million times: a master looks at all workers' each second."""
    times = np.concatenate([np.frombuffer(cell.times, np.float32) for cell in cells if cell.times] or [_NONE])
    if not times.size:
        return None
    rank = max(1, ceil(P95 * times.size - 1e-9)) - 1
    return float(np.partition(times, rank)[rank])
