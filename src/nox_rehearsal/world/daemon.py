"""The supervisor of one rehearsal, a process of its own: starts the parts, obeys, and ends all of them.

`nox_rehearsal.world.lifecycle` starts it, and reads one JSON object per line from its standard output until
`ready` or `error`. With --leash it also ends when its standard input does, which is when its caller has
ended, however that came. Everything happens in its one thread.
"""

import argparse
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from nox_rehearsal.error import PortTakenError, RehearsalError
from nox_rehearsal.world import control, plan
from nox_rehearsal.world.build import build, servers
from nox_rehearsal.world.folder import folder_of, holding, profile_of
from nox_rehearsal.world.ports import kept
from nox_rehearsal.world.processes import Crew
from nox_rehearsal.world.state import World
from nox_rehearsal.world.warden import watching
from noxgate.machine.doctor import MissingError

ATTEMPTS = 3  # at finding ports that stay free in the meantime
_END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: list[str] | None = None) -> int:
    """Hold one rehearsal up until told to end."""
    parser = argparse.ArgumentParser(prog="nox_rehearsal.world.daemon")
    parser.add_argument("name")
    parser.add_argument("--leash", action="store_true", help="end when standard input ends")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        _hold(options.name, leash=options.leash)
    except (RehearsalError, MissingError) as error:
        _tell(error=str(error))
        return 1
    return 0


def _hold(name: str, *, leash: bool) -> None:
    folder = folder_of(name)
    for attempt in range(1, ATTEMPTS + 1):
        for number in _END_SIGNALS:
            signal.signal(number, _end)
        try:
            with watching(folder), holding(folder):
                chosen = plan.plan(folder)
                with kept(chosen.ports), _crew(folder) as crew:
                    world = build(crew, name, folder, chosen, say=lambda line: _tell(say=line))
                    with control.listener(folder) as orders:
                        world.save()
                        _publish(world)
                        _tell(ready=True)
                        _let_go_of_the_caller(leash=leash)
                        _obey(crew, world, orders, leash=leash)
        except PortTakenError:
            if attempt == ATTEMPTS:
                raise
        else:
            return


@contextmanager
def _crew(folder: Path) -> Iterator[Crew]:
    crew = Crew(folder)
    try:
        yield crew
    finally:
        for number in _END_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # ending takes a moment and must not be cut short
        crew.stop_all()


def _obey(crew: Crew, world: World, orders: socket.socket, *, leash: bool) -> None:
    """Carry out orders, and bury parts that die, until the leash ends or a signal comes."""
    wake, woken = socket.socketpair()
    with wake, woken, selectors.DefaultSelector() as selector:
        woken.setblocking(False)  # noqa: FBT003 (the socket's own method)
        signal.set_wakeup_fd(woken.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        selector.register(orders, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        if leash:
            selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        try:
            while True:
                crew.reap()
                for key, _ in selector.select():
                    if key.fileobj is orders:
                        control.obey_one(orders, lambda order: _carry_out(crew, world, order))
                    elif key.fileobj is wake:
                        wake.recv(4096)
                    elif not os.read(sys.stdin.fileno(), 4096):
                        return
        finally:
            signal.set_wakeup_fd(-1)


def _carry_out(crew: Crew, world: World, order: dict[str, Any]) -> None:
    action = {"stop": crew.stop, "start": crew.start}.get(order.get("action", ""))
    parts = order.get("parts")
    if action is None or not isinstance(parts, list):
        raise RehearsalError(f"expected an order to stop or start parts, saw {order!r}")
    try:
        action(*parts)
    finally:
        replace(world, servers=servers(crew)).save()


def _publish(world: World) -> None:
    """Make it the project's target `rehearsal`; clearing the folder takes that away again."""
    profile = profile_of(world.folder)
    if profile is not None:
        profile.write_text(world.profile.read_text(encoding="utf-8"), encoding="utf-8")


def _end(_number: int, _frame: object) -> NoReturn:
    for number in _END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def _tell(**message: Any) -> None:
    with suppress(BrokenPipeError):  # a caller that is gone need not know
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def _let_go_of_the_caller(*, leash: bool) -> None:
    """From here on nothing is written to where the caller may no longer read."""
    with Path(os.devnull).open("r+b") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if not leash:
            os.dup2(nowhere.fileno(), sys.stderr.fileno())


if __name__ == "__main__":
    sys.exit(main())
