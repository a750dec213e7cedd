"""The real Prometheus and the real API server of a world, behind somebody who changes what they answer."""

import base64
import http.client
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import yaml
from tests_self.faults import http as wrong
from tests_self.faults.fault import GO, INCONCLUSIVE, NO_GO, Changes, Fault, Make, Scene

PROMETHEUS, KUBERNETES = "Prometheus", "Kubernetes API"
DEAR = 10  # one call in so many


@dataclass(frozen=True)
class Answer:
    """What goes back to the gate."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = "application/json"


Change = Callable[[int, str, Answer], Answer]  # the number of the call, its path, the real answer


def talking(place: str, change: Change, context: ssl.SSLContext | None = None) -> wrong.Talk:
    """Ask the real one, change what it says, answer."""
    parts = urlsplit(place)
    calls = itertools.count(1)

    def talk(connection: socket.socket, _: threading.Event) -> None:
        with connection.makefile("rb") as incoming:
            while line := incoming.readline():
                method, path, _version = line.decode().split()
                headers = http.client.parse_headers(incoming)
                body = incoming.read(int(headers.get("content-length", 0)))
                answer = change(next(calls), path, _real(method, path, dict(headers.items()), body))
                head = [f"HTTP/1.1 {answer.status} as said", f"Content-Type: {answer.kind}"]
                head += [f"{name}: {value}" for name, value in answer.headers]
                head += [f"Content-Length: {len(answer.body)}", "", ""]
                connection.sendall("\r\n".join(head).encode() + answer.body)

    def _real(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        there = f"{parts.hostname}:{parts.port}"
        real = (
            http.client.HTTPConnection(there, timeout=10)
            if context is None
            else http.client.HTTPSConnection(there, timeout=10, context=context)
        )
        try:
            kept = {
                name: value
                for name, value in headers.items()
                if name.lower() not in {"host", "accept-encoding"}
            }
            real.request(method, path, body or None, kept)
            found = real.getresponse()
            kind = found.getheader("content-type", "application/json")
            warned = [("Warning", each) for each in found.headers.get_all("warning") or []]
            return Answer(found.status, found.read(), tuple(warned), kind)
        finally:
            real.close()

    return talk


# ---------------------------------------------------------------- Prometheus


def prometheus(change: Change) -> Make:
    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        talk = talking(scene.world.prometheus_url, change)
        port = scene.servers.serve(wrong.never_ending(talk, scene.over), host="127.0.0.1")
        yield {scene.world.prometheus_url: f"http://127.0.0.1:{port}"}

    return make


def saying(talk: wrong.Talk) -> Make:
    """To any query of Prometheus."""

    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        port = scene.servers.serve(wrong.never_ending(talk, scene.over), host="127.0.0.1")
        yield {scene.world.prometheus_url: f"http://127.0.0.1:{port}"}

    return make


@contextmanager
def no_prometheus(scene: Scene) -> Iterator[Changes]:
    yield {scene.world.prometheus_url: f"http://127.0.0.1:{scene.servers.closed_port()}"}


def edited(edit: Callable[[Any], None]) -> Change:
    """The document of a query, changed."""

    def change(_: int, path: str, answer: Answer) -> Answer:
        if not path.startswith("/api/v1/query"):
            return answer
        document = json.loads(answer.body)
        edit(document)
        return replace(answer, body=json.dumps(document).encode())

    return change


def partial(document: Any) -> None:
    """As Thanos and Mimir say that a store is away."""
    document["warnings"] = ["store 10.0.0.7:10901 is away: the answer is partial"]


def series_of(document: Any) -> list[Any]:
    data = document.get("data") or {}
    return list(data["result"]) if data.get("resultType") in {"vector", "matrix"} else []


def no_number(document: Any) -> None:
    for one in series_of(document):
        if "value" in one:
            one["value"][1] = "NaN"
        for point in one.get("values") or []:
            point[1] = "NaN"


def stale(document: Any) -> None:
    """What was not scraped for five minutes is no longer in an answer."""
    if series_of(document):
        document["data"]["result"] = []


def lost_block(document: Any) -> None:
    """The middle third of every series is gone, and what counts samples finds fewer."""
    for one in series_of(document):
        if points := one.get("values"):
            third = len(points) // 3
            one["values"] = points[:third] + points[len(points) - third :]
        elif "value" in one and float(one["value"][1]) > 2:
            one["value"][1] = str(float(one["value"][1]) * 2 / 3)


# ---------------------------------------------------------------- the Kubernetes API


def kubernetes(change: Change) -> Make:
    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        context = ssl.create_default_context(cadata=_authority(scene))
        yield _leading(scene, talking(scene.world.kubernetes_url, change, context))

    return make


def kubernetes_saying(talk: wrong.Talk) -> Make:
    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        yield _leading(scene, talk)

    return make


@contextmanager
def no_kubernetes(scene: Scene) -> Iterator[Changes]:
    yield _kubeconfig(scene, scene.servers.closed_port())


def _leading(scene: Scene, talk: wrong.Talk) -> Changes:
    return _kubeconfig(scene, scene.servers.serve_tls(wrong.never_ending(talk, scene.over)))


def _authority(scene: Scene) -> str:
    config = yaml.safe_load(scene.world.kubeconfig.read_text())
    return base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()


def _kubeconfig(scene: Scene, port: int) -> Changes:
    config = yaml.safe_load(scene.world.kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {
        "server": f"https://localhost:{port}",
        "certificate-authority": str(scene.authority.file.certificate),
    }
    path = scene.folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    path.chmod(0o600)
    return {str(scene.world.kubeconfig): str(path)}


def status(code: int, reason: str, message: str, *headers: tuple[str, str]) -> Answer:
    """As an API server refuses."""
    document = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason, "code": code,
    }  # fmt: skip
    return Answer(code, json.dumps(document).encode(), headers)


BUSY = status(
    429, "TooManyRequests", "the server has received too many requests, try later", ("Retry-After", "1")
)
ILL = status(500, "InternalError", "an error on the server: etcdserver: request timed out")
OLD = status(410, "Expired", "The provided continue parameter is too old")
UNKNOWN = status(401, "Unauthorized", "Unauthorized")
PAGE = Answer(200, b"<!doctype html><title>Sign in</title>", kind="text/html")


def now_and_then(answer: Answer) -> Change:
    return lambda number, _, real: answer if number % DEAR == 0 else real


def from_then_on(answer: Answer, after: int = 20) -> Change:
    return lambda number, _, real: answer if number > after else real


FAULTS = (
    Fault(PROMETHEUS, "says nothing", saying(wrong.silent()), (INCONCLUSIVE,), wrong.NO_ANSWER),
    Fault(
        PROMETHEUS,
        "chunks without end",
        saying(wrong.flooding(wrong.CHUNKED, wrong.CHUNK, None)),
        (INCONCLUSIVE,),
        "expected at most",
    ),
    Fault(
        PROMETHEUS,
        "a gigabyte in gzip in gzip",
        saying(wrong.unpacking(wrong.nested_bomb, "gzip, gzip")),
        (INCONCLUSIVE,),
        "expected at most",
    ),
    Fault(PROMETHEUS, "a page to sign in", prometheus(lambda *_: PAGE), (INCONCLUSIVE,), "Sign in"),
    Fault(PROMETHEUS, "partial data", prometheus(edited(partial)), (INCONCLUSIVE,), "partial", "live"),
    Fault(PROMETHEUS, "NaN", prometheus(edited(no_number)), (INCONCLUSIVE,), "nan", "live"),
    Fault(PROMETHEUS, "stale series", prometheus(edited(stale)), (INCONCLUSIVE,), "saw none", "live"),
    Fault(
        PROMETHEUS, "a lost TSDB block", prometheus(edited(lost_block)), (INCONCLUSIVE, NO_GO), ".", "live"
    ),
    Fault(KUBERNETES, "429, one call in ten", kubernetes(now_and_then(BUSY)), (GO,), ""),
    Fault(KUBERNETES, "410, one call in ten", kubernetes(now_and_then(OLD)), (INCONCLUSIVE,), "410"),
    Fault(KUBERNETES, "500, one call in ten", kubernetes(now_and_then(ILL)), (INCONCLUSIVE,), "500"),
    Fault(
        KUBERNETES, "a token that expires half way", kubernetes(from_then_on(UNKNOWN)), (INCONCLUSIVE,), "401"
    ),
    Fault(KUBERNETES, "a proxy that answers HTML", kubernetes(lambda *_: PAGE), (INCONCLUSIVE,), "Sign in"),
    Fault(KUBERNETES, "says nothing", kubernetes_saying(wrong.silent()), (INCONCLUSIVE,), wrong.NO_ANSWER),
    Fault(
        KUBERNETES,
        "chunks without end",
        kubernetes_saying(wrong.flooding(wrong.CHUNKED, wrong.CHUNK, None)),
        (INCONCLUSIVE,),
        "expected .* at most",
    ),
    Fault(
        KUBERNETES,
        "a gigabyte in gzip",
        kubernetes_saying(wrong.unpacking(wrong.bomb, "gzip")),
        (INCONCLUSIVE,),
        "expected .* at most",
    ),
    Fault(
        KUBERNETES,
        "a gigabyte in gzip in gzip",
        kubernetes_saying(wrong.unpacking(wrong.nested_bomb, "gzip, gzip")),
        (INCONCLUSIVE,),
        ".",
    ),
    Fault(
        KUBERNETES, "deep JSON", kubernetes_saying(wrong.saying(b"[" * 200_000)), (INCONCLUSIVE,), "expected"
    ),
)
REFUSED = (
    Fault(PROMETHEUS, "refused", no_prometheus, (INCONCLUSIVE,), "refused"),
    Fault(PROMETHEUS, "refused", no_prometheus, (INCONCLUSIVE,), "refused", "live"),
    Fault(KUBERNETES, "refused", no_kubernetes, (INCONCLUSIVE,), "refused"),
)
