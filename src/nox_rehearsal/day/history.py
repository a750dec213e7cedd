"""48 hours without the wait: what Prometheus would have measured, put into it as blocks of its own.

The switch is taken to have been a little more than 48 hours before the rehearsal began, so that the window is
over by now, and nothing that is made up overlaps with what is measured.
"""

import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from nox_rehearsal.cluster.objects import BLUE, GREEN, PRODUCTION
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import prometheus
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.machine import doctor

LENGTH = timedelta(hours=48)
AGO = LENGTH + timedelta(minutes=30)  # before the rehearsal began
BEFORE = timedelta(minutes=10)  # that green's pods were up before the switch
STEP = 60  # seconds between two samples
EDGES = (0.1, 0.2, 0.3, 0.4, 0.5)
SHARES = (0.6, 0.9)  # of the requests, within the first edges; those that are not slow are within the third
LIMITS = {"memory": 1024.0**3, "cpu": 1.0}
BLUES_HOURS = (-19.0, -17.0)  # the same hour as the sixth, a day before
# promtool reads all of its input again for each block: one is quicker than 25
ONE_BLOCK = "--max-block-duration=162h"


@dataclass(frozen=True)
class Minute:
    """What green was like in one minute. Shares are of 1; `alert` is one that fired."""

    requests: float = 240.0
    times: float = 1.0  # as many requests
    slow: float = 0.01  # took between 0.3 and 0.4 s
    failed: float = 0.0005
    gone: float = 0.0  # ended in a 502, of which there is no series before the first
    turned_away: float = 0.0  # requests that the ingress answered itself, with 503
    pods: int = 3  # that answered
    containers: int = 3  # that were measured
    memory: float = 0.35
    cpu: float = 0.12
    restarts: int = 0
    scraped: bool = True
    alert: str | None = None


Change = Callable[[float, Minute], Minute]  # by the hours since the switch


def time_of_switch(began: datetime) -> datetime:
    """When traffic is taken to have been switched, by the time at which a rehearsal began."""
    return (began - AGO).replace(microsecond=0)


def install(world: World, began: datetime, change: Change = lambda _, minute: minute) -> None:
    """Have Prometheus know these 48 hours, and no others."""
    start = time_of_switch(began)
    home = world.folder / prometheus.NAME
    with tempfile.TemporaryDirectory(dir=home, prefix="history-") as folder:
        text, blocks = Path(folder) / "openmetrics", Path(folder) / "blocks"
        text.write_text("\n".join([*samples(start, change), "# EOF\n"]), encoding="utf-8")
        command = (str(doctor.program("promtool")), "tsdb", "create-blocks-from", ONE_BLOCK, "openmetrics")
        done = subprocess.run([*command, str(text), str(blocks)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RehearsalError(f"promtool makes no blocks: {' '.join(done.stderr.split())[-300:]}")
        put(world, began, blocks)


def put(world: World, began: datetime, blocks: Path) -> None:
    """Restart Prometheus with these blocks in place of those that it has of the time before."""
    data = world.folder / prometheus.NAME / "data"
    worlds.stop(world, prometheus.NAME)
    for block in of_history(data, began):
        shutil.rmtree(block)
    for block in blocks.iterdir():
        shutil.copytree(block, data / block.name)
    worlds.start(world, prometheus.NAME)


def of_history(data: Path, began: datetime) -> list[Path]:
    """The blocks that end before a rehearsal began: what is in them was made up."""
    return [
        meta.parent
        for meta in data.glob("*/meta.json")
        if json.loads(meta.read_text(encoding="utf-8"))["maxTime"] / 1000 < began.timestamp()
    ]


def samples(start: datetime, change: Change) -> Iterator[str]:
    """Every sample in OpenMetrics' form: green's minute by minute, and blue's of the hour to compare with."""
    first = start.timestamp()
    yield from _blue(first)
    pods = [f"nox-api-production-green-{number}" for number in (1, 2, 3)]
    counters = {pod: _Counters() for pod in pods}
    turned_away = 0.0
    begins = -int(BEFORE.total_seconds())
    for second in range(begins, int(LENGTH.total_seconds()) + STEP, STEP):
        hour = second / 3600
        minute = change(hour, Minute(requests=_daily(hour) if second > 0 else 0.0))
        for number, pod in enumerate(pods, 1):
            counters[pod].add(minute, len(pods))
            if minute.scraped:
                yield from _pod(pod, minute, counters[pod], first + second, number)
        turned_away += minute.turned_away
        if minute.scraped:
            yield from _ingress(sum(each.requests for each in counters.values()), turned_away, first + second)
        if minute.alert and minute.scraped:
            labels = f'alertname="{minute.alert}",alertstate="firing",severity="critical",namespace="{GREEN}"'
            yield f"ALERTS{{{labels}}} 1 {first + second:.0f}"


@dataclass
class _Counters:
    """What a pod has counted so far."""

    requests: float = 0.0
    failed: float = 0.0
    gone: float = 0.0
    slow: float = 0.0
    cpu: float = 0.0

    def add(self, minute: Minute, pods: int) -> None:
        own = minute.requests * minute.times / pods
        self.requests += own
        self.failed += own * minute.failed
        self.gone += own * minute.gone
        self.slow += own * minute.slow
        self.cpu += STEP * minute.cpu * LIMITS["cpu"]


def _pod(pod: str, minute: Minute, counted: _Counters, at: float, number: int) -> Iterator[str]:
    base = f'namespace="{GREEN}",pod="{pod}"'
    time = f"{at:.0f}"
    yield f'up{{{base},job="nox-api"}} {int(number <= minute.pods)} {time}'
    path = f'{base},job="nox-api",method="GET",path="/api/public/stats"'
    good = counted.requests - counted.failed - counted.gone
    yield f'http_requests_total{{{path},status="200"}} {good!r} {time}'
    if counted.gone:
        yield f'http_requests_total{{{path},status="502"}} {counted.gone!r} {time}'
    yield f'http_requests_total{{{path},status="500"}} {counted.failed!r} {time}'
    quick = counted.requests - counted.slow
    within = (*(share * counted.requests for share in SHARES), quick, counted.requests, counted.requests)
    for edge, count in zip((*EDGES, "+Inf"), (*within, counted.requests), strict=True):
        yield f'http_request_duration_seconds_bucket{{{path},le="{edge}"}} {count!r} {time}'
    if number > minute.containers:
        return
    container = f'{base},container="nox-api"'
    for resource, limit in LIMITS.items():
        labels = f'{container},resource="{resource}"'
        yield f"kube_pod_container_resource_limits{{{labels}}} {limit!r} {time}"
    yield f"container_memory_working_set_bytes{{{container}}} {minute.memory * LIMITS['memory']!r} {time}"
    yield f"container_cpu_usage_seconds_total{{{container}}} {counted.cpu!r} {time}"
    yield f"kube_pod_container_status_restarts_total{{{container}}} {minute.restarts} {time}"


def _ingress(passed: float, turned_away: float, at: float) -> Iterator[str]:
    """As nginx' controller says it, of which there is one."""
    labels = f'exported_namespace="{PRODUCTION}",ingress="nox-api-ingress",pod="ingress-1"'
    for status, count in {"200": passed, "503": turned_away}.items():
        yield f'nginx_ingress_controller_requests{{{labels},status="{status}"}} {count!r} {at:.0f}'


def _blue(first: float) -> Iterator[str]:
    """The hour that green's sixth is compared with."""
    begin, end = (round(hour * 3600) for hour in BLUES_HOURS)
    base = f'namespace="{BLUE}",pod="nox-api-blue-1",job="nox-api"'
    counted = 0.0
    for second in range(begin, end, STEP):
        counted += _daily(second / 3600)
        yield f"up{{{base}}} 1 {first + second:.0f}"
        labels = f'{base},method="GET",path="/api/public/stats",status="200"'
        yield f"http_requests_total{{{labels}}} {counted!r} {first + second:.0f}"


def _daily(hour: float) -> float:
    """Requests in a minute: more by day than by night."""
    return Minute().requests * (1 + 0.4 * math.sin(2 * math.pi * hour / 24))


def between(start: float, end: float, **changes: object) -> Change:
    """A change for some hours, such as an incident of 12 minutes from hour 20."""
    return lambda hour, minute: replace(minute, **changes) if start <= hour < end else minute  # type: ignore[arg-type]
