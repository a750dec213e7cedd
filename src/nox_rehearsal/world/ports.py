"""Choosing free TCP ports on loopback."""

import random
import socket
from collections.abc import Container
from pathlib import Path

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


def _free_port(taken: Container[int]) -> int:
    first_ephemeral = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    for _ in range(200):
        port = _random.randrange(LOWEST, first_ephemeral) if first_ephemeral > LOWEST else 0
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
