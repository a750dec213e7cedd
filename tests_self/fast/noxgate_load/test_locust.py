"""The users under Locust's own runner: patched sockets, users that are stopped, workers that are merged."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from tests_self.authority import Authority

from nox_rehearsal.world.ports import reserved
from noxgate.look.waiting import eventually

from .conftest import ROOT, Json

SLOW = 0.6  # seconds
LIMIT = 120


class Target:
    """A small API that counts what it is asked."""

    def __init__(self) -> None:
        self.requests = 0
        self.app = Starlette(
            routes=[
                Route("/", self.health),
                Route("/slow/{n}", self.slow),
                WebSocketRoute("/ws", self.echo),
            ]
        )

    async def health(self, _: Request) -> Response:
        self.requests += 1
        return Response("healthy")

    async def slow(self, _: Request) -> Response:
        self.requests += 1
        await asyncio.sleep(SLOW)
        return Response("at last")

    async def echo(self, socket: WebSocket) -> None:
        self.requests += 3  # the upgrade, the message, the close
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.receive()


@pytest.fixture(params=["http", "https"])
def target(request: pytest.FixtureRequest, authority: Authority) -> Iterator[tuple[str, Target]]:
    """The target and its address."""
    target = Target()
    options: dict[str, Any] = {"log_config": None, "lifespan": "off", "ws": "wsproto"}
    if request.param == "https":
        options |= {"ssl_certfile": authority.good.certificate, "ssl_keyfile": authority.good.key}
    server = uvicorn.Server(uvicorn.Config(target.app, port=0, access_log=False, **options))
    thread = threading.Thread(target=server.run)
    thread.start()

    def started() -> int:
        assert server.started
        return int(server.servers[0].sockets[0].getsockname()[1])

    yield f"{request.param}://localhost:{eventually(started, within=60, every=0.05)}", target
    server.should_exit = True
    thread.join(10)


def locust(url: str, authority: Authority, folder: Path, *arguments: str, **variables: str) -> Json:
    """A run of some seconds."""
    result = folder / "result.json"
    trust = {"CA_FILE": str(authority.file.certificate), "RESULT": str(result)}
    command = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("locustfile.py"))]
    options = ["--headless", "-u", "8", "-r", "8", "-t", "3s", "--stop-timeout", "15", "-H", url]
    environment = {**os.environ, **trust, **variables}
    with subprocess.Popen(
        [*command, *options, *arguments], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        try:
            _, said = running.communicate(timeout=LIMIT)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)  # workers too, which outlive a master that was killed
    assert running.returncode == 0, said
    assert "Traceback" not in said, said
    read: Json = json.loads(result.read_text())
    return read


def test_one_process(target: tuple[str, Target], authority: Authority, tmp_path: Path) -> None:
    url, server = target
    result = locust(url, authority, tmp_path, TELL_LOCUST="yes")
    assert result["problems"] == []
    assert result["merged"] == result["locust"] == server.requests > 20
    assert result["failures"] == []
    assert result["groups"] == ["health", "socket"]
    assert result["over"] == result["slow"] > 0
    assert SLOW < result["longest"] < SLOW + 5


def test_two_workers(target: tuple[str, Target], authority: Authority, tmp_path: Path) -> None:
    """Slow requests are in flight at the end, longer than Locust's master waits for a last report."""
    url, server = target
    with reserved(1) as (port,):
        ports = ["--master-bind-port", f"{port}", "--master-port", f"{port}"]
        result = locust(url, authority, tmp_path, "--processes", "2", *ports)
    assert result["problems"] == []
    assert result["workers"] == 2
    assert result["merged"] == server.requests > 20
    assert result["failures"] == []
    assert result["over"] == result["slow"] > 0
