"""A way to a single pod by the stand-in, closed in the end: what is asked by it, and its port."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.fast.kube_standin.streams.pod_clients import POD, bind, of_production, session
from tests_self.kubernetes.servers import Server
from tests_self.kubernetes.workload import Handler, Workload

from nox_rehearsal.world.ports import reserved
from nox_service.pods.one import PodApi, echo
from nox_service.websocket import Echo
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.systems.kubernetes.forward import Forward, Request, is_open, left_over, pod_port


def test_by_the_proxy_where_that_is_allowed(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """No port of this machine is needed then."""
    with Forward(session(server), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        answer = way.get("/large")

    assert way.port is None
    assert (answer.status, len(answer.text)) == (200, 300_011)
    assert f"{POD}: HTTP 200" in seen[-1].seen
    assert f"/pods/{POD}:3000/proxy/large" in seen[-1].repeat


def test_a_pods_own_refusal_is_its_answer(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """With any status, it is the pod that speaks."""
    with Forward(session(server), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        assert way.get("/teapot").status == 418


def test_by_a_port_that_is_ours(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """With the documented role; several requests, and the port is closed afterwards."""
    bind(admin, nox.namespace)
    with Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        assert way.port is not None
        assert is_open(way.port)
        answers = [way.get(path) for path in ("/large", "/teapot", "/large")]

    assert [answer.status for answer in answers] == [200, 418, 200]
    assert len(answers[0].text) == 300_011
    assert not is_open(way.port)
    assert "port-forward" in seen[-1].repeat


TOKEN = "k3jx81mfQpZ20vWbe9TtLsAaCANARY"  # noqa: S105 (of an invented user)


@pytest.mark.parametrize("user", ["admin", "reader"])
def test_a_token_goes_to_the_pod_alone(
    user: str, server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """Also where the proxy is allowed: the API server would take it for its own. Nothing shows it."""
    bind(admin, nox.namespace)
    Handler.seen.clear()
    headers = {"authorization": f"Bearer {TOKEN}"}
    spelled = ('-H "Authorization: Bearer ${TEST_TOKEN:?}"',)
    request = Request("/empirical/v1", "POST", headers, "{}", spelled)
    with Forward(session(server, user), seen.append).own(nox.namespace, POD, 3000) as way:
        answer = way.send(request)
        plain = way.get("/large")

    assert (answer.status, answer.text) == (200, "POST /empirical/v1 {}")
    assert len(plain.text) == 300_011
    assert [headers.get("authorization") for headers in Handler.seen] == [f"Bearer {TOKEN}", None]
    assert not is_open(way.port)
    assert TOKEN not in repr((request, seen))
    assert seen[0].repeat.endswith(
        'pod/nox-api-0 18080:3000 & sleep 2; curl -sS -H "Authorization: Bearer ${TEST_TOKEN:?}" '
        "http://127.0.0.1:18080/empirical/v1; kill %1"
    )


def test_a_pod_asked_as_somebody(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """As the public host is asked: the same tokens, the same two requests that are not reads."""
    bind(admin, nox.namespace)
    Handler.seen.clear()
    target = replace(of_production("reader", server), credentials={"test_token": "T"}, variables={"T": TOKEN})
    with Forward(session(server, "reader"), seen.append).own(nox.namespace, POD, 3000) as way:
        api = PodApi(target, way)
        answers = [
            api.get("/large", who="test_token"),
            api.get("/teapot"),
            api.post("/predict/cj/v1", {"density": 1}, who="test_token"),
        ]
        with pytest.raises(ValueError, match="a check may only POST to"):
            api.post("/api/jobs", {})

    assert [answer.status for answer in answers] == [200, 418, 200]
    assert answers[2].text == 'POST /predict/cj/v1 {"density": 1}'
    assert [each.get("authorization") for each in Handler.seen] == [
        f"Bearer {TOKEN}",
        None,
        f"Bearer {TOKEN}",
    ]
    assert TOKEN not in repr(seen)
    assert """-H 'Content-Type: application/json' -d '{"density": 1}'""" in seen[2].repeat


def test_a_silent_pod_and_a_shut_door(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """The one is the pod's fault; of the other nothing is known."""
    forward = Forward(session(server, "reader"), seen.append)
    with forward.own(nox.namespace, POD, 3000) as way, pytest.raises(UnreachableError, match="403"):
        echo(way, "/ws", "hello")
    bind(admin, nox.namespace)
    with (
        forward.own(nox.namespace, POD, 9999) as way,
        pytest.raises(AssertionError, match=r"9999: expected an answer to a WebSocket at /ws, saw .*refused"),
    ):
        echo(way, "/ws", "hello")
    with forward.own(nox.namespace, POD, 3000) as way:
        assert echo(way, "/ws", "hello") == Echo(200, None, None)


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


def _is_named(pid: int) -> None:
    """A program that was started a moment ago has no words yet."""
    assert Path(f"/proc/{pid}/cmdline").read_bytes() != b""


@pytest.mark.parametrize("named", [["--kubeconfig=b"], ["--kubeconfig", "b"]])
def test_left_over_forward_is_found(named: list[str]) -> None:
    """A kubectl's into that namespace of that cluster, and no other process that only speaks of one."""
    namespace = f"nox-of-this-test-{len(named)}"
    words = [
        *named,
        "port-forward",
        "svc/nox-api-service-green",
        "8080:80",
        "-n",
        namespace,
    ]
    waits = "import signal; signal.pause()"
    for name, expected in (("kubectl", 1), ("grep", 0)):
        with subprocess.Popen([name, "-c", waits, *words], executable=sys.executable) as process:
            try:
                eventually(partial(_is_named, process.pid), within=10, every=0.01)
                found = left_over(namespace, "b")
                elsewhere = left_over("another-namespace") | left_over(namespace, "a")
            finally:
                process.kill()
        assert (len(found), elsewhere) == (expected, {})


def test_closed_port_is_closed() -> None:
    """The other way round of what the smoke test asks."""
    with reserved(1) as (port,):
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
