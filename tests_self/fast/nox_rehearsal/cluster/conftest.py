"""A stand-in of the API server, and a cluster in it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests_self.fast.nox_rehearsal.cluster.watched import (
    ELSEWHERE,
    HERE,
    IMAGE,
    Cluster,
    deployment,
    ingress_of,
    part,
    path,
    service,
)
from tests_self.kubernetes.servers import TOKENS, Server, stand_in

from nox_rehearsal.cluster.controllers import Controllers
from nox_rehearsal.cluster.objects import Api, path_of
from nox_rehearsal.cluster.processes import ControllerSettings
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.processes import Crew


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running:
        yield running


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    """Of three pods, by name."""
    with reserved(3) as them:
        yield dict(zip(("nox-1", "nox-2", "nox-3"), them, strict=True))


@pytest.fixture
def cluster(server: Server, ports: dict[str, int], tmp_path: Path) -> Iterator[Cluster]:
    """Three pods are ready behind a Service and an Ingress."""
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
    read = ControllerSettings.read(tmp_path / "settings.json")
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
