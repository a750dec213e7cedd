"""The official Python client against the stand-in, with the traps that its users meet."""

import gc
import json
import warnings
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.stream import portforward, stream
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server
from tests_self.kubernetes.workload import Workload

from noxgate.look.waiting import eventually


@pytest.fixture
def api(server: Server) -> Iterator[Any]:
    with connected(server) as made:
        yield made


@pytest.fixture
def core(api: Any) -> Any:
    return client.CoreV1Api(api)


@pytest.fixture(autouse=True)
def _left_open() -> Iterator[None]:
    """The client leaves the sockets of ended and refused websockets to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def execute(core: Any, nox: Workload, *command: str, stdin: bool = False) -> Any:
    return stream(
        core.connect_get_namespaced_pod_exec,
        "nox-api-0",
        nox.namespace,
        command=list(command),
        stdin=stdin,
        stdout=True,
        stderr=True,
        _preload_content=False,
        _request_timeout=30,
    )


def test_list(core: Any, nox: Workload) -> None:
    pods = core.list_namespaced_pod(nox.namespace, label_selector="app=nox-api", _request_timeout=30).items

    assert [(pod.metadata.name, pod.status.pod_ip) for pod in pods] == [("nox-api-0", "10.1.0.1")]
    assert pods[0].status.container_statuses[0].ready is True


def test_pages(core: Any, admin: httpx.Client, namespace: str) -> None:
    for number in range(3):
        admin.post(f"/api/v1/namespaces/{namespace}/configmaps", json=examples.config_map(f"c{number}"))
    first = core.list_namespaced_config_map(namespace, limit=2)
    second = core.list_namespaced_config_map(namespace, limit=2, _continue=first.metadata._continue)  # noqa: SLF001

    assert [each.metadata.name for each in [*first.items, *second.items]] == ["c0", "c1", "c2"]


def test_watch(core: Any, nox: Workload) -> None:
    watching: Any = watch.Watch()  # type: ignore[no-untyped-call]
    events = list(
        watching.stream(core.list_namespaced_pod, nox.namespace, timeout_seconds=1, _request_timeout=30)
    )

    assert [(event["type"], event["object"].metadata.name) for event in events] == [("ADDED", "nox-api-0")]


def test_patch_as_a_dry_run(api: Any, nox: Workload) -> None:
    apps = client.AppsV1Api(api)
    dry = apps.patch_namespaced_deployment(
        "nox-api", nox.namespace, {"spec": {"replicas": 9}}, dry_run="All", _request_timeout=30
    )
    now = apps.read_namespaced_deployment("nox-api", nox.namespace)

    assert (dry.spec.replicas, now.spec.replicas) == (9, 3)


def test_refusal(api: Any, nox: Workload) -> None:
    networking: Any = client.NetworkingV1Api(api)
    networking.create_namespaced_ingress(nox.namespace, examples.ingress())
    backend = {"service": {"name": "green", "port": {"number": 80}}}
    body = {"spec": {"rules": [{"http": {"paths": [{"backend": backend}]}}]}}
    with pytest.raises(ApiException) as refused:
        networking.patch_namespaced_ingress("nox-api-ingress", nox.namespace, body, dry_run="All")

    status = json.loads(str(refused.value.body))
    assert (refused.value.status, status["reason"]) == (422, "Invalid")
    assert [cause["field"] for cause in status["details"]["causes"]] == [
        "spec.rules[0].http.paths[0].pathType"
    ]


def test_missing(core: Any, namespace: str) -> None:
    with pytest.raises(ApiException) as missing:
        core.read_namespaced_secret("no-such", namespace)

    assert json.loads(str(missing.value.body))["message"] == 'secrets "no-such" not found'


def test_log(core: Any, nox: Workload) -> None:
    text = core.read_namespaced_pod_log("nox-api-0", nox.namespace, tail_lines=1)

    assert text == "2026-01-01T00:00:02Z three\n"


def test_service_proxy(core: Any, nox: Workload) -> None:
    answer = core.connect_get_namespaced_service_proxy_with_path(
        "nox-api:80", nox.namespace, "health", _preload_content=False, _request_timeout=30
    )

    assert answer.data == b"GET /health "


def test_exec(core: Any, nox: Workload) -> None:
    run = execute(core, nox, "sh", "-c", 'echo "out $COLOUR"; echo err >&2; exit 3')
    run.run_forever(timeout=30)

    assert (run.read_stdout(), run.read_stderr(), run.returncode) == ("out green\n", "err\n", 3)


def test_exec_with_input(core: Any, nox: Workload) -> None:
    run = execute(core, nox, "python", "-c", "print(input().upper())", stdin=True)
    run.write_stdin("hello\n")
    run.run_forever(timeout=30)

    assert (run.read_stdout(), run.returncode) == ("HELLO\n", 0)


def test_exec_of_what_is_not_there(core: Any, nox: Workload) -> None:
    run = execute(core, nox, "psql")
    run.run_forever(timeout=30)

    message = json.loads(run.read_channel(3))["message"]
    assert message.endswith('exec: "psql": executable file not found in $PATH: unknown')


def test_exec_ends_with_its_client(core: Any, nox: Workload) -> None:
    """The program does not outlive the connection, nor does what it has started."""
    script = "echo $$ >pid; sleep 60 & echo $! >child; echo started; wait"
    run = execute(core, nox, "sh", "-c", script)
    assert run.readline_stdout(timeout=30) == "started"
    run.close()

    eventually(lambda: _gone(nox), within=30, every=0.05)


def _gone(nox: Workload) -> None:
    running = []
    for name in ("pid", "child"):
        pid = nox.log.with_name(name).read_text().strip()
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # the second: it ended while it was read
            continue
        if status.rpartition(")")[2].split()[0] != "Z":
            running.append(name)
    assert running == []


def test_port_forward(core: Any, nox: Workload) -> None:
    forward = portforward(
        core.connect_get_namespaced_pod_portforward, "nox-api-0", nox.namespace, ports="3000"
    )
    with closing(forward.socket(3000)) as raw:
        raw.setblocking(True)  # noqa: FBT003 (its only parameter)
        raw.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = HTTPResponse(raw)
        answer.begin()
        body = answer.read()

    assert (answer.status, len(body)) == (200, 300_011)
    assert forward.error(3000) is None


def test_port_forward_to_a_port_that_nobody_listens_on(core: Any, nox: Workload) -> None:
    forward = portforward(
        core.connect_get_namespaced_pod_portforward, "nox-api-0", nox.namespace, ports="9999"
    )
    with closing(forward.socket(9999)) as raw:
        raw.setblocking(True)  # noqa: FBT003 (its only parameter)
        assert raw.recv(1) == b""

    assert "connection refused" in forward.error(9999)


def test_refused_websocket(server: Server, nox: Workload) -> None:
    """The client says status 0, and the real one only in its reason."""
    reader = client.CoreV1Api(connected(server, "reader"))
    with pytest.raises(ApiException) as refused:
        execute(reader, nox, "sh")

    assert refused.value.status == 0
    assert str(refused.value.reason).startswith("Handshake status 403")
    assert "cannot get resource" in str(refused.value.reason)


def connected(server: Server, user: str = "admin") -> client.ApiClient:
    """The client with the kubeconfig of a user."""
    made: client.ApiClient = new_client_from_config(config_file=str(server.kubeconfig(user)))  # type: ignore[no-untyped-call]
    return made
