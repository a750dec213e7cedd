"""Orders to a rehearsal's supervisor, over a socket in its folder: one JSON line each way."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nox_rehearsal.error import RehearsalError

_PATIENCE = 180.0  # for an order to be carried out; longer than a part may take to start
_SOCKET = "control"


@contextmanager
def listener(folder: Path) -> Iterator[socket.socket]:
    """Where orders arrive; only the owner can connect (the umask decides the socket's mode)."""
    with socket.socket(socket.AF_UNIX) as orders:
        orders.bind(str(folder / _SOCKET))
        orders.listen()
        yield orders


def obey_one(orders: socket.socket, carry_out: Callable[[dict[str, Any]], None]) -> None:
    """Read one order, carry it out and answer."""
    connection, _ = orders.accept()
    with connection, suppress(OSError):  # who has gone away, or says nothing, gets no answer
        connection.settimeout(10)
        with connection.makefile("rw", encoding="utf-8") as stream:
            try:
                carry_out(json.loads(stream.readline()))
                answer: dict[str, str] = {}
            except json.JSONDecodeError:
                answer = {"error": "expected one JSON object on one line"}
            except RehearsalError as error:
                answer = {"error": str(error)}
            stream.write(json.dumps(answer) + "\n")


def order(folder: Path, action: str, *parts: str) -> None:
    """Have the supervisor `stop` or `start` parts, and wait until it has.

    Raises RehearsalError if it cannot.
    """
    what = f"{action} {', '.join(parts)}"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(str(folder / _SOCKET))
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.write(json.dumps({"action": action, "parts": parts}) + "\n")
                stream.flush()
                reply = stream.readline()
        except OSError as error:
            raise RehearsalError(f"cannot {what}: no rehearsal obeys in {folder}: {error}") from None
    if not reply:
        raise RehearsalError(f"cannot {what}: the rehearsal in {folder} ended meanwhile")
    answer = json.loads(reply)
    if "error" in answer:
        raise RehearsalError(answer["error"])
