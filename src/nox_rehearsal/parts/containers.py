"""What a node and the cluster say of containers, under the names of cAdvisor and kube-state-metrics.

The CPU and memory are those of the processes that the pods stand for; limits and readiness are the cluster's.
A part of the rehearsal, which its Prometheus scrapes.
"""

import http.server
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from kube_standin.objects.quantities import value
from nox_rehearsal.cluster.objects import Api
from nox_rehearsal.cluster.processes import of_process
from nox_rehearsal.world.forks import Module
from nox_rehearsal.world.ports import answers
from nox_rehearsal.world.processes import Part

NAME = "containers"
MORE = "containers.json"
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_BESIDE = 0.0, 8 << 20  # seconds of CPU and bytes of a container that no process stands for
_UNITS = {"cpu": "core", "memory": "byte"}

Json = Mapping[str, Any]


def prepare(folder: Path, port: int, controllers: Path) -> Part:
    """`controllers` are the settings of the controllers, which know what each pod stands for."""
    return Part(
        name=NAME,
        address=f"http://127.0.0.1:{port}/metrics",
        command=Module("nox_rehearsal.parts.containers", (str(port), str(controllers))),
        folder=folder,
        serves=partial(answers, port),
    )


def exposition(
    pods: list[Json], pids: Mapping[tuple[str, str], int], more: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    """Every series; a container without a process has no use, as on a real node."""
    for pod in pods:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        where = f'namespace="{namespace}",pod="{name}"'
        ready = [
            each["status"] == "True"
            for each in (pod.get("status") or {}).get("conditions") or []
            if each["type"] == "Ready"
        ]
        yield f'kube_pod_status_ready{{{where},condition="true"}} {int(ready == [True])}'
        for container in pod["spec"]["containers"]:
            labels = f'{where},container="{container["name"]}"'
            limits = (container.get("resources") or {}).get("limits") or {}
            for resource, unit in _UNITS.items():
                if resource in limits:
                    limit = float(value(str(limits[resource])))
                    yield (
                        f'kube_pod_container_resource_limits{{{labels},resource="{resource}",unit="{unit}"}}'
                        f" {limit!r}"
                    )
            pid = pids.get((namespace, name))
            used = None if pid is None else _used(pid)
            if used is not None and container is not of_process(pod):
                used = _BESIDE
            elif used is not None:
                extra = more.get(name, {})
                used = used[0] + extra.get("cpu", 0), used[1] + int(extra.get("memory", 0))
            if used is not None:
                yield f"container_cpu_usage_seconds_total{{{labels}}} {used[0]!r}"
                yield f"container_memory_working_set_bytes{{{labels}}} {used[1]}"


def _more(folder: Path) -> Mapping[str, Mapping[str, float]]:
    """What a sabotage adds to a pod: bytes of memory, and cores of CPU since its file was written."""
    with suppress(OSError, ValueError):
        since = time.time() - (folder / MORE).stat().st_mtime
        found: dict[str, dict[str, float]] = json.loads((folder / MORE).read_text(encoding="utf-8"))
        return {pod: {**added, "cpu": added.get("cpu", 0) * since} for pod, added in found.items()}
    return {}


def _used(pid: int) -> tuple[float, int] | None:
    """Seconds of CPU and bytes of memory of a process; None if it is gone."""
    with suppress(OSError, IndexError, ValueError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        return (int(fields[11]) + int(fields[12])) / _TICKS, int(pages) * _PAGE
    return None


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, settings: Json, api: Api, *arguments: Any) -> None:
        self._settings = settings
        self._api = api
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Every path gets the same answer."""
        processes = json.loads(Path(self._settings["processes"]).read_text(encoding="utf-8"))
        pids = {
            (pod["namespace"], pod["name"]): processes[pod["part"]]["pid"]
            for pod in self._settings["pods"]
            if (processes.get(pod["part"]) or {}).get("pid")
        }
        pods = self._api.send("GET", "/api/v1/pods")["items"]
        text = "\n".join(exposition(pods, pids, _more(Path(self._settings["processes"]).parent))) + "\n"
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """One look each second is not logged."""


def main(arguments: list[str]) -> None:
    port, file = int(arguments[0]), Path(arguments[1])
    settings = json.loads(file.read_text(encoding="utf-8"))
    api = Api(settings["server"], Path(settings["ca"]), settings["token"])
    server = http.server.HTTPServer(("127.0.0.1", port), partial(_Handler, settings, api))
    server.serve_forever()
