"""What a pod's own subresources and the proxies give: logs from its file, HTTP from its real port."""

import threading

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server
from tests_self.kubernetes.workload import MERGE, Handler, Workload

from noxgate.look.waiting import eventually


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "one two three"),
        ({"tailLines": 2}, "two three"),
        ({"tailLines": 0}, ""),
        ({"sinceTime": "2026-01-01T00:00:01Z"}, "two three"),
        ({"container": "nox-api"}, "one two three"),
    ],
)
def test_log(admin: httpx.Client, nox: Workload, query: dict[str, str | int], expected: str) -> None:
    answer = admin.get(f"{nox.pod}/log", params=query)

    assert answer.headers["content-type"].startswith("text/plain")
    assert " ".join(line.split(" ", 1)[1] for line in answer.text.splitlines()) == expected


def test_log_of_so_many_bytes(admin: httpx.Client, nox: Workload) -> None:
    assert admin.get(f"{nox.pod}/log", params={"limitBytes": 5}).text == "2026-"


def test_log_with_timestamps(admin: httpx.Client, nox: Workload) -> None:
    answer = admin.get(f"{nox.pod}/log", params={"timestamps": "true", "tailLines": 1})

    assert answer.text == "2026-01-01T00:00:02.000000000Z 2026-01-01T00:00:02Z three\n"


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"container": "else"}, 400, "container else is not valid for pod nox-api-0"),
        (
            {"previous": "true"},
            400,
            'previous terminated container "nox-api" in pod "nox-api-0" not found',
        ),
        (
            {"tailLines": "-1"},
            422,
            (
                'PodLogOptions "nox-api-0" is invalid: tailLines: Invalid value: -1: '
                "must be greater than or equal to 0"
            ),
        ),
    ],
)
def test_log_that_cannot_be_had(
    admin: httpx.Client, nox: Workload, query: dict[str, str], code: int, message: str
) -> None:
    answer = admin.get(f"{nox.pod}/log", params=query)

    assert (answer.status_code, answer.json()["message"]) == (code, message)


def test_log_of_one_container_of_several(admin: httpx.Client, server: Server, namespace: str) -> None:
    body = examples.pod()
    body["spec"]["containers"].append({"name": "sidecar", "image": "sidecar:1"})
    admin.post(f"/api/v1/namespaces/{namespace}/pods", json=body)
    server.put_pod(f"{namespace}/nox-api-0", log="none")
    answer = admin.get(f"/api/v1/namespaces/{namespace}/pods/nox-api-0/log")

    assert answer.json()["message"] == (
        "a container name must be specified for pod nox-api-0, choose one of: [nox-api sidecar]"
    )


def test_log_is_followed_until_the_pod_is_gone(server: Server, admin: httpx.Client, nox: Workload) -> None:
    seen: list[str] = []

    def follow() -> None:
        query = {"follow": "true", "tailLines": "1"}
        with server.client() as client, client.stream("GET", f"{nox.pod}/log", params=query) as answer:
            seen.extend(answer.iter_lines())

    def has(line: str) -> None:
        assert line in "\n".join(seen)

    thread = threading.Thread(target=follow)
    thread.start()
    eventually(lambda: has("three"), within=30, every=0.02)
    with nox.log.open("a") as log:
        log.write("four\nfi")
        log.flush()
        eventually(lambda: has("four"), within=30, every=0.02)
        log.write("ve\n")
    eventually(lambda: has("five"), within=30, every=0.02)
    admin.delete(nox.pod)
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert seen == ["2026-01-01T00:00:02Z three", "four", "five"]


@pytest.mark.parametrize("port", [":80", ":http", ""])
def test_service_proxy(admin: httpx.Client, nox: Workload, port: str) -> None:
    path = f"/api/v1/namespaces/{nox.namespace}/services/nox-api{port}/proxy/a/b%2Fc?d=e"
    answer = admin.get(path)

    assert (answer.status_code, answer.text) == (200, "GET /a/b%2Fc?d=e ")
    assert answer.headers["x-pod"] == "nox-api-0"


def test_proxy_passes_bodies_and_statuses_and_keeps_the_token(admin: httpx.Client, nox: Workload) -> None:
    proxy = f"/api/v1/namespaces/{nox.namespace}/pods/nox-api-0:3000/proxy"
    Handler.seen.clear()
    posted = admin.post(f"{proxy}/x", content=b"body")
    teapot = admin.get(f"{proxy}/teapot")
    large = admin.get(f"{proxy}/large")

    assert (posted.text, teapot.status_code, len(large.text)) == ("POST /x body", 418, 300_011)
    assert [name for seen in Handler.seen for name in seen if name.lower() == "authorization"] == []


def test_service_proxy_without_a_ready_endpoint(admin: httpx.Client, nox: Workload) -> None:
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{nox.namespace}/endpointslices/nox-api-1"
    body = examples.endpoint_slice("nox-api", "10.1.0.1", ready=False)
    admin.patch(slices, json={"endpoints": body["endpoints"]}, headers=MERGE)
    answer = admin.get(f"/api/v1/namespaces/{nox.namespace}/services/nox-api:80/proxy/health")

    assert (answer.status_code, answer.json()["message"]) == (
        503,
        'no endpoints available for service "nox-api"',
    )


def test_proxy_to_a_port_that_nobody_listens_on(admin: httpx.Client, nox: Workload) -> None:
    answer = admin.get(f"/api/v1/namespaces/{nox.namespace}/pods/nox-api-0:9999/proxy/")

    assert (answer.status_code, answer.json()["reason"]) == (503, "ServiceUnavailable")
    assert "connection refused" in answer.json()["message"]


def test_exec_without_a_websocket(admin: httpx.Client, nox: Workload, namespace: str) -> None:
    upgrade = admin.post(f"{nox.pod}/exec", params={"command": "sh", "stdout": "1"})
    admin.post(f"/api/v1/namespaces/{namespace}/pods", json=examples.pod("elsewhere"))
    nowhere = admin.post(f"/api/v1/namespaces/{namespace}/pods/elsewhere/exec")

    assert upgrade.json()["message"] == "Upgrade request required"
    assert nowhere.json()["message"] == "pod elsewhere does not have a host assigned"
