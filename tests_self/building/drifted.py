"""Objects in a cluster, and how they differ from their manifests."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests_self.building.kube_clients import of
from tests_self.kubernetes.servers import Server, stand_in

from noxgate.look.observation import Observation
from noxgate.systems import settings
from noxgate.systems.kubernetes.drift import drift_of
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.session import KubeSession

NAMESPACE = "nox-staging-green"

Seen = list[Observation]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


@pytest.fixture
def admin(server: Server) -> Iterator[httpx.Client]:
    """A namespace without what the last test left, and who writes into it."""
    with server.client() as client:
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        assert client.post("/api/v1/namespaces", json=made).status_code in {201, 409}
        for where in PATHS.values():
            every = client.get(where.format(NAMESPACE)).json()["items"]
            for each in every:
                client.delete(f"{where.format(NAMESPACE)}/{each['metadata']['name']}")
        yield client


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def kube(server: Server, seen: Seen) -> Iterator[Kube]:
    session = KubeSession(settings.cluster(of(server.kubeconfig())))
    yield Kube(session, session, seen.append)
    session.close()


PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
}


def path(manifest: dict[str, Any]) -> str:
    return PATHS[manifest["kind"]].format(NAMESPACE)


def applied(
    admin: httpx.Client, manifest: dict[str, Any], manager: str = "kubectl-client-side-apply"
) -> None:
    answer = admin.post(path(manifest), json=manifest, params={"fieldManager": manager})
    assert answer.status_code == 201, answer.text


def found(kube: Kube, *manifests: dict[str, Any]) -> list[str]:
    documents = [
        Document("a.yaml", number, each["kind"], each["metadata"]["name"], None, each)
        for number, each in enumerate(manifests, start=1)
    ]
    return [line for lines in drift_of(kube, documents, NAMESPACE).values() for line in lines]
