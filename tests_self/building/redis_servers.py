"""Real Redis servers."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from noxgate.look.waiting import eventually
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.redis import Cache, CacheSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


class Server:
    """One that this test may set up as it likes, and the gate's client of it."""

    def __init__(self, loopback: "Loopback", folder: Path, *options: str) -> None:
        self.port = loopback.closed_port()
        self.folder = folder
        command = [str(program("redis-server")), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", str(folder), "--enable-protected-configs", "local", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.admin = redis.Redis(port=self.port, decode_responses=True)
        self.target = loopback.target(9)
        object.__setattr__(self.target, "variables", {"REDIS_URL": f"redis://127.0.0.1:{self.port}/0"})

    def serves(self) -> None:
        try:
            self.admin.ping()
        except redis.ConnectionError as error:
            raise AssertionError(str(error)) from None

    def fill(self, policy: str, seconds: int | None = None) -> None:
        """With keys, until it takes no more or throws some away."""
        self.admin.config_set("maxmemory", 3_000_000)
        self.admin.config_set("maxmemory-policy", policy)
        with suppress(redis.exceptions.OutOfMemoryError):
            for number in range(400):
                self.admin.set(f"key {number}", "x" * 10_000, ex=seconds)

    def refuses(self) -> list[str]:
        with closing(CacheSession(settings.cache(self.target))) as session:
            return Cache(session, lambda _: None).refuses_writes()


@pytest.fixture
def server(loopback: "Loopback", tmp_path: Path) -> Iterator[Server]:
    server = Server(loopback, tmp_path)
    try:
        eventually(server.serves, within=60, every=0.05)
        yield server
    finally:
        server.admin.close()
        server.process.kill()
        server.process.wait()
