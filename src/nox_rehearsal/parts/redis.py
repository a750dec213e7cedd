"""The rehearsal's Redis: a password, one port, nothing on disk."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from redis import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from nox_rehearsal.world.processes import Part
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.machine import doctor

NAME = "redis"
# No server listens there: a replica that cannot reach its primary still answers PING, and refuses writes.
BALLAST = 4500  # keys: 90 s of loading, more than a run needs on a busy machine
_NOWHERE = ("127.0.0.1", 1)


def url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def prepare(folder: Path, port: int, password: str, name: str = NAME) -> Part:
    """Write the configuration; the password is in it, not on a command line that everybody can read."""
    home = folder / name
    home.mkdir()
    configuration = home / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nmasterauth {password}\n"
        f'daemonize no\nsave ""\nappendonly no\ndir {home}\nmaxmemory 256mb\n'
        # for the sabotage that shows Redis still loading
        "enable-debug-command local\nloading-process-events-interval-bytes 1024\n",
        encoding="utf-8",
    )
    return Part(
        name=name,
        address=f"127.0.0.1:{port}",
        command=(str(doctor.program("redis-server")), str(configuration)),
        folder=home,
        serves=lambda: _answers(url(port, password)),
    )


def become_replica(world: World) -> None:
    """As after a failover: /ready may still be content with PING, but nothing can be written."""
    with _client(world.redis_url) as client:
        client.replicaof(*_NOWHERE)


@contextmanager
def full(world: World) -> Iterator[None]:
    """Less memory than it has in use, and it throws no key away."""
    with _client(world.redis_url) as client:
        before = str(client.config_get("maxmemory")["maxmemory"])
        client.config_set("maxmemory", 1024)
        try:
            yield
        finally:
            client.config_set("maxmemory", before)


def become_primary(world: World) -> None:
    with _client(world.redis_url) as client:
        client.replicaof("NO", "ONE")


@contextmanager
def loading(world: World) -> Iterator[None]:
    """As after a restart with much data: every look at a key is answered with -LOADING."""
    keys = [f"noxgate:ballast:{number}" for number in range(BALLAST)]
    with _client(world.redis_url) as client, Redis.from_url(world.redis_url, socket_timeout=300) as patient:
        client.flushdb()  # thousands of open sign-ins would take minutes more
        client.mset({key: token_hex(2048) for key in keys})
        # Microseconds for each key. Not more: between two events Redis loads 1 kB, and that may be
        # a dozen of the API's own small keys, and looks must not time out meanwhile.
        client.config_set("key-load-delay", 20_000)
        reload = threading.Thread(target=patient.execute_command, args=("DEBUG", "RELOAD"))
        reload.start()
        try:
            eventually(lambda: _is_loading(client), within=30, every=0.05)
            yield
        finally:
            client.config_set("key-load-delay", 0)
            reload.join()
            client.delete(*keys)


def _is_loading(client: Redis) -> None:
    try:
        assert client.info("persistence")["loading"], "Redis does not load"
    except RedisTimeoutError as error:  # it is busy saving before it loads
        raise AssertionError(str(error)) from None


def _answers(where: str) -> None:
    with _client(where) as client:
        try:
            answered = client.ping()
        except RedisError as error:
            raise AssertionError(str(error)) from None
        assert answered


def _client(where: str) -> Redis:
    return Redis.from_url(where, socket_timeout=10, socket_connect_timeout=5)
