"""A cluster whose controllers are turned by hand, and the objects that tests put into it."""

import os
import signal
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from nox_rehearsal.cluster.controllers import Controllers
from nox_rehearsal.cluster.objects import Api
from nox_rehearsal.world.processes import Crew, Part
from noxgate.look.waiting import eventually

Json = dict[str, Any]
HERE, ELSEWHERE = "nox-here", "nox-elsewhere"
IMAGE = "registry.nox.example/nox-api:v8.0.0"
KINDS = ("Deployment", "ReplicaSet", "Pod", "EndpointSlice", "HorizontalPodAutoscaler", "Ingress")
# Says its name and what it was asked for; as little as possible, so that it starts at once.
POD = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = listening.accept()
    with connection:
        asked = b""
        while b"\\r\\n\\r\\n" not in asked and (more := connection.recv(65536)):
            asked += more
        if asked:
            said = sys.argv[2].encode() + b" " + asked.split()[1]
            head = b"HTTP/1.1 200 OK\\r\\nconnection: close\\r\\ncontent-length: %d\\r\\n\\r\\n"
            connection.sendall(head % len(said) + said)
"""


@dataclass
class Cluster:
    """Two namespaces, three processes that may be pods of one Deployment, and its controllers."""

    api: Api
    crew: Crew
    folder: Path
    controllers: Controllers
    ports: dict[str, int]
    extra: list[Part] = field(default_factory=list)

    def apply(self, *contents: Json) -> None:
        for content in contents:
            self.api.apply(content)

    def look(self) -> None:
        """As many ticks as it takes until nothing is left to write."""
        ticks = iter(range(8))
        while not self.controllers.tick():
            assert self.controllers.problems == []
            next(ticks)

    def kill(self, name: str) -> None:
        os.kill(self.crew.pids()[name], signal.SIGKILL)
        eventually(partial(self._is_gone, name), within=30, every=0.01)
        self.crew.reap()

    def _is_gone(self, name: str) -> None:
        assert not self.crew.is_running(name)

    def status(self, kind: str, name: str = "nox-api", namespace: str = HERE) -> Json:
        status: Json = self.api.get(kind, name, namespace)["status"]
        return status

    def pods(self) -> dict[str, Json]:
        return {pod["metadata"]["name"]: pod for pod in self.api.list("Pod", HERE)}

    def containers(self) -> dict[str, tuple[bool, int]]:
        """Pod -> ready, restartCount."""
        found = {name: pod["status"]["containerStatuses"][0] for name, pod in self.pods().items()}
        return {name: (each["ready"], each["restartCount"]) for name, each in found.items()}

    def endpoints(self) -> dict[str, bool]:
        (only,) = self.api.list("EndpointSlice", HERE, "kubernetes.io/service-name=nox-api")
        return {each["targetRef"]["name"]: each["conditions"]["ready"] for each in only["endpoints"]}

    def upstreams(self) -> list[int]:
        """The ports to which nginx is told to lead."""
        text = (self.folder / "ingress" / "upstreams-staging.conf").read_text()
        return [int(line.split(":")[1].split()[0]) for line in text.splitlines() if "server " in line]

    def versions(self) -> dict[str, str]:
        things = [thing for kind in KINDS for thing in self.api.list(kind, "")]
        return {thing["metadata"]["uid"]: thing["metadata"]["resourceVersion"] for thing in things}


def part(name: str, port: int, folder: Path) -> Part:
    def serves() -> None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
        except httpx.TransportError as error:
            raise AssertionError(str(error)) from None

    return Part(name, "", (sys.executable, "-IS", "-c", POD, str(port), name), folder, serves)


def deployment(replicas: int | None = 3, **container: Any) -> Json:
    more = {} if replicas is None else {"replicas": replicas}
    labels = {"app": "nox-api"}
    usual = {
        "name": "nox-api",
        "image": IMAGE,
        "ports": [{"name": "http", "containerPort": 3000}, {"name": "websocket", "containerPort": 3001}],
        "resources": {"requests": {"cpu": "250m"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}},
    }
    return thing(
        "Deployment",
        apiVersion="apps/v1",
        spec={
            **more,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [usual | container]}},
        },
    )


def service(name: str = "nox-api", namespace: str = HERE, **spec: Any) -> Json:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "websocket", "port": 3001}]
    return thing("Service", name, namespace, spec={"selector": {"app": "nox-api"}, "ports": ports} | spec)


def path(text: str, kind: str, to: str, port: Any = 80) -> Json:
    named = {"name": port} if isinstance(port, str) else {"number": port}
    return {"path": text, "pathType": kind, "backend": {"service": {"name": to, "port": named}}}


def ingress_of(*paths: Json, host: str = "localhost", **spec: Any) -> Json:
    rules = [{"host": host, "http": {"paths": list(paths)}}]
    return thing("Ingress", apiVersion="networking.k8s.io/v1", spec={"rules": rules} | spec)


def thing(kind: str, name: str = "nox-api", namespace: str = HERE, **content: Any) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}
