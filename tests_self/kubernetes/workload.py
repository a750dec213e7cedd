"""A small workload with one real pod behind it: an HTTP server, a log file, and programs to run."""

import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from . import examples
from .servers import Server

MERGE = {"content-type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Workload:
    """Where the workload is."""

    namespace: str
    log: Path
    port: int

    @property
    def pod(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/nox-api-0"


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was asked."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.seen.append(dict(self.headers))
        large = b"x" * 300_000 if self.path == "/large" else b""
        answer = f"{self.command} {self.path} ".encode() + body + large
        self.send_response(418 if self.path == "/teapot" else 200)
        self.send_header("content-length", str(len(answer)))
        self.send_header("x-pod", "nox-api-0")
        self.end_headers()
        self.wfile.write(answer)


@contextmanager
def workload(server: Server, admin: httpx.Client, namespace: str, folder: Path) -> Iterator[Workload]:
    """A deployment, a service with a ready endpoint, and a running pod that answers."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made = Workload(namespace, folder / "pod.log", web.server_address[1])
    made.log.write_text("2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z two\n2026-01-01T00:00:02Z three\n")
    server.put_pod(
        f"{namespace}/nox-api-0",
        ports={"3000": f"127.0.0.1:{made.port}"},
        log=str(made.log),
        programs={"sh": ["sh"], "cat": ["cat"], "python": [sys.executable]},
        environment={"COLOUR": "green"},
        folder=str(folder),
    )
    core = f"/api/v1/namespaces/{namespace}"
    try:
        _create(admin, f"/apis/apps/v1/namespaces/{namespace}/deployments", examples.deployment())
        _create(admin, f"{core}/services", examples.service())
        _create(admin, f"{core}/pods", examples.pod())
        assert admin.patch(f"{made.pod}/status", json=examples.running(), headers=MERGE).status_code == 200
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        _create(admin, slices, examples.endpoint_slice("nox-api", "10.1.0.1"))
        yield made
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def _create(admin: httpx.Client, path: str, body: examples.Json) -> None:
    answer = admin.post(path, json=body)
    assert answer.status_code == 201, answer.text
