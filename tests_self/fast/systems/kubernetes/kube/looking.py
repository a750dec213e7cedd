"""A client of the stand-in with one of its credentials."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.building.kube_clients import of

from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

CANARY = "k3jx81mfQpZ20vWbe9TtLsAaCANARY"
Look = Callable[..., Kube]


def create(admin: httpx.Client, path: str, content: dict[str, Any]) -> None:
    answer = admin.post(path, json=content)
    assert answer.status_code == 201, answer.text


def bare_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Kube:
    """A client of a server without TLS, which it would otherwise refuse."""
    from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 (half a second)

    session = KubeSession(settings.cluster(of(Path("none"))))
    monkeypatch.setattr(session, "_client", ApiClient(Configuration(host=url, retries=False)))
    return Kube(session, session, lambda _: None)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("location", "/login")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_address[1]}"
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
