"""The rehearsal's controllers: real processes as pods, a real stand-in of the API server, a real nginx."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.kubernetes.servers import TOKENS, Server, stand_in

from nox_rehearsal.cluster.controllers import Controllers
from nox_rehearsal.cluster.objects import Api, path_of
from nox_rehearsal.cluster.processes import Settings, Slot, answers, probe_of
from nox_rehearsal.cluster.routes import routes
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import certificates, ingress
from nox_rehearsal.parts.ingress_conf import Site
from nox_rehearsal.world import leftovers
from nox_rehearsal.world.ports import free_ports
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running:
        yield running


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
        eventually(partial(self._is_gone, name), within=5, every=0.01)
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


@pytest.fixture
def cluster(server: Server, tmp_path: Path) -> Iterator[Cluster]:
    """Three pods are ready behind a Service and an Ingress."""
    ports = dict(zip(("nox-1", "nox-2", "nox-3"), free_ports(3), strict=True))
    crew = Crew(tmp_path)
    home = tmp_path / "ingress"
    home.mkdir()
    settings = {
        "server": server.url,
        "ca": str(server.ca),
        "token": TOKENS["admin"],
        "processes": str(tmp_path / "processes.json"),
        "ingress": {"folder": str(home), "sites": {f"{HERE}/nox-api": "staging"}},
        "pods": [
            {
                "namespace": HERE,
                "name": name,
                "part": name,
                "ip": f"10.1.0.{number}",
                "ports": {"3000": port, "3001": port},
                "image": IMAGE,
                "image_id": "registry.nox.example/nox-api@sha256:aa",
                "deployment": "nox-api",
            }
            for number, (name, port) in enumerate(ports.items(), start=1)
        ],
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    read = Settings.read(tmp_path / "settings.json")
    api = Api(read.server, read.ca, read.token)
    made = Cluster(api, crew, tmp_path, Controllers(read, api), ports)
    try:
        for name, port in ports.items():
            crew.launch(part(name, port, tmp_path))
        for namespace in (HERE, ELSEWHERE):
            made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        made.apply(deployment(), service(), ingress_of(path("/", "Prefix", "nox-api")))
        crew.wait_for(*ports)
        made.look()
        yield made
    finally:
        crew.stop_all()
        for namespace in (HERE, ELSEWHERE):
            api.send("DELETE", path_of("Namespace", namespace, ""))
        api.close()


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


def external(to: str) -> Json:
    return thing(
        "Service",
        "bridge",
        spec={"type": "ExternalName", "externalName": to, "ports": [{"name": "http", "port": 80}]},
    )


def autoscaler(minimum: int) -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nox-api"}
    spec = {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": 10}
    return thing("HorizontalPodAutoscaler", apiVersion="autoscaling/v2", spec=spec)


def path(text: str, kind: str, to: str, port: Any = 80) -> Json:
    named = {"name": port} if isinstance(port, str) else {"number": port}
    return {"path": text, "pathType": kind, "backend": {"service": {"name": to, "port": named}}}


def ingress_of(*paths: Json, host: str = "localhost", **spec: Any) -> Json:
    rules = [{"host": host, "http": {"paths": list(paths)}}]
    return thing("Ingress", apiVersion="networking.k8s.io/v1", spec={"rules": rules} | spec)


def thing(kind: str, name: str = "nox-api", namespace: str = HERE, **content: Any) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}


def conditions(status: Json) -> list[tuple[str, str, str]]:
    return [(each["type"], each["status"], each.get("reason", "")) for each in status["conditions"]]


# ---------------------------------------------------------------- pods


def test_pods_are_as_their_processes_are(cluster: Cluster) -> None:
    pod = cluster.pods()["nox-2"]
    (owner,) = pod["metadata"]["ownerReferences"]
    replica_set = cluster.api.get("ReplicaSet", owner["name"], HERE)

    assert replica_set["metadata"]["ownerReferences"][0]["name"] == "nox-api"
    assert pod["metadata"]["labels"]["pod-template-hash"] == owner["name"].rpartition("-")[2]
    assert pod["spec"]["nodeName"] == "rehearsal-node"
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"] == "10.1.0.2"
    assert [kind for kind, status, _ in conditions(pod["status"]) if status == "True"] == [
        "PodScheduled",
        "Initialized",
        "ContainersReady",
        "Ready",
    ]
    assert cluster.containers() == dict.fromkeys(cluster.ports, (True, 0))
    assert cluster.endpoints() == dict.fromkeys(cluster.ports, True)
    assert cluster.upstreams() == sorted(cluster.ports.values())


def test_a_process_that_dies_and_comes_back(cluster: Cluster) -> None:
    cluster.kill("nox-2")
    cluster.look()
    dead = cluster.pods()["nox-2"]["status"]["containerStatuses"][0]
    status = cluster.status("Deployment")
    lost = cluster.containers()["nox-2"], cluster.endpoints()["nox-2"], cluster.upstreams()
    cluster.crew.start("nox-2")
    cluster.look()
    back = cluster.pods()["nox-2"]["status"]["containerStatuses"][0]

    assert lost == ((False, 0), False, sorted(set(cluster.ports.values()) - {cluster.ports["nox-2"]}))
    assert dead["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert dead["lastState"]["terminated"]["exitCode"] == 137
    assert status["readyReplicas"] == 2
    assert status["unavailableReplicas"] == 1
    assert conditions(status) == [
        ("Available", "False", "MinimumReplicasUnavailable"),
        ("Progressing", "True", "NewReplicaSetAvailable"),
    ]
    assert cluster.containers() == {"nox-1": (True, 0), "nox-2": (True, 1), "nox-3": (True, 0)}
    assert "running" in back["state"]
    assert back["lastState"] == dead["lastState"]
    assert cluster.upstreams() == sorted(cluster.ports.values())


def test_a_process_that_comes_back_between_two_looks(cluster: Cluster) -> None:
    cluster.kill("nox-1")
    cluster.crew.start("nox-1")
    cluster.look()
    status = cluster.pods()["nox-1"]["status"]["containerStatuses"][0]

    assert (status["ready"], status["restartCount"]) == (True, 1)
    assert status["lastState"]["terminated"]["exitCode"] == 137


def test_a_process_that_hangs_is_not_ready(cluster: Cluster) -> None:
    pid = cluster.crew.pids()["nox-3"]
    os.kill(pid, signal.SIGSTOP)
    try:
        cluster.controllers.tick()
        seen = cluster.containers()["nox-3"]
    finally:
        os.kill(pid, signal.SIGCONT)
    cluster.look()

    assert seen == (False, 0)
    assert cluster.containers()["nox-3"] == (True, 0)


def test_a_pod_deleted_by_hand_is_made_anew(cluster: Cluster) -> None:
    """While its process is down it is being created; the start that follows is its first."""
    before = cluster.pods()["nox-1"]["metadata"]["uid"]
    cluster.kill("nox-1")
    cluster.api.send("DELETE", path_of("Pod", "nox-1", HERE))
    assert "deletionTimestamp" in cluster.pods()["nox-1"]["metadata"]
    cluster.look()
    pod = cluster.pods()["nox-1"]
    cluster.crew.start("nox-1")
    cluster.look()

    assert pod["metadata"]["uid"] != before
    assert pod["status"]["phase"] == "Pending"
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert cluster.containers()["nox-1"] == (True, 0)


def test_a_pod_of_nobody_that_is_to_go_goes(cluster: Cluster) -> None:
    spec = {"nodeName": "rehearsal-node", "containers": [{"name": "shell", "image": "busybox"}]}
    cluster.apply(thing("Pod", "shell", spec=spec))
    cluster.look()
    assert "shell" in cluster.pods()
    cluster.api.send("DELETE", path_of("Pod", "shell", HERE))
    cluster.look()

    assert set(cluster.pods()) == set(cluster.ports)


def test_fewer_replicas(cluster: Cluster) -> None:
    cluster.apply(deployment(replicas=1))
    cluster.look()
    (replica_set,) = cluster.api.list("ReplicaSet", HERE)

    assert cluster.containers() == {"nox-1": (True, 0)}
    assert cluster.upstreams() == [cluster.ports["nox-1"]]
    assert replica_set["spec"]["replicas"] == 1
    assert cluster.status("Deployment")["replicas"] == 1


def test_another_template(cluster: Cluster) -> None:
    """Its image is not there: the pods are of the new template, and do not run."""
    cluster.apply(deployment(image="registry.nox.example/nox-api:v8.0.1"))
    cluster.look()
    status = cluster.status("Deployment")
    states = [pod["status"]["containerStatuses"][0]["state"] for pod in cluster.pods().values()]
    replica_sets = cluster.api.list("ReplicaSet", HERE)

    assert {state["waiting"]["reason"] for state in states} == {"ImagePullBackOff"}
    assert status["updatedReplicas"] == 3
    assert "readyReplicas" not in status
    assert conditions(status)[1] == ("Progressing", "True", "ReplicaSetUpdated")
    assert sorted(each["spec"]["replicas"] for each in replica_sets) == [0, 3]
    assert cluster.upstreams() == []


def test_nothing_is_written_while_nothing_changes(cluster: Cluster) -> None:
    """Also by controllers that are new, and remember nothing."""
    cluster.apply(autoscaler(3))
    cluster.look()
    before = cluster.versions()
    for _ in range(3):
        cluster.controllers.tick()
    new = Controllers(cluster.controllers.settings, cluster.api)
    for _ in range(3):
        new.tick()

    assert cluster.versions() == before


def test_an_odd_object_keeps_nobody_from_the_others(cluster: Cluster) -> None:
    """Such as a Deployment that wants a pod which somebody else has made."""
    cluster.apply(deployment(replicas=1))
    cluster.look()
    spec = {"containers": [{"name": "nox-api", "image": IMAGE}]}
    cluster.apply(thing("Pod", "nox-2", spec=spec), deployment(replicas=3))
    cluster.controllers.tick()
    cluster.kill("nox-1")
    cluster.controllers.tick()

    assert len(cluster.controllers.problems) == 1
    assert "already exists" in cluster.controllers.problems[0]
    assert cluster.containers()["nox-1"] == (False, 0)


def test_the_probe_asks_the_port_that_it_names() -> None:
    slot = Slot(HERE, "nox-1", "nox-1", "10.1.0.1", {"3000": 1, "3001": 2}, IMAGE, "", "nox-api")
    container: Json = deployment()["spec"]["template"]["spec"]["containers"][0]

    for port, real in (("http", 1), ("websocket", 2), (3001, 2), (9, 0)):
        container["readinessProbe"] = {"httpGet": {"path": "/health", "port": port}}
        assert probe_of({"spec": {"containers": [container]}}, slot) == (real, "/health")
    del container["readinessProbe"]
    assert probe_of({"spec": {"containers": [container]}}, slot) is None
    container["readinessProbe"] = {"httpGet": {"port": 9}}
    probe = probe_of({"spec": {"containers": [container]}}, slot)
    assert probe is not None
    assert not answers(probe)


# ---------------------------------------------------------------- autoscalers


def test_an_autoscaler_raises_to_its_minimum(cluster: Cluster) -> None:
    cluster.apply(deployment(replicas=1), autoscaler(2))
    cluster.look()
    status = cluster.status("HorizontalPodAutoscaler")

    assert set(cluster.pods()) == {"nox-1", "nox-2"}
    assert cluster.api.get("Deployment", "nox-api", HERE)["spec"]["replicas"] == 2
    assert (status["currentReplicas"], status["desiredReplicas"]) == (2, 2)
    assert conditions(status) == [
        ("AbleToScale", "True", "ReadyForNewScale"),
        ("ScalingActive", "True", "ValidMetricFound"),
        ("ScalingLimited", "True", "TooFewReplicas"),
    ]


def test_an_autoscaler_without_a_request_for_cpu(cluster: Cluster) -> None:
    cluster.apply(deployment(resources={}), autoscaler(3))
    cluster.look()
    status = cluster.status("HorizontalPodAutoscaler")

    assert conditions(status) == [
        ("AbleToScale", "True", "SucceededGetScale"),
        ("ScalingActive", "False", "FailedGetResourceMetric"),
    ]
    assert "missing request for cpu in container nox-api" in status["conditions"][1]["message"]


def test_an_autoscaler_without_a_ready_pod(cluster: Cluster) -> None:
    cluster.apply(autoscaler(3))
    cluster.look()
    for name in cluster.ports:
        cluster.kill(name)
    cluster.look()

    assert conditions(cluster.status("HorizontalPodAutoscaler"))[1:] == [
        ("ScalingActive", "False", "FailedGetResourceMetric"),
        ("ScalingLimited", "True", "TooFewReplicas"),
    ]


def test_an_autoscaler_of_nothing(cluster: Cluster) -> None:
    cluster.apply(autoscaler(3))
    cluster.api.send("DELETE", path_of("Deployment", "nox-api", HERE))
    cluster.look()

    assert conditions(cluster.status("HorizontalPodAutoscaler"))[0] == (
        "AbleToScale",
        "False",
        "FailedGetScale",
    )


# ---------------------------------------------------------------- the edge


@dataclass(frozen=True)
class Edge:
    """A real nginx that these controllers lead."""

    cluster: Cluster
    url: str
    client: httpx.Client

    def get(self, of: str, host: str = "localhost") -> tuple[int, str]:
        """The status, and the pod with the path that it was asked for."""
        answer = self.client.get(self.url + of, headers={"host": host})
        return answer.status_code, answer.text if answer.is_success else ""

    def shows(self, *wanted: tuple[str, int], host: str = "localhost") -> None:
        """Apply what was changed, and wait until nginx has read it, and no old worker answers."""
        before, workers = self._files(), self._workers()
        self.cluster.look()
        old = workers if self._files() != before else set()

        def shown() -> None:
            assert [(of, self.get(of, host)[0]) for of, _ in wanted] == list(wanted)
            assert self._workers() & old == set()

        eventually(shown, within=10, every=0.02)

    def _files(self) -> list[str]:
        return [file.read_text() for file in sorted((self.cluster.folder / "ingress").glob("*-staging.conf"))]

    def _workers(self) -> set[int]:
        """Those that accept connections."""
        found = leftovers.children(self.cluster.crew.pids()["ingress"])
        return {pid for pid in found if "shutting down" not in leftovers.title(pid)}


@pytest.fixture
def edge(cluster: Cluster) -> Iterator[Edge]:
    folder = cluster.folder
    (folder / "ingress").rename(folder / "unused")
    authority = certificates.authority()
    authority.write(folder / "ca.pem", folder / "ca.key")
    ports = free_ports(4)
    staging = Site("staging", ports[0], ports[1], redirect=None)
    production = Site("production", ports[2], ports[3], redirect=None)
    cluster.crew.launch(ingress.prepare(folder, staging, production, certificates.issue(authority)))
    cluster.crew.wait_for("ingress")
    fresh = httpx.Limits(max_keepalive_connections=0)  # a reload closes connections that are idle
    with httpx.Client(trust_env=False, timeout=5, limits=fresh) as client:
        edge = Edge(cluster, f"http://127.0.0.1:{ports[1]}", client)
        assert edge.get("/")[0] == 503  # where it leads is not set yet
        cluster.apply(ingress_of(path("/", "Prefix", "nox-api"), path("/x", "Exact", "absent")))
        edge.shows(("/", 200), ("/x", 503))
        yield edge


def test_paths_as_kubernetes_has_them(edge: Edge) -> None:
    """A Prefix fits whole elements; the longest path is taken, and an exact one before it."""
    edge.cluster.apply(
        ingress_of(
            path("/api", "Prefix", "nox-api"),
            path("/api/user", "Prefix", "absent"),
            path("/api/user", "Exact", "nox-api", "websocket"),
            path("/health", "Exact", "nox-api"),
            path('/a "b" {c}; $d', "Prefix", "nox-api"),
        )
    )
    edge.shows(("/", 404), ("/api", 200))

    fits = {
        "/api/": 200,
        "/api/x": 200,
        "/apis": 404,
        "/api/user": 200,
        "/api/user/": 503,
        "/api/user/1": 503,
    }
    assert {of: edge.get(of)[0] for of in fits} == fits
    assert edge.get("/api/user?q=%2F")[1].partition(" ")[2] == "/api/user?q=%2F"  # as it came
    assert (edge.get("/health")[0], edge.get("/health/")[0]) == (200, 404)
    assert edge.get("/a%20%22b%22%20%7Bc%7D;%20$d/e")[0] == 200


def test_hosts_as_kubernetes_has_them(edge: Edge) -> None:
    content = ingress_of(path("/", "Prefix", "nox-api"), path("/only", "Prefix", "nox-api"))
    other = {"host": "api.example.com", "http": {"paths": [path("/v1", "Prefix", "nox-api")]}}
    wild = {"host": "*.example.org", "http": {"paths": [path("/", "Prefix", "absent")]}}
    content["spec"]["rules"] += [other, wild]
    edge.cluster.apply(content)
    edge.shows(("/v1", 200), ("/", 404), host="api.example.com")

    assert [edge.get(of)[0] for of in ("/", "/only", "/v1")] == [200, 200, 200]
    assert edge.get("/only", host="api.example.com")[0] == 404
    assert edge.get("/", host="www.example.org")[0] == 503
    assert edge.get("/", host="example.net")[0] == 404


def test_a_service_without_ready_endpoints(edge: Edge) -> None:
    """And with them again. Users are led only to pods that are ready."""
    for name in edge.cluster.ports:
        edge.cluster.kill(name)
    edge.shows(("/", 503))
    edge.cluster.crew.start("nox-2")
    edge.shows(("/", 200))

    assert {edge.get("/")[1] for _ in range(6)} == {"nox-2 /"}


def test_an_external_name_is_followed_once(edge: Edge) -> None:
    edge.cluster.apply(ingress_of(path("/", "Prefix", "bridge"), path("/y", "Exact", "nox-api")))
    for to, status in (
        (f"nox-api.{HERE}.svc.cluster.local", 200),
        (f"nox-api.{ELSEWHERE}.svc.cluster.local", 503),
        (f"nox-api.{HERE}.svc", 200),
        ("api.example.com", 503),
        (f"bridge.{HERE}.svc.cluster.local", 503),
    ):
        edge.cluster.apply(external(to))
        edge.shows(("/x", status), ("/y", 200))


def test_a_backend_is_of_the_ingresss_own_namespace(edge: Edge) -> None:
    """One by that name elsewhere, with endpoints, is not it."""
    edge.cluster.apply(
        service("abroad", ELSEWHERE, selector=None),
        ingress_of(path("/", "Prefix", "abroad"), path("/y", "Exact", "nox-api")),
    )
    edge.cluster.apply(
        thing(
            "EndpointSlice",
            "abroad-1",
            ELSEWHERE,
            apiVersion="discovery.k8s.io/v1",
            addressType="IPv4",
            endpoints=[{"addresses": ["10.1.0.1"]}],
            ports=[{"name": "http", "port": 3000}],
        )
        | {
            "metadata": {
                "name": "abroad-1",
                "namespace": ELSEWHERE,
                "labels": {"kubernetes.io/service-name": "abroad"},
            }
        }
    )
    edge.shows(("/", 503), ("/y", 200))
    edge.cluster.apply(external(f"abroad.{ELSEWHERE}.svc.cluster.local"))
    edge.cluster.apply(ingress_of(path("/", "Prefix", "bridge")))
    edge.shows(("/", 200))


def test_an_ingress_that_is_gone(edge: Edge) -> None:
    edge.cluster.api.send("DELETE", path_of("Ingress", "nox-api", HERE))
    edge.shows(("/", 404), ("/x", 404))


def test_a_service_that_is_gone_takes_its_slice(edge: Edge) -> None:
    edge.cluster.api.send("DELETE", path_of("Service", "nox-api", HERE))
    edge.shows(("/", 503))

    assert edge.cluster.api.list("EndpointSlice", HERE) == []


def test_an_address_is_written(cluster: Cluster) -> None:
    assert cluster.status("Ingress") == {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}


def test_a_default_backend() -> None:
    """Without an Ingress controller's own 404."""
    content = thing(
        "Ingress", spec={"defaultBackend": {"service": {"name": "absent", "port": {"number": 80}}}}
    )

    assert routes("staging", content, [], [], []).paths == 'location "/" {\n    return 503;\n}\n'


# ---------------------------------------------------------------- the supervisor's file


def test_the_crew_says_how_its_parts_are(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    crew = Crew(tmp_path)
    seen = []

    def look() -> None:
        seen.append(json.loads((tmp_path / "processes.json").read_text())["one"])

    try:
        crew.launch(part("one", port, tmp_path))
        crew.wait_for("one")
        first = crew.pids()["one"]
        look()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: _not(crew.is_running("one")), within=5, every=0.01)
        crew.start("one")  # before anybody has buried it
        second = crew.pids()["one"]
        look()
        crew.stop("one")
        look()
    finally:
        crew.stop_all()

    assert seen == [
        {"pid": first, "starts": 1, "exit": None},
        {"pid": second, "starts": 2, "exit": -signal.SIGKILL},
        {"pid": None, "starts": 2, "exit": -signal.SIGTERM},
    ]


def test_a_part_that_cannot_start_is_not_said_to_run(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    broken = Part("one", "", (sys.executable, "-c", "exit(3)"), tmp_path, lambda: _not(happens=True))
    try:
        crew.launch(broken)
        with pytest.raises(RehearsalError, match="one did not start: ended with exit status 3"):
            crew.wait_for("one")
        found = json.loads((tmp_path / "processes.json").read_text())
    finally:
        crew.stop_all()

    assert found == {"one": {"pid": None, "starts": 1, "exit": 3}}


def _not(happens: bool) -> None:  # noqa: FBT001
    assert not happens
