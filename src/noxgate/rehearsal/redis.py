"""The rehearsal's Redis: a password, one port, nothing on disk."""

from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from noxgate import doctor
from noxgate.rehearsal.processes import Part
from noxgate.rehearsal.state import World

NAME = "redis"
# Nobody listens there: a replica that cannot reach its primary still answers PING, and refuses writes.
_NOWHERE = ("127.0.0.1", 1)


def url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def prepare(folder: Path, port: int, password: str) -> Part:
    """Write the configuration; the password is in it, not on a command line that everybody can read."""
    home = folder / NAME
    home.mkdir()
    configuration = home / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nmasterauth {password}\n"
        f'daemonize no\nsave ""\nappendonly no\ndir {home}\nmaxmemory 256mb\n',
        encoding="utf-8",
    )
    return Part(
        name=NAME,
        address=f"127.0.0.1:{port}",
        command=(str(doctor.program("redis-server")), str(configuration)),
        folder=home,
        serves=lambda: _answers(url(port, password)),
    )


def become_replica(world: World) -> None:
    """As after a failover: /ready may still be content with PING, but nothing can be written."""
    with _client(world.redis_url) as client:
        client.replicaof(*_NOWHERE)


def become_primary(world: World) -> None:
    with _client(world.redis_url) as client:
        client.replicaof("NO", "ONE")


def _answers(where: str) -> None:
    with _client(where) as client:
        try:
            answered = client.ping()
        except RedisError as error:
            raise AssertionError(str(error)) from None
        assert answered


def _client(where: str) -> Redis:
    return Redis.from_url(where, socket_timeout=2, socket_connect_timeout=1)
