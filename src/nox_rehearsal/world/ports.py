"""Choosing free TCP ports on loopback."""

import random
import socket
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nox_rehearsal.error import PortTakenError

LOWEST = 20000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_random = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Different ports that are free now.

    They lie below those that the kernel gives to outgoing connections: a port from there could be taken while
    its server is stopped for a moment.
    """
    chosen: list[int] = []
    while len(chosen) < count:
        chosen.append(_free_port(taken=chosen))
    return chosen


@contextmanager
def kept(ports: Sequence[int]) -> Iterator[None]:
    """`free_ports` does not give these away, also while a server of theirs is stopped for a moment.

    Their servers listen there all the same: where both ask for SO_REUSEADDR, Linux lets one of them. Raises
    PortTakenError if another server listens there already.
    """
    with ExitStack() as stack:
        for port in ports:
            mark = stack.enter_context(socket.socket())
            mark.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                mark.bind(("127.0.0.1", port))
            except OSError as error:
                raise PortTakenError(f"port {port} is taken: {error.strerror}") from None
        yield


def _free_port(taken: Container[int]) -> int:
    first_ephemeral = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    for _ in range(200):
        port = _random.randrange(LOWEST, first_ephemeral) if first_ephemeral > LOWEST else 0
        with socket.socket() as candidate:  # without SO_REUSEADDR, so that it meets those that are kept
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            port = int(candidate.getsockname()[1])
        if port not in taken:
            return port
    raise OSError("no free TCP port on 127.0.0.1")


def answers(port: int) -> None:
    """Assert that a server listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        raise AssertionError(str(error)) from None
