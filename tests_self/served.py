"""A pod that serves, and what Prometheus would have scraped of it."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nox_rehearsal.parts import prometheus
from nox_rehearsal.parts.monitoring.configuration import Scraped
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.processes import Crew
from noxgate.machine import doctor

EDGES = (0.1, 0.2, 0.3, 0.5, 1.0)
PATH = "/api/public/stats"
BEGINS = -600  # seconds before the time that is looked at


@dataclass(frozen=True)
class Request:
    """One, so many seconds after the start of the time that is looked at."""

    at: float
    status: str = "200"
    seconds: float = 0.05
    path: str = PATH


def steady(start: float, end: float, every: float = 1.0, **more: str | float) -> list[Request]:
    """One request each so many seconds."""
    count = int((end - start) / every)
    return [Request(start + number * every, **more) for number in range(count)]  # type: ignore[arg-type]


def always(_: float) -> bool:
    return True


def never_moved(_: float) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Pod:
    """One. `seen` says whether a scrape had an answer, `asked` whether there was one; `moved` adds labels."""

    namespace: str
    requests: Iterable[Request]
    starts: Sequence[float] = (BEGINS,)  # of its processes
    name: str = "a"
    every: int = 15
    seen: Callable[[float], bool] = always
    asked: Callable[[float], bool] = always
    moved: Callable[[float], Mapping[str, str]] = never_moved
    tells: bool = True  # when it started
    restarts: Callable[[float], int | None] = field(default=lambda _: None)  # as the cluster says

    def samples(self, start: datetime, seconds: int) -> Iterator[str]:
        """Every sample in OpenMetrics' form."""
        counted: Counter[tuple[str, str]] = Counter()
        buckets: Counter[tuple[str, float]] = Counter()
        waiting = sorted(self.requests, key=lambda one: one.at)
        starts = sorted(self.starts)
        for at in range(max(BEGINS, int(starts[0])), seconds + self.every, self.every):
            while waiting and waiting[0].at <= at:
                one = waiting.pop(0)
                if len(starts) > 1 and one.at >= starts[1]:
                    starts.pop(0)
                    counted.clear()
                    buckets.clear()
                counted[one.path, one.status] += 1
                buckets.update((one.path, edge) for edge in (*EDGES, float("inf")) if one.seconds <= edge)
            if len(starts) > 1 and at >= starts[1]:
                starts.pop(0)
                counted.clear()
                buckets.clear()
            if self.asked(at):
                yield from self._scrape(start, at, starts[0], counted, buckets)

    def _scrape(
        self,
        start: datetime,
        at: int,
        began: float,
        counted: Mapping[tuple[str, str], int],
        buckets: Mapping[tuple[str, float], int],
    ) -> Iterator[str]:
        base = {"namespace": self.namespace, "pod": self.name, "job": "nox-api", "instance": f"{self.name}:1"}
        time = f"{start.timestamp() + at:.0f}"
        target_labels = {**base, **self.moved(at)}
        target = labels(target_labels)
        yield f"up{{{target}}} {int(self.seen(at))} {time}"
        if (restarted := self.restarts(at)) is not None:
            pod = {"namespace": self.namespace, "pod": self.name}
            of = labels(pod | {"container": "nox-api"})
            yield f"kube_pod_container_status_restarts_total{{{of}}} {restarted} {time}"
            yield f"kube_pod_start_time{{{labels(pod)}}} {start.timestamp() + self.starts[0]:.0f} {time}"
        if not self.seen(at):
            return
        if self.tells:
            yield f"process_start_time_seconds{{{target}}} {start.timestamp() + began:.0f} {time}"
        for (path, status), count in counted.items():
            yield f'http_requests_total{{{target},path="{path}",status="{status}"}} {count} {time}'
        for path in dict.fromkeys(path for path, _ in counted):
            for edge in (*EDGES, float("inf")):
                said = "+Inf" if edge == float("inf") else str(edge)
                count = buckets.get((path, edge), 0)
                of = labels({**target_labels, "path": path, "le": said})
                yield f"http_request_duration_seconds_bucket{{{of}}} {count} {time}"


def labels(of: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in of.items())


@dataclass(frozen=True)
class Ingress:
    """What nginx' controller counted for one Ingress, by status, so many seconds after the start."""

    namespace: str
    counted: Callable[[float], Mapping[str, float]]
    seen: Callable[[float], bool] = always
    label: str = "exported_namespace"
    name: str = "ingress-1"
    more: Mapping[str, str] = field(default_factory=dict)  # labels

    def samples(self, start: datetime, seconds: int) -> Iterator[str]:
        for at in range(BEGINS, seconds + 30, 30):
            base = {self.label: self.namespace, "ingress": "nox-api-ingress", "pod": self.name, **self.more}
            for status, count in self.counted(at).items() if self.seen(at) else ():
                of = labels({**base, "status": status})
                yield f"nginx_ingress_controller_requests{{{of}}} {count} {start.timestamp() + at:.0f}"


@contextmanager
def remembering(
    folder: Path, lines: Iterable[str], scraped: Mapping[str, Sequence[Scraped]] | None = None
) -> Iterator[str]:
    """A Prometheus that has these samples, and may scrape more: its address."""
    crew = Crew(folder)
    with reserved(1) as (port,):
        part = prometheus.prepare(folder, port, scraped or {}, [])
        text, data = folder / "openmetrics", folder / prometheus.NAME / "data"
        text.write_text("\n".join([*lines, "# EOF\n"]), encoding="utf-8")
        command = [str(doctor.program("promtool")), "tsdb", "create-blocks-from", "openmetrics"]
        done = subprocess.run([*command, str(text), str(data)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        try:
            crew.launch(part)
            crew.wait_for(prometheus.NAME)
            yield f"http://127.0.0.1:{port}"
        finally:
            crew.stop_all()
