"""A port that is kept for a server is not given away, also while that server is stopped."""

import socket
from collections.abc import Sequence

import pytest

from nox_rehearsal.error import PortTakenError
from nox_rehearsal.world import ports
from nox_rehearsal.world.ports import free_ports, kept, reserved


class OneAfterAnother:
    """What stands for chance: these ports in turn."""

    def __init__(self, them: Sequence[int]) -> None:
        self._left = list(them)

    def randrange(self, *_: int) -> int:
        return self._left.pop(0)


def test_a_kept_port_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = free_ports(2)
    with kept([first]):
        monkeypatch.setattr(ports, "_random", OneAfterAnother([first, second]))
        assert free_ports(1) == [second]
    monkeypatch.setattr(ports, "_random", OneAfterAnother([first, second]))
    assert free_ports(1) == [first]


def test_its_server_listens_there_and_comes_back() -> None:
    (port,) = free_ports(1)
    with kept([port]):
        for _ in range(2):
            with socket.create_server(("127.0.0.1", port)):
                ports.answers(port)
            with pytest.raises(AssertionError, match="refused"):
                ports.answers(port)


def test_a_reserved_port_is_its_holders_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment it was chosen: before, while and after its server listens."""
    (other,) = free_ports(1)
    with reserved(1) as (port,):
        for _ in range(2):
            with pytest.raises(AssertionError, match="refused"):
                ports.answers(port)
            monkeypatch.setattr(ports, "_random", OneAfterAnother([port, other]))
            assert free_ports(1) == [other]
            with socket.create_server(("127.0.0.1", port)):
                ports.answers(port)
    monkeypatch.setattr(ports, "_random", OneAfterAnother([port]))
    assert free_ports(1) == [port]


def test_another_server_there_is_told() -> None:
    """And what was kept until then is free again."""
    first, second = free_ports(2)
    with socket.create_server(("127.0.0.1", second)):
        with (
            pytest.raises(PortTakenError, match=f"^port {second} is taken: Address already in use$"),
            kept([first, second]),
        ):
            pass
        with kept([first]):
            pass
