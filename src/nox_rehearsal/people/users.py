"""A few users who ask production while its traffic is switched, and must not notice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from nox_rehearsal.world.state import World
from noxgate.machine.tls import trusting

USERS = 3
PAUSE = 0.01  # seconds between two requests of one user
PATHS = ("/health", "/version", "/api/public/stats")


@dataclass
class Asked:
    """What came of it; after a connection that nginx closed as it read its configuration, asked once more."""

    answers: int = 0
    again: int = 0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.answers} requests meanwhile, {len(self.failed)} failed, {self.again} asked again"


@contextmanager
def asking(world: World) -> Iterator[Asked]:
    """Users ask for as long as the block lasts."""
    asked, over, lock = Asked(), threading.Event(), threading.Lock()
    trusted = trusting(world.ca_file)

    def ask() -> None:
        with httpx.Client(
            base_url=world.production_url, verify=trusted, trust_env=False, timeout=5
        ) as client:
            while not over.wait(PAUSE):
                for path in PATHS:
                    status, again = _get(client, path)
                    with lock:
                        asked.answers += 1
                        asked.again += again
                        if status != "200":
                            asked.failed.append(f"{path}: {status}")

    threads = [threading.Thread(target=ask, daemon=True, name="user") for _ in range(USERS)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _get(client: httpx.Client, path: str) -> tuple[str, int]:
    """The status, or why it is missing; and how often it was asked again."""
    for again in (0, 1):
        try:
            return str(client.get(path).status_code), again
        except httpx.RemoteProtocolError as error:  # closed before the answer
            reason = str(error)
        except httpx.TransportError as error:
            return str(error) or type(error).__name__, again
    return reason, 1
