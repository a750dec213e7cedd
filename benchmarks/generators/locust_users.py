"""Locust users on the engine, for benchmarks/load.py: one request, its answer checked, each sample recorded.

URL_PATH, CHECK (yes or no), THINK (seconds: a mean, exponential), RATE (requests a second for RATE_SECONDS:
an open model), CA_FILE, RESULT.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import events, task  # noqa: TID251 (Locust runs this file in a process of its own)
from locust.runners import WorkerRunner  # noqa: TID251

from noxgate_load.arrivals import Arrivals
from noxgate_load.engine import TOTALS, ApiUser
from noxgate_load.http.exchange import Answer
from noxgate_load.recorder import Recorder, percentile
from noxgate_load.samples import Sample
from noxgate_load.workers import Reports

PATH = os.environ["URL_PATH"]
THINK = float(os.environ.get("THINK", "0"))
RATE = float(os.environ.get("RATE", "0"))
RATE_SECONDS = float(os.environ.get("RATE_SECONDS", "0"))
CHECKED = os.environ.get("CHECK", "yes") == "yes"
GROUP = "api"
SHARES = (0.5, 0.95, 0.99)
PROBE = 0.01  # seconds

recorder = Recorder({GROUP: [0.3, 0.5]}, open_model=RATE > 0)
late: list[float] = []
dropped: list[None] = []
arrivals = Arrivals(lambda: dropped.append(None))


class Visitor(ApiUser):
    """Asks for one page again and again."""

    ca_file = Path(os.environ["CA_FILE"]) if os.environ.get("CA_FILE") else None
    connect_timeout = 30

    def on_start(self) -> None:
        self.page = self.call("GET", PATH, group=GROUP)
        gevent.sleep(self.wait_time())  # else all would begin in step

    def wait_time(self) -> float:
        """How long to think."""
        return random.expovariate(1 / THINK) if THINK else 0.0

    def record(self, sample: Sample) -> None:
        recorder.record(sample)

    @task
    def visit(self) -> None:
        self.send(self.page, healthy if CHECKED else None, intended=arrivals.wait() if RATE else None)


def healthy(answer: Answer) -> None:
    assert answer.json()["status"] == "healthy"


def probe() -> None:
    while True:
        began = time.monotonic()
        gevent.sleep(PROBE)
        late.append(time.monotonic() - began - PROBE)


def arrive() -> None:
    end = time.monotonic() + RATE_SECONDS
    arrivals.come(lambda: RATE if time.monotonic() < end else 0.0)


def start(environment: Any, **_: Any) -> None:
    reports = Reports(environment, recorder, TOTALS)
    gevent.spawn(probe)
    if RATE:
        HOOKS.spawning_complete.add_listener(lambda **_: gevent.spawn(arrive))

    def finish(**_: Any) -> None:
        if not isinstance(environment.runner, WorkerRunner):
            Path(os.environ["RESULT"]).write_text(json.dumps(found(reports)))

    HOOKS.quitting.add_listener(finish)


def found(reports: Reports) -> dict[str, Any]:
    """What the benchmark looks at."""
    problems = reports.problems()
    cells = list(recorder.cells.values())
    times = [seconds for cell in cells for seconds in cell.times]
    return {
        "problems": problems,
        "requests": recorder.requests,
        "sent": sum(tally.sent for tally in reports.tallies.values()) or TOTALS.sent,
        "failures": [[*key, number] for key, number in recorder.problems.items()],
        "times": {share: percentile(times, share) for share in SHARES if times},
        "over": [sum(over) for over in zip(*(cell.over for cell in cells), strict=True)],
        "lag": percentile(late, 0.99),
        "dropped": len(dropped),
        "held_up": TOTALS.held_up,
    }


HOOKS: Any = events  # untyped
HOOKS.init.add_listener(start)
