"""Input that no client should send: each is answered, and the server goes on."""

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import TOKENS, Server

from noxgate.look.waiting import eventually


@pytest.fixture(autouse=True)
def _goes_on(admin: httpx.Client) -> Iterator[None]:
    """After each of these the server still answers."""
    yield
    assert admin.get("/readyz").text == "ok"


def post(admin: httpx.Client, namespace: str, content: bytes) -> httpx.Response:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    return admin.post(path, content=content, headers={"content-type": "application/json"})


def test_huge_body(admin: httpx.Client, namespace: str) -> None:
    answer = post(admin, namespace, json.dumps(examples.config_map(a="x" * 4_000_000)).encode())

    assert (answer.status_code, answer.json()["message"]) == (
        413,
        "Request entity too large: limit is 3145728",
    )


@pytest.mark.parametrize("depth", [300, 100_000])
def test_deep_json(admin: httpx.Client, namespace: str, depth: int) -> None:
    answer = post(admin, namespace, b'{"data":' + b"[" * depth + b"]" * depth + b"}")

    assert answer.status_code == 400
    assert "exceeded max depth" in answer.json()["message"]


def test_bytes_that_are_no_text(admin: httpx.Client, namespace: str) -> None:
    """Read as Go reads them: each becomes the replacement character."""
    answer = post(admin, namespace, b'{"metadata": {"name": "x"}, "data": {"a": "\xff"}}')

    assert (answer.status_code, answer.json()["data"]) == (201, {"a": "\ufffd"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"),
        (b"[]", "cannot unmarshal array into Go value of type struct { APIVersion string"),
        (b"{]", "json parse error: invalid character ']' looking for beginning of object key string"),
        (b'{"a":1} x', "json parse error: invalid character 'x' after top-level value"),
        (b'{"data": NaN}', "json parse error"),
        (b'{"metadata": []}', "cannot unmarshal array into Go struct field ConfigMap.metadata"),
        (
            b'{"metadata": {"name": 3}}',
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.name",
        ),
        (b'{"kind": "Pod"}', "cannot be handled as a ConfigMap"),
        (b'{"apiVersion": "v2"}', 'no kind "ConfigMap" is registered for version "v2"'),
    ],
)
def test_bad_json(admin: httpx.Client, namespace: str, body: bytes, message: str) -> None:
    answer = post(admin, namespace, body)

    assert answer.status_code == 400
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v2",
        "/apis/no.such/v1",
        "/apis/no.such/v1/things",
        "/openapi/v3/apis/no/v1",
    ],
)
def test_unknown_path(admin: httpx.Client, path: str) -> None:
    answer = admin.get(path)

    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        "/api/v1/pods/x",
        "/apis/apps/v1/nothing",
        "/api/v1/namespaces/default/pods/x/nothing",
        "/api/v1/namespaces/default/nodes",
    ],
)
def test_unknown_resource(admin: httpx.Client, path: str) -> None:
    answer = admin.get(path)

    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")
    assert answer.json()["message"] == "the server could not find the requested resource"


@pytest.mark.parametrize(
    "path",
    [
        "/apis/storage.k8s.io/v1/storageclasses",
        "/api/v1/persistentvolumes",
        "/apis/node.k8s.io/v1/runtimeclasses",
    ],
)
def test_what_only_a_real_server_has_is_refused_as_such(admin: httpx.Client, path: str) -> None:
    """Neither a success nor 'not found': an answer that tells nothing about what exists."""
    answer = admin.get(path)

    assert answer.status_code == 501
    assert answer.json()["message"].startswith("the stand-in does not know ")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/api/v1/namespaces/default"),
        ("POST", "/api/v1/namespaces/default/pods/x"),
        ("PUT", "/api/v1/namespaces/default/pods"),
        ("PATCH", "/api/v1/namespaces/default/pods"),
        ("DELETE", "/api/v1/namespaces"),
        ("POST", "/api/v1/pods"),
        ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
        ("POST", "/version"),
    ],
)
def test_wrong_method(admin: httpx.Client, method: str, path: str) -> None:
    answer = admin.request(method, path, json={})

    assert answer.status_code == 405
    assert method == "HEAD" or answer.json()["reason"] == "MethodNotAllowed"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "many"}, 400),
        ({"continue": "not-a-token"}, 400),
        ({"resourceVersion": "new"}, 422),
        ({"watch": "1", "timeoutSeconds": "soon"}, 400),
    ],
)
def test_wrong_query(admin: httpx.Client, namespace: str, query: dict[str, str], code: int) -> None:
    assert admin.get(f"/api/v1/namespaces/{namespace}/pods", params=query).status_code == code


@pytest.mark.parametrize("query", [{"dryRun": "Some"}, {"fieldValidation": "Lax"}])
def test_wrong_options(admin: httpx.Client, namespace: str, query: dict[str, Any]) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"

    assert admin.post(path, json=examples.config_map(), params=query).status_code == 422


def test_a_body_of_another_type(admin: httpx.Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    answer = admin.post(path, content=b"x=y", headers={"content-type": "application/x-www-form-urlencoded"})

    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("apis/apps/v1/namespaces/{}/deployments", examples.deployment()),
        ("apis/networking.k8s.io/v1/namespaces/{}/ingresses", examples.ingress()),
        ("apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", examples.endpoint_slice("s", "10.1.0.1")),
        ("apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings", examples.binding("b", "r")),
        ("apis/apiextensions.k8s.io/v1/customresourcedefinitions", examples.definition()),
        ("api/v1/namespaces/{}/services", examples.service()),
        ("api/v1/namespaces/{}/pods", examples.pod()),
        ("api/v1/namespaces", {"metadata": {"name": "odd"}}),
    ],
)
def test_anything_anywhere_in_an_object(
    admin: httpx.Client, namespace: str, path: str, body: examples.Json
) -> None:
    """It is stored or refused, and never a fault."""
    faults = []
    odds: list[Any] = [None, {}, [], "x", [None]]
    for place in places(body):
        for odd in odds:
            changed = replaced(body, place, odd)
            answer = admin.post(f"/{path.format(namespace)}", json=changed, params={"dryRun": "All"})
            if answer.status_code not in {201, 400, 409, 422}:
                faults.append((place, odd, answer.text))

    assert faults == []


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in an object."""
    yield path
    children = (
        enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    )
    for name, child in children:
        yield from places(child, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else at a place."""
    if not path:
        return new
    copied = list(value) if isinstance(value, list) else dict(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


def test_slow_client(server: Server) -> None:
    """A request that comes in pieces, byte by byte at its start."""
    body = b'{"spec": {}}'
    head = (
        "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {TOKENS['admin']}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    ).encode()
    with connected(server) as raw:
        for byte in head[:20]:
            raw.sendall(bytes([byte]))
        raw.sendall(head[20:] + body[:4])
        raw.sendall(body[4:])
        answer = raw.recv(100)

    assert answer.startswith(b"HTTP/1.1 201")


def test_client_that_leaves_a_watch(server: Server, admin: httpx.Client, namespace: str) -> None:
    """Nothing is left of it: the server is not slower and has no open file more."""
    before = open_files(server)
    for _ in range(20):
        with connected(server) as raw:
            raw.sendall(
                b"GET /api/v1/pods?watch=1 HTTP/1.1\r\nhost: x\r\n"
                + f"authorization: Bearer {TOKENS['admin']}\r\n\r\n".encode()
            )
            assert raw.recv(12) == b"HTTP/1.1 200"
    admin.post(f"/api/v1/namespaces/{namespace}/pods", json=examples.pod())

    def left() -> None:
        assert open_files(server) <= before + 1

    eventually(left, within=30, every=0.1)


def test_client_that_leaves_in_the_middle_of_its_body(server: Server) -> None:
    with connected(server) as raw:
        raw.sendall(
            b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n"
            + f"authorization: Bearer {TOKENS['admin']}\r\n\r\n".encode()
            + b'{"data"'
        )


def connected(server: Server) -> ssl.SSLSocket:
    """A TLS connection of our own."""
    address = urlsplit(server.url)
    context = ssl.create_default_context(cafile=str(server.ca))
    plain = socket.create_connection((str(address.hostname), address.port or 0), timeout=30)
    return context.wrap_socket(plain, server_hostname="localhost")


def open_files(server: Server) -> int:
    """How many files and connections the server has open."""
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
