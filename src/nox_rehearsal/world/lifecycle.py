"""The rehearsal's world: a small but real NOX on this machine, and how to bring it up and down."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Self

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world import control, leftovers
from nox_rehearsal.world.folder import DEFAULT, folder_of, remove_if_stale
from nox_rehearsal.world.processes import python
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually

__all__ = ["RehearsalError", "Row", "World", "down", "find", "running", "start", "status", "stop", "up"]

ENDING = 30.0  # seconds that a whole world has to end
# Children that may outlive this process; forgetting one that runs would make Python complain.
_detached: list["subprocess.Popen[bytes]"] = []


@dataclass(frozen=True)
class Row:
    """One line of the status: a part, where it is, and whether it lives. A stopped part has no pid."""

    part: str
    pid: int | None
    address: str
    alive: bool


@contextmanager
def running(name: str = DEFAULT, *, say: Callable[[str], None]) -> Iterator[World]:
    """A world for as long as the block lasts. It also ends when this process ends, however that comes."""
    with _Supervisor(name, leash=True) as supervisor:
        try:
            supervisor.wait_until_ready(say)
            yield World.load(folder_of(name))
        finally:
            supervisor.end()


def up(name: str = DEFAULT, *, say: Callable[[str], None] = lambda _: None) -> World:
    """Bring a world up that stays when this process ends; one that is up already is the answer, too."""
    world = find(name)
    if world is not None:
        say(f"The rehearsal {name!r} is already up at {world.base_url}.")
        return world
    with _Supervisor(name, leash=False) as supervisor:
        try:
            supervisor.wait_until_ready(say)
            supervisor.detach()
            return World.load(folder_of(name))
        except BaseException:
            supervisor.end()
            raise


def down(name: str = DEFAULT) -> bool:
    """End a world; whether there was one."""
    world = find(name)
    if world is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(world.supervisor, signal.SIGTERM)

    def gone() -> None:
        assert remove_if_stale(world.folder)
        assert leftovers.look(world.supervisor) is None

    try:
        eventually(gone, within=ENDING, every=0.05)
    except AssertionError:
        raise RehearsalError(
            f"the rehearsal {name!r} (pid {world.supervisor}) did not end within {ENDING:g} s"
        ) from None
    find(name)  # buries it, if it is a child of this process
    return True


def find(name: str = DEFAULT) -> World | None:
    """The world of that name if it is up; what a killed one left behind is cleared."""
    folder = folder_of(name)
    _detached[:] = [process for process in _detached if process.poll() is None]
    if remove_if_stale(folder):
        return None
    try:
        return World.load(folder)
    except FileNotFoundError:  # starting or ending
        return None


def status(name: str = DEFAULT) -> list[Row]:
    """Every part of a world, dead ones too; empty if it is not up."""
    world = find(name)
    if world is None:
        return []
    return [
        Row("supervisor", world.supervisor, str(world.folder), alive=True),
        *(
            Row(
                server.name,
                server.pid,
                server.address,
                alive=server.pid is not None
                and server.started is not None
                and leftovers.is_alive(server.pid, server.started),
            )
            for server in world.servers
        ),
    ]


def stop(world: World, part: str) -> None:
    """End one part of a world, such as `postgres`, `redis`, `ingress`, `nox-api-green-2` or `nox-worker`."""
    control.order(world.folder, "stop", part)


def start(world: World, *parts: str) -> None:
    """Start parts that were stopped, have died, or are planned; returns when they serve."""
    control.order(world.folder, "start", *parts)


class _Supervisor:
    """The process that holds a world up, seen from the one that started it."""

    def __init__(self, name: str, *, leash: bool) -> None:
        self._name = name
        self._folder = folder_of(name)
        # A file, not a pipe: it is only read if something goes wrong.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)
        self._process = subprocess.Popen(
            python("nox_rehearsal.world.daemon", name, *(["--leash"] if leash else [])),
            stdin=subprocess.PIPE if leash else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # it forks, for which it must have one thread
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def wait_until_ready(self, say: Callable[[str], None]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "error" in message:
                raise RehearsalError(message["error"])
            if "ready" in message:
                return
            say(message["say"])
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise RehearsalError(
            f"the rehearsal's supervisor ended with exit status {self._process.wait()} before it was ready: "
            f"{last or 'it said nothing'}"
        )

    def detach(self) -> None:
        _detached.append(self._process)

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        remove_if_stale(self._folder)
