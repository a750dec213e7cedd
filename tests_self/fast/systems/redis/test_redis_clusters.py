"""Real Redis servers that share the keys, and what other products say of their version."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.building.redis_servers import Server

from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.systems import settings
from noxgate.systems.redis import Cache, CacheSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

KEY = "noxgate:no-such-key"
SLOTS = 16384


@pytest.fixture
def nodes(loopback: "Loopback", tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two that share the keys; each refuses those of the other."""
    found, buses = [], [loopback.closed_port(), loopback.closed_port()]
    try:
        for name, bus in zip(("one", "two"), buses, strict=True):
            (tmp_path / name).mkdir()
            cluster = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
            found.append(Server(loopback, tmp_path / name, *cluster, "--cluster-port", str(bus)))
            eventually(found[-1].serves, within=60, every=0.05)
        one, two = found
        slots(one, "ADDSLOTSRANGE", 0, SLOTS // 2 - 1)
        slots(two, "ADDSLOTSRANGE", SLOTS // 2, SLOTS - 1)
        one.admin.execute_command("CLUSTER SET-CONFIG-EPOCH", 1)  # type: ignore[no-untyped-call]
        one.admin.execute_command("CLUSTER MEET", "127.0.0.1", two.port, buses[1])  # type: ignore[no-untyped-call]
        for each in found:
            eventually(lambda node=each: has_all_slots(node), within=60, every=0.1)  # type: ignore[misc]
        yield one, two
    finally:
        for each in found:
            each.admin.close()
            each.process.kill()
            each.process.wait()


def slots(node: Server, verb: str, first: int, last: int) -> None:
    node.admin.execute_command(f"CLUSTER {verb}", first, last)  # type: ignore[no-untyped-call]


def has_all_slots(node: Server) -> None:
    said: dict[str, Any] = node.admin.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    assert (said["cluster_state"], int(said["cluster_slots_ok"])) == ("ok", SLOTS)


def looked(node: Server) -> tuple[list[str], list[Observation]]:
    seen: list[Observation] = []
    with closing(CacheSession(settings.cache(node.target))) as session:
        return Cache(session, seen.append).unfit(KEY), seen


def test_whichever_node_is_named(nodes: tuple[Server, Server]) -> None:
    """One has the key that is asked for, the other says where it is; both will do."""
    (unfit, seen), (others, seen_by_other) = map(looked, nodes)

    assert (unfit, others) == ([], [])
    told = [each.seen for each in (*seen, *seen_by_other) if "the cluster has slot" in each.seen]
    assert [text.partition(" at ")[0] for text in told] == ["the cluster has slot 10880"]


def test_cluster_that_lost_some_keys(nodes: tuple[Server, Server]) -> None:
    """It answers for the others, and for KEY's among them."""
    one, _ = nodes
    slots(one, "DELSLOTSRANGE", 0, 99)

    assert looked(one)[0] == [f"cluster_state ok, {SLOTS - 100} of {SLOTS} slots ok"]
    slots(one, "ADDSLOTSRANGE", 0, 99)
    has_all_slots(one)
    assert looked(one)[0] == []


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ({"redis_version": "7.2.4", "gcc_version": "12.2.0"}, "7.2.4"),
        (
            {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.1.1"},
            "7.2.4 (valkey 8.1.1)",
        ),
        ({"redis_version": "7.4.0", "dragonfly_version": "df-v1.30.0"}, "7.4.0 (dragonfly df-v1.30.0)"),
    ],
)
def test_products_that_speak_as_redis(
    said: dict[str, str], version: str, loopback: "Loopback", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valkey says the version of the Redis that it was made from, beside its own."""
    with closing(CacheSession(settings.cache(loopback.target(9)))) as session:
        monkeypatch.setattr(session, "redis", lambda: Saying(said))
        assert Cache(session, lambda _: None).version() == version


class Saying:
    """A client to which a server says this of itself: neither product is packaged for Debian 12."""

    def __init__(self, said: dict[str, str]) -> None:
        self._said = said

    def info(self, _: str) -> dict[str, str]:
        return self._said
