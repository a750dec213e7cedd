"""The clients of single pods against the stand-in: a way to each, closed in the end, and their logs."""

import gc
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from nox_rehearsal.world.ports import free_ports
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, is_open, left_over, pod_port
from noxgate.systems.kubernetes.pod_logs import PodLogs
from noxgate.systems.kubernetes.session import KubeSession

from .servers import Server
from .workload import Workload

LOOK = Path(__file__).parents[2] / "docs" / "roles" / "look.yaml"
POD = "nox-api-0"


@pytest.fixture(autouse=True)
def _left_open() -> Iterator[None]:
    """The client leaves the sockets of ended and refused websockets to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def seen() -> list[Observation]:
    return []


def session(server: Server, user: str = "admin") -> KubeSession:
    target = Target(
        name="production",
        path=Path("production.toml"),
        serves=("green",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        kubeconfig=str(server.kubeconfig(user)),
    )
    return KubeSession(target)


def bind(admin: httpx.Client, namespace: str) -> None:
    """The documented role, to the user of the credential `reader`."""
    role = yaml.safe_load(LOOK.read_text())
    role["metadata"]["namespace"] = namespace
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "noxgate-look", "namespace": namespace},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": role["metadata"]["name"],
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "release-gate"}],
    }
    root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    for plural, body in {"roles": role, "rolebindings": binding}.items():
        assert admin.post(f"{root}/{plural}", json=body).status_code == 201


def test_by_the_proxy_where_that_is_allowed(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """No port of this machine is needed then."""
    with Forward(session(server), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        answer = way.get("/large")

    assert way.port is None
    assert (answer.status, len(answer.text)) == (200, 300_011)
    assert f"{POD}: HTTP 200" in seen[-1].seen
    assert f"/pods/{POD}:3000/proxy/large" in seen[-1].repeat


def test_a_pods_own_refusal_is_its_answer(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """Whatever the status, it is the pod that speaks."""
    with Forward(session(server), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        assert way.get("/teapot").status == 418


def test_by_a_port_that_is_ours(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """With the documented role; several requests, and nobody listens there afterwards."""
    bind(admin, nox.namespace)
    with Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        assert way.port is not None
        assert is_open(way.port)
        answers = [way.get(path) for path in ("/large", "/teapot", "/large")]

    assert [answer.status for answer in answers] == [200, 418, 200]
    assert len(answers[0].text) == 300_011
    assert not is_open(way.port)
    assert "port-forward" in seen[-1].repeat


def test_nobody_listens_in_the_pod(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """That is the pod's fault, and says so."""
    bind(admin, nox.namespace)
    with (
        Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 9999) as way,
        pytest.raises(AssertionError, match="connection refused"),
    ):
        way.get("/health")


def test_no_right_to_either_is_nothing_known(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """The reason names the role that lets it, and shows no header of the request."""
    with (
        Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 3000) as way,
        pytest.raises(UnreachableError, match=r"403 \(the role of docs/roles/look.yaml lets it\)") as raised,
    ):
        way.get("/health")

    assert "\n" not in str(raised.value)
    assert "authorization" not in str(seen).lower()


def test_left_over_forward_is_found() -> None:
    """A kubectl's into that namespace, and no other process that only speaks of one."""
    words = [
        "--kubeconfig=b",
        "port-forward",
        "svc/nox-api-service-green",
        "8080:80",
        "-n",
        "nox-of-this-test",
    ]
    waits = "import signal; signal.pause()"
    for name, expected in (("kubectl", 1), ("grep", 0)):
        with subprocess.Popen([name, "-c", waits, *words], executable=sys.executable) as process:
            try:
                found = left_over("nox-of-this-test", "b")
                elsewhere = left_over("another-namespace") | left_over("nox-of-this-test", "a")
            finally:
                process.kill()
        assert (len(found), elsewhere) == (expected, {})


def test_closed_port_is_closed() -> None:
    """The other way round of what the smoke test asks."""
    (port,) = free_ports(1)

    assert not is_open(port)


def pod(port: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "ports": [port]}]}}


def test_pod_port() -> None:
    """As kubectl finds it: by number, by the container's own name for it, or the same number."""
    entry: dict[str, Any] = {"port": 80, "targetPort": "http"}
    service = {"metadata": {"name": "s"}, "spec": {"ports": [entry]}}
    named = pod({"name": "http", "containerPort": 3000})

    assert pod_port(service, 80, named) == 3000
    entry["targetPort"] = 3001
    assert pod_port(service, 80, named) == 3001
    del entry["targetPort"]
    assert pod_port(service, 80, named) == 80
    with pytest.raises(AssertionError, match="Service s has no port 8080"):
        pod_port(service, 8080, named)
    entry["targetPort"] = "web"
    with pytest.raises(AssertionError, match="names no port 'web'"):
        pod_port(service, 80, named)


def logs(server: Server, user: str, seen: list[Observation]) -> PodLogs:
    return PodLogs(session(server, user), seen.append)


def of(nox: Workload) -> dict[str, Any]:
    return {
        "metadata": {"namespace": nox.namespace, "name": POD},
        "spec": {"containers": [{"name": "nox-api"}]},
    }


def test_logs(server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]) -> None:
    """The last lines and those since the switch; what is recorded of them are counts."""
    bind(admin, nox.namespace)
    nox.log.write_text("2026-01-01T00:00:00Z secret one\n2026-01-01T00:00:02Z ERROR two\n")

    (log,) = logs(server, "reader", seen).of(of(nox), datetime(2026, 1, 1, tzinfo=UTC), 1)

    assert [line.split("Z ")[-1] for line in log.lines] == ["secret one", "ERROR two"]
    assert "1 lines" in seen[0].seen
    assert "2 lines" in seen[1].seen
    assert "1 of an error's level" in seen[1].seen
    assert "secret" not in str(seen)


def test_logs_without_the_right(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """Nothing is known then, and the reason names the role."""
    with pytest.raises(UnreachableError, match=r"bind the role of docs/roles/look\.yaml"):
        logs(server, "reader", seen).of(of(nox), None, 100)


def test_logs_that_are_too_long(
    server: Server, nox: Workload, seen: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a log without an error is no log without an error."""
    monkeypatch.setattr("noxgate.systems.kubernetes.pod_logs.MOST_BYTES", 100)
    nox.log.write_text("2026-01-01T00:00:00Z x\n" * 100)

    with pytest.raises(UnreachableError, match="more than 100 bytes"):
        logs(server, "admin", seen).of(of(nox), None, 100)
