"""The platform for which images have to be: the nodes' own, of all of them or of those with our pods."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server, stand_in

from noxgate.blue_green.nodes import platform_of_nodes
from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A cluster with a namespace, and no node."""
    with stand_in(tmp_path) as running:
        with running.client() as client:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nox"}}
            assert client.post("/api/v1/namespaces", json=namespace).status_code == 201
        yield running


def node(client: httpx.Client, name: str, processor: str, system: str = "linux") -> None:
    """A node as its kubelet describes it."""
    metadata = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    assert client.post("/api/v1/nodes", json=metadata).status_code == 201
    status = {"status": {"nodeInfo": {"operatingSystem": system, "architecture": processor}}}
    headers = {"content-type": "application/merge-patch+json"}
    assert client.patch(f"/api/v1/nodes/{name}/status", json=status, headers=headers).status_code == 200


def pod(client: httpx.Client, name: str, on: str, app: str = "nox-api") -> None:
    """A pod that was given a node."""
    made = examples.pod(name, app=app)
    made["spec"]["nodeName"] = on
    answer = client.post("/api/v1/namespaces/nox/pods", json=made)
    assert answer.status_code == 201, answer.text


def platform(server: Server, user: str = "admin") -> str:
    target = Target(
        name="production",
        path=Path("production.toml"),
        serves=(),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        kubeconfig=str(server.kubeconfig(user)),
    )
    session = KubeSession(settings.cluster(target))
    try:
        return platform_of_nodes(Kube(session, session, lambda _: None), "nox", "app=nox-api", "mine.toml")
    finally:
        session.close()


@pytest.mark.parametrize("processor", ["amd64", "arm64", "s390x"])
def test_nodes_of_one_kind(server: Server, processor: str) -> None:
    """Whether or not there is a pod yet."""
    with server.client() as client:
        node(client, "one", processor)
        node(client, "two", processor)

    assert platform(server) == f"linux/{processor}"


def test_nodes_of_several_kinds(server: Server) -> None:
    """Those with our pods decide; without pods, or with pods on both, the profile has to."""
    with server.client() as client:
        node(client, "old", "amd64")
        node(client, "new", "arm64")
        node(client, "desk", "amd64", "windows")
        pod(client, "other", "old", app="proxy")
        with pytest.raises(UnreachableError, match=r"saw none: say platform = .* in mine\.toml"):
            platform(server)
        pod(client, "nox-api-0", "new")
        assert platform(server) == "linux/arm64"
        pod(client, "nox-api-1", "old")
        with pytest.raises(UnreachableError, match="saw linux/amd64, linux/arm64: say platform"):
            platform(server)


def test_nobody_knows(server: Server) -> None:
    """No node, a node that does not say, and no right to look: each ends with what to do."""
    with pytest.raises(UnreachableError, match="saw none: say platform"):
        platform(server)
    with pytest.raises(UnreachableError, match=r"docs/roles/nodes\.yaml: .*; or say platform = "):
        platform(server, "reader")
    with server.client() as client:
        metadata = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "silent"}}
        assert client.post("/api/v1/nodes", json=metadata).status_code == 201
    with pytest.raises(UnreachableError, match="saw none: say platform"):
        platform(server)
