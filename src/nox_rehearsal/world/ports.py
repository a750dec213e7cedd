"""Choosing free TCP ports on loopback."""

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nox_rehearsal.error import PortTakenError

LOWEST = 20000
DISCARD = 9  # a service that machines have no more: connections to it are refused
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_random = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Different ports that are free now.

    They lie below those that the kernel gives to outgoing connections: a port from there could be taken while
    its server is stopped for a moment.
    """
    with reserved(count) as ports:
        return ports


@contextmanager
def reserved(count: int) -> Iterator[list[int]]:
    """Different ports that `free_ports` gives to no other process, nor again to this one, while this lasts.

    Who connects to one is refused until a server listens there, which it may as in `kept`.
    """
    with ExitStack() as stack:
        marks = [stack.enter_context(_free_port()) for _ in range(count)]
        yield [int(mark.getsockname()[1]) for mark in marks]


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


def _free_port() -> socket.socket:
    """What is bound to it, and does not listen."""
    first_ephemeral = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    for _ in range(200):
        port = _random.randrange(LOWEST, first_ephemeral) if first_ephemeral > LOWEST else 0
        candidate = socket.socket()
        try:
            candidate.bind(("127.0.0.1", port))  # without SO_REUSEADDR, so that it meets those that are kept
        except OSError:
            candidate.close()
            continue
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its server may
        return candidate
    raise OSError("no free TCP port on 127.0.0.1")


def answers(port: int) -> None:
    """Assert that a server listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        raise AssertionError(str(error)) from None
