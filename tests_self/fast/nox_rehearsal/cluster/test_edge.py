"""The Ingress leads users as Kubernetes would; the supervisor writes down how its parts are."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests_self.fast.nox_rehearsal.cluster.watched import (
    ELSEWHERE,
    HERE,
    Cluster,
    Json,
    ingress_of,
    part,
    path,
    service,
    thing,
)

from nox_rehearsal.cluster.objects import path_of
from nox_rehearsal.cluster.routes import routes
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import certificates, ingress
from nox_rehearsal.parts.ingress_conf import Site
from nox_rehearsal.world import leftovers
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.processes import Crew, Part
from noxgate.look.waiting import eventually


def external(to: str) -> Json:
    return thing(
        "Service",
        "bridge",
        spec={"type": "ExternalName", "externalName": to, "ports": [{"name": "http", "port": 80}]},
    )


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

        eventually(shown, within=30, every=0.02)

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
    with reserved(4) as ports:
        staging = Site("staging", ports[0], ports[1], redirect=None)
        production = Site("production", ports[2], ports[3], redirect=None)
        cluster.crew.launch(ingress.prepare(folder, staging, production, certificates.issue(authority)))
        cluster.crew.wait_for("ingress")
        fresh = httpx.Limits(max_keepalive_connections=0)  # a reload closes connections that are idle
        with httpx.Client(trust_env=False, timeout=30, limits=fresh) as client:
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


def test_the_crew_says_how_its_parts_are(tmp_path: Path) -> None:
    with reserved(1) as (port,):
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
            eventually(lambda: _not(crew.is_running("one")), within=30, every=0.01)
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
