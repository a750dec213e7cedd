"""The stand-in for the tests: one for the session, and a namespace of its own for each test."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.kubectl import Kubectl
from tests_self.kubernetes.servers import Server, available, kubectl_path, stand_in
from tests_self.kubernetes.workload import Workload, workload

OF_KUBECTL = ["test_kubectl.py", "changes/test_kubectl_writing.py"]
collect_ignore = [] if kubectl_path() else OF_KUBECTL  # left out, which the header says
_NUMBERS = itertools.count(1)


def pytest_report_header() -> list[str]:
    """Say what these tests run on: what is not on this machine is left out, not skipped."""
    return [
        f"kubernetes contract on: {', '.join(available())} (KUBEBUILDER_ASSETS adds kube-apiserver)",
        f"kubectl: {kubectl_path() or 'none of 1.31 or newer, so its tests are left out'}",
    ]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The stand-in that all tests but the contract's share."""
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running:
        yield running


@pytest.fixture(scope="session")
def admin(server: Server) -> Iterator[httpx.Client]:
    """A client that may do everything."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def reader(server: Server) -> Iterator[httpx.Client]:
    """A client that may do nothing until somebody binds a role to `release-gate`."""
    with server.client("reader") as client:
        yield client


@pytest.fixture
def namespace(admin: httpx.Client) -> str:
    """A namespace that no other test uses."""
    name = f"test-{next(_NUMBERS)}"
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert admin.post("/api/v1/namespaces", json=body).status_code == 201
    return name


@pytest.fixture
def nox(server: Server, admin: httpx.Client, namespace: str, tmp_path: Path) -> Iterator[Workload]:
    """A workload with one real pod in this test's namespace."""
    with workload(server, admin, namespace, tmp_path) as made:
        yield made


@pytest.fixture
def core(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}"


@pytest.fixture
def apps(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}"


@pytest.fixture
def kubectl(server: Server, nox: Workload) -> Kubectl:
    return Kubectl(kubectl_path() or "kubectl", server.kubeconfig(), nox.namespace)


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., str]:
    """Write objects to a file for kubectl."""

    def write(*objects: examples.Json) -> str:
        path = tmp_path / "manifest.json"
        path.write_text("\n".join(json.dumps(each) for each in objects))
        return str(path)

    return write
