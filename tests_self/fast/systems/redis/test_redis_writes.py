"""A real Redis that takes no write, though it answers: and near misses that take every write."""

# ruff: noqa: F811 (fixtures of another file)

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.redis_servers import Server, server  # noqa: F401 (fixtures)

from noxgate.look.waiting import eventually
from noxgate.systems import settings
from noxgate.systems.redis import Cache, CacheSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.look.observation import Observation


def test_redis_that_is_full(server: Server) -> None:
    """By its policy, and where no key may go; one that throws keys away takes all."""
    assert server.refuses() == []
    server.fill("noeviction")
    (why,) = server.refuses()
    assert why.startswith("its memory is full: ")
    assert why.endswith("bytes, noeviction")
    server.admin.config_set("maxmemory-policy", "volatile-lru")
    assert server.refuses()[0].endswith("volatile-lru, and no key has a time to live")
    server.admin.config_set("maxmemory-policy", "allkeys-lru")
    assert server.refuses() == []
    server.admin.flushall()
    server.fill("volatile-ttl", 1000)
    assert server.refuses() == []
    server.admin.config_set("maxmemory", 0)
    assert server.refuses() == []


def test_redis_with_too_few_replicas(server: Server, loopback: "Loopback", tmp_path: Path) -> None:
    """None, and one of two; a service that forbids CONFIG counts what it refused."""
    (tmp_path / "replica").mkdir()
    server.admin.config_set("repl-diskless-sync-delay", 0)
    server.admin.config_set("min-replicas-to-write", 1)
    assert server.refuses() == ["0 replicas follow, min-replicas-to-write is 1"]
    replica = Server(loopback, tmp_path / "replica")
    try:
        eventually(replica.serves, within=60, every=0.05)
        replica.admin.replicaof("127.0.0.1", server.port)

        def follows() -> None:
            assert server.admin.info("replication").get("min_slaves_good_slaves") == 1

        eventually(follows, within=60, every=0.1)
        assert server.refuses() == []
        server.admin.config_set("min-replicas-to-write", 2)
        assert server.refuses() == ["1 replicas follow, min-replicas-to-write is 2"]
        server.admin.config_set("min-replicas-to-write", 1)
        server.admin.acl_setuser("default", enabled=True, commands=["+@all", "-config"], nopass=True)
        assert server.refuses() == []
    finally:
        replica.admin.close()
        replica.process.kill()
        replica.process.wait()


def test_redis_that_cannot_save(server: Server) -> None:
    """It answers PING with MISCONF: failed, in its own words."""
    folder = server.folder / "gone"
    folder.mkdir()
    server.admin.config_set("dir", str(folder))
    server.admin.config_set("save", "3600 1")
    folder.rmdir()
    server.admin.bgsave()

    def failed() -> None:
        assert server.admin.info("persistence")["rdb_last_bgsave_status"] == "err"

    eventually(failed, within=60, every=0.1)
    with (
        closing(CacheSession(settings.cache(server.target))) as session,
        pytest.raises(AssertionError, match="Redis answers MISCONF"),
    ):
        Cache(session, lambda _: None).ping()


def test_redis_that_lost_its_primary(server: Server, loopback: "Loopback") -> None:
    """It serves nothing stale: MASTERDOWN to PING."""
    server.admin.config_set("replica-serve-stale-data", "no")
    server.admin.replicaof("127.0.0.1", loopback.closed_port())

    with (
        closing(CacheSession(settings.cache(server.target))) as session,
        pytest.raises(AssertionError, match="Redis answers MASTERDOWN Link with MASTER is down"),
    ):
        Cache(session, lambda _: None).ping()


def test_whether_it_will_do_and_who_is_connected(server: Server) -> None:
    """In one list of faults; and of each connection its name and how long it was silent, in no report."""
    seen: list[Observation] = []
    with closing(CacheSession(settings.cache(server.target))) as session:
        cache = Cache(session, seen.append)
        assert cache.unfit("noxgate:no-such-key") == []
        server.admin.client_setname("nox-api-green-1")
        found = {client["name"]: client for client in cache.clients()}
        server.admin.replicaof("127.0.0.1", "1")
        try:
            assert cache.unfit("noxgate:no-such-key")[0] == "role slave, expected master"
        finally:
            server.admin.replicaof("NO", "ONE")

    assert found["nox-api-green-1"]["addr"].startswith("127.0.0.1:")
    assert int(found["nox-api-green-1"]["idle"]) >= 0
    assert f"CLIENT list answers {len(found)} connections" in [one.seen for one in seen]
