"""The HTTP proxy to pods and services: from what a path names to a real port, and the request forwarded."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from kube_standin.cluster import Cluster, built_in
from kube_standin.settings import Place
from kube_standin.wire import answers
from kube_standin.wire.answers import Json

SERVICE_NAME = "kubernetes.io/service-name"
TIMEOUT = 30.0
LARGEST = 32 * 1024 * 1024
# Of one connection only, or said anew by whoever sends on
NOT_FORWARDED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True)
class Answer:
    """What the pod answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def split_name(name: str) -> tuple[str, str, str]:
    """Scheme, name and port of `[scheme:]name[:port]`."""
    parts = name.split(":")
    if len(parts) == 1:
        return "http", parts[0], ""
    if len(parts) == 2:  # noqa: PLR2004 (name and port)
        return "http", parts[0], parts[1]
    return parts[0] or "http", parts[1], parts[2]


def pod_address(cluster: Cluster, namespace: str, name: str) -> tuple[str, int]:
    """The real address behind pods/<name>[:port]/proxy."""
    _, pod_name, port = split_name(name)
    pod = cluster.store.get(built_in("Pod"), namespace, pod_name)
    if pod is None:
        raise answers.not_found("", "pods", pod_name)
    number = int(port) if port.isdigit() else container_port(pod, port)
    if number is None:
        raise answers.bad_request(f'no port "{port}" in pod "{pod_name}"')
    if not pod.get("status", {}).get("podIP"):
        raise answers.bad_request("address not allowed")
    return real_address(cluster, pod, number)


def service_address(cluster: Cluster, namespace: str, name: str) -> tuple[str, int]:
    """The real address of a ready pod behind services/<name>[:port]/proxy."""
    _, service_name, port = split_name(name)
    service = cluster.store.get(built_in("Service"), namespace, service_name)
    if service is None:
        raise answers.not_found("", "services", service_name)
    ports = service["spec"].get("ports", [])
    if not port and len(ports) == 1:
        chosen = ports[0]
    else:
        found = [each for each in ports if port and port in {each.get("name"), str(each["port"])}]
        if not found:
            raise answers.unavailable(f'no service port "{port}" found for service "{service_name}"')
        chosen = found[0]
    slices = _slices(cluster, namespace, service_name)
    if not slices:
        raise answers.not_found("", "services", service_name)
    for endpoint_slice in slices:
        numbers = [
            each["port"]
            for each in endpoint_slice.get("ports") or []
            if each.get("name", "") == chosen.get("name", "")
        ]
        for address in _ready(endpoint_slice):
            pod = _pod_at(cluster, namespace, address)
            if numbers and pod is not None:
                return real_address(cluster, pod, numbers[0])
    raise answers.unavailable(f'no endpoints available for service "{service_name}"')


def container_port(pod: Json, name: str) -> int | None:
    """The number of a container's port by its name; its first port without one, or 80 without ports."""
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports", [])]
    if not name:
        return int(ports[0]["containerPort"]) if ports else 80
    return next((int(port["containerPort"]) for port in ports if port.get("name") == name), None)


def real_address(cluster: Cluster, pod: Json, port: int) -> tuple[str, int]:
    """Where a pod's port is on this machine."""
    meta = pod["metadata"]
    place = cluster.places.of(meta["namespace"], meta["name"]) or Place()
    address = place.of_port(port)
    if address is None:
        ip = pod.get("status", {}).get("podIP", "")
        raise answers.unavailable(
            f"error trying to reach service: dial tcp {ip}:{port}: connect: connection refused"
        )
    return address


async def forward(
    address: tuple[str, int], method: str, path: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Send a request on and read the whole answer."""
    host, port = address
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port, limit=2**20)
            try:
                writer.write(_request(address, method, path, headers, body))
                await writer.drain()
                return await _answer(reader, method)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        why = (
            "connect: connection refused"
            if isinstance(error, ConnectionRefusedError)
            else str(error) or "EOF"
        )
        raise answers.unavailable(f"error trying to reach service: dial tcp {host}:{port}: {why}") from None


def _request(
    address: tuple[str, int], method: str, path: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"host: {address[0]}:{address[1]}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in NOT_FORWARDED]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def _answer(reader: asyncio.StreamReader, method: str) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = [
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(":") for line in head[1:-2])
    ]
    found = dict(headers)
    if method == "HEAD" or status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        body = b""
    elif found.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    elif "content-length" in found:
        body = await reader.readexactly(int(found["content-length"]))
    else:
        body = await reader.read(LARGEST)
    return Answer(status, [each for each in headers if each[0] not in NOT_FORWARDED], body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return body


def _slices(cluster: Cluster, namespace: str, service: str) -> Sequence[Json]:
    found = cluster.store.all(built_in("EndpointSlice"), namespace)
    return [each for each in found if each["metadata"].get("labels", {}).get(SERVICE_NAME) == service]


def _ready(endpoint_slice: Json) -> list[str]:
    """The addresses that take traffic; a condition that is not set counts as ready."""
    return [
        address
        for endpoint in endpoint_slice.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready", True)
        for address in endpoint["addresses"]
    ]


def _pod_at(cluster: Cluster, namespace: str, address: str) -> Json | None:
    pods = cluster.store.all(built_in("Pod"), namespace)
    return next((pod for pod in pods if pod.get("status", {}).get("podIP") == address), None)
