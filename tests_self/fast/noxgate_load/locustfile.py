"""A small load test: what Locust's runner does with the engine's users. Writes what it counted to $RESULT."""

import json
import os
import random
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import constant, events, task  # noqa: TID251 (Locust runs this file in a process of its own)
from locust.runners import WorkerRunner  # noqa: TID251

from noxgate_load.engine import TOTALS, ApiUser
from noxgate_load.recorder import Recorder, percentile
from noxgate_load.samples import Sample
from noxgate_load.workers import Reports

LIMITS = {"health": [0.3], "socket": [0.3]}
RECORDER = Recorder(LIMITS)


class Visitor(ApiUser):
    """Looks at the health page, now and then at a slow one, and says hello over the WebSocket."""

    wait_time = constant(0.01)
    ca_file = Path(os.environ["CA_FILE"]) if os.environ.get("CA_FILE") else None
    timeout = 10

    def record(self, sample: Sample) -> None:
        RECORDER.record(sample)
        if os.environ.get("TELL_LOCUST"):
            super().record(sample)

    @task(20)
    def health(self) -> None:
        answer = self.send(self.call("GET", "/", group="health"))
        assert answer.ok

    @task(1)
    def slow(self) -> None:
        self.send(self.call("GET", f"/slow/{random.randrange(9)}", name="/slow/{n}", group="health"))  # noqa: S311

    @task(1)
    def talk(self) -> None:
        if self.websocket.open("/ws", group="socket").ok:
            self.websocket.echo("hello", path="/ws", group="socket")
            self.websocket.end(path="/ws", group="socket")


def start(environment: Any, **_: Any) -> None:
    gevent.get_hub().loop.update_now()  # else the run's time counts from when Locust began to import itself
    reports = Reports(environment, RECORDER, TOTALS)

    def finish(**_: Any) -> None:
        if not isinstance(environment.runner, WorkerRunner):
            Path(os.environ["RESULT"]).write_text(json.dumps(found(environment, reports)))

    HOOKS.quitting.add_listener(finish)


def found(environment: Any, reports: Reports) -> dict[str, Any]:
    """What the test looks at."""
    problems = reports.problems()
    health = [cell for (group, _), cell in RECORDER.cells.items() if group == "health"]
    times = [seconds for cell in health for seconds in cell.times]
    return {
        "problems": problems,
        "merged": RECORDER.requests,
        "workers": len(reports.tallies),
        "locust": environment.stats.total.num_requests,
        "longest": percentile(times, 1),
        "over": sum(sum(cell.over) for cell in health),
        "slow": sum(seconds > LIMITS["health"][0] for seconds in times),
        "failures": [[*key, count] for key, count in RECORDER.problems.items()],
        "groups": sorted({group for group, _ in RECORDER.cells}),
    }


HOOKS: Any = events  # untyped
HOOKS.init.add_listener(start)
