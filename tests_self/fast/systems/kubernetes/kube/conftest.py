"""The stand-in, and clients of it."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests_self.building.kube_clients import NAMESPACE, of
from tests_self.fast.systems.kubernetes.kube.looking import CANARY, Look, create
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server, stand_in

from noxgate.look.observation import Observation
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    """What the tests themselves do in the cluster."""
    with server.client() as client:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        assert client.post("/api/v1/namespaces", json=namespace).status_code == 201
        yield client


@pytest.fixture
def seen() -> list[Observation]:
    return []


@pytest.fixture
def look(server: Server, admin: httpx.Client, seen: list[Observation]) -> Iterator[Look]:
    """A client with the credential of `admin`, of `reader` or without one."""
    assert admin  # it has made the namespace
    sessions: list[KubeSession] = []

    def make(user: str = "admin", *, dry_runs: str | None = None, **changes: Any) -> Kube:
        target = of(server.kubeconfig(user), **changes)
        pair = (
            KubeSession(settings.cluster(target)),
            KubeSession(settings.cluster(of(server.kubeconfig(dry_runs or user), **changes))),
        )
        sessions.extend(pair)
        return Kube(*pair, seen.append)

    yield make
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def furnished(admin: httpx.Client) -> None:
    """An Ingress, a Deployment, three ConfigMaps and a Secret."""
    create(admin, f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses", examples.ingress())
    create(admin, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", examples.deployment())
    for number in range(3):
        create(admin, f"/api/v1/namespaces/{NAMESPACE}/configmaps", examples.config_map(f"map-{number}"))
    values = {
        "empty": "",
        "blank": " \n",
        "newline": f"{CANARY}\n",
        "filler": "change-me",
        "encoded": base64.b64encode(b"changeme").decode(),
        "url": "postgresql://nox:your-password@db.example.com/nox",
        "good": CANARY,
        "also": f"postgresql://nox:{CANARY}@db.nox.example/nox",
        "pem": f"-----BEGIN KEY-----\n{CANARY}\n-----END KEY-----\n",
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oauth-secrets"}, "data": data}
    create(admin, f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
