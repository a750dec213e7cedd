"""A cluster for green, and green before it is changed and made there."""

from collections.abc import Iterator

import httpx
import pytest
from tests_self.fast.blue_green.traffic.given import (
    NUMBERS,
    Green3,
    deployment,
    endpoint,
    endpoint_slice,
    ingress,
    pod,
    seen_as,
    service,
)
from tests_self.kubernetes.servers import Server, stand_in
from tests_self.service import GREEN

from noxgate.systems.kubernetes.kube import Kube


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def kube(server: Server) -> Iterator[Kube]:
    yield from seen_as(server, "admin")


@pytest.fixture
def green() -> Green3:
    numbers = (1, 2, 3)
    objects = {"deployment": deployment(), "service": service(), "ingress": ingress()}
    objects |= {f"pod {number}": pod(number) for number in numbers}
    objects["slice"] = endpoint_slice(GREEN, *map(endpoint, numbers))
    return Green3(f"green-{next(NUMBERS)}", objects)
