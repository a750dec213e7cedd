"""Redis, read only: PING, ROLE, INFO and EXISTS are all that this client can send."""

from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from noxgate.clients.observation import Observation, Observe, Patience, shortened
from noxgate.target import Target, UnreachableError


class CacheSession:
    """The connection to one target's Redis, opened at the first look and kept for a whole run."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.variable = target.credentials.get("redis_url", "REDIS_URL")
        self._redis: redis.Redis | None = None
        self.patience = Patience("Redis")

    def redis(self) -> redis.Redis:
        """A client of redis-py without retries: a check looks once and says what it saw."""
        if self._redis is None:
            url = self._target.credential("redis_url").reveal()
            trust = (
                {"ssl_ca_certs": str(self._target.ca_file)}
                if url.startswith("rediss:") and self._target.ca_file
                else {}
            )
            try:
                client = redis.Redis.from_url(
                    url,
                    socket_timeout=5,
                    socket_connect_timeout=5,
                    retry=Retry(NoBackoff(), 0),
                    decode_responses=True,
                    **trust,
                )
                client.connection_pool.make_connection()  # not connected: it only reads the settings
            except (ValueError, TypeError) as error:
                raise UnreachableError(f"${self.variable}: {shortened(str(error))}") from None
            self._redis = client
        return self._redis

    def close(self) -> None:
        if self._redis is not None:
            self._redis.close()


class Cache:
    """Looks at Redis for one check and records what it saw."""

    def __init__(self, session: CacheSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe
        self._variable = session.variable

    def ping(self) -> bool:
        """PING: True for PONG."""
        return bool(self._look("ping", lambda: self._session.redis().ping()))

    def role(self) -> str:
        """ROLE: "master", "slave" or "sentinel"."""
        return str(self._look("role", lambda: self._session.redis().role()[0]))

    def loading(self) -> bool:
        """INFO persistence: whether Redis is still reading its data set from disk."""
        return bool(
            self._look("info persistence", lambda: self._session.redis().info("persistence")["loading"])
        )

    def version(self) -> str:
        """INFO server: redis_version; AssertionError where the server does not say."""
        found = self._look("info server", lambda: self._session.redis().info("server").get("redis_version"))
        if found is None:
            raise AssertionError("Redis: expected a redis_version in INFO server, saw none")
        return str(found)

    def run_id(self) -> str:
        """INFO server: run_id, which no other server has; AssertionError where the server does not say."""
        found = self._look("info server", lambda: self._session.redis().info("server").get("run_id"))
        if found is None:
            raise AssertionError("Redis: expected a run_id in INFO server, saw none")
        return str(found)

    def exists(self, key: str) -> int:
        """EXISTS: 0 or 1; the answer proves that the keyspace can be read."""
        return int(self._look(f"exists {key}", lambda: self._session.redis().exists(key)))

    def _look(self, command: str, function: Callable[[], Any]) -> Any:
        repeat = f'redis-cli -u "${self._variable}" {command}'
        try:
            answer = self._session.patience.run(function)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except redis.exceptions.BusyLoadingError as error:
            self._observe(Observation(str(error), repeat))
            raise AssertionError(f"Redis answers {error}") from None
        except redis.exceptions.RedisError as error:
            self._observe(Observation(f"could not look: {shortened(str(error))}", repeat))
            raise UnreachableError(f"${self._variable}: {shortened(str(error))}") from None
        verb, space, what = command.partition(" ")
        self._observe(Observation(f"{verb.upper()}{space}{what} answers {answer}", repeat))
        return answer
