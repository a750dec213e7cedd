"""A cluster that serves every kind of edge."""

from collections.abc import Iterator

import httpx
import pytest
from tests_self.building.edges import SERVED, VERSIONS, post
from tests_self.building.kube_clients import custom_kind, of
from tests_self.kubernetes.servers import Server, stand_in

from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession


@pytest.fixture(scope="module")
def edge_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster that serves every kind of edge."""
    with stand_in(tmp_path_factory.mktemp("kubernetes")) as running:
        with running.client() as client:
            for (kind, group), plural in SERVED.items():
                body = custom_kind(kind, group, plural, VERSIONS.get(kind, "v1"))
                post(client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
        yield running


@pytest.fixture
def admin(edge_server: Server) -> Iterator[httpx.Client]:
    with edge_server.client() as client:
        yield client


@pytest.fixture
def kube(edge_server: Server) -> Iterator[Kube]:
    session = KubeSession(settings.cluster(of(edge_server.kubeconfig())))
    yield Kube(session, session, lambda _: None)
    session.close()
