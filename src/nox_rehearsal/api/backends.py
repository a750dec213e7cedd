"""The PostgreSQL and Redis behind the application: connections, and whether they answer."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from nox_rehearsal.api.fresh import Fresh
from nox_rehearsal.api.settings import Settings

MOST_CONNECTIONS = 8  # per process: four pods and their workers stay far below PostgreSQL's 100
PATIENCE = 2.0  # seconds that a backend has to say that it is there; a busy machine stands still for one
AGAIN = 0.25  # the same of a PostgreSQL that was away the last time: its users learn so at once

Pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]]

log = logging.getLogger("nox")


class BackendError(Exception):
    """A backend did not answer; `name` is `database` or `redis`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} unavailable")
        self.name = name


class Backends:
    """Connections by URL, opened at first use, so that new settings take effect at once."""

    def __init__(self) -> None:
        self._pools: dict[str, Pool] = {}
        self._away: set[str] = set()  # the URLs of those that had no connection the last time
        self._redis: dict[str, Redis] = {}
        self._readiness: Fresh[list[str]] = Fresh(seconds=0.25)

    async def rows(
        self, settings: Settings, query: LiteralString, values: Sequence[Any] = ()
    ) -> list[DictRow]:
        """The rows of one statement, each its own transaction. Raises BackendError if PostgreSQL is away.

        A connection that PostgreSQL closed since its last use (a restart) is replaced, once.
        """
        pool = await self._pool(settings)
        url = settings.database_url
        patience = AGAIN if url in self._away else PATIENCE
        try:
            found = await self._rows(pool, patience, query, values)
        except (psycopg.OperationalError, TimeoutError) as error:
            self._away.add(url)
            raise _unavailable(error) from None
        self._away.discard(url)
        return found

    async def _rows(
        self, pool: Pool, patience: float, query: LiteralString, values: Sequence[Any]
    ) -> list[DictRow]:
        try:
            return await _answer(pool, patience, query, values)
        except PoolTimeout:
            raise
        except psycopg.OperationalError:
            await asyncio.wait_for(pool.check(), patience)
            return await _answer(pool, patience, query, values)

    def redis(self, settings: Settings) -> Redis:
        """The client for the settings' Redis; its commands raise RedisError."""
        client = self._redis.get(settings.redis_url)
        if client is None:
            # each connection that Redis closed since its last use (a restart) would be a 503 of its own
            again = Retry(NoBackoff(), 1)
            client = Redis.from_url(
                settings.redis_url,
                socket_timeout=2,
                socket_connect_timeout=PATIENCE,
                retry=again,
                client_name=settings.pod,
            )
            self._redis[settings.redis_url] = client
        return client

    async def missing(self, settings: Settings) -> list[str]:
        """The backends that did not answer in time, of `database` and `redis`."""
        key = (settings.database_url, settings.redis_url)
        return await self._readiness.get(key, lambda: self._missing(settings))

    def pool_use(self, settings: Settings) -> tuple[int, int]:
        """Connections of the pool: in use, open."""
        pool = self._pools.get(settings.database_url)
        if pool is None:
            return 0, 0
        stats = pool.get_stats()
        size = stats.get("pool_size", 0)
        return size - stats.get("pool_available", 0), size

    async def close(self) -> None:
        await asyncio.gather(
            *(pool.close(timeout=PATIENCE) for pool in self._pools.values()),
            *(client.aclose() for client in self._redis.values()),
        )

    async def _pool(self, settings: Settings) -> Pool:
        url = settings.database_url
        pool = self._pools.get(url)
        if pool is None:
            pool = AsyncConnectionPool(
                url,
                connection_class=psycopg.AsyncConnection[DictRow],
                kwargs={
                    "autocommit": True,
                    "row_factory": dict_row,
                    "connect_timeout": 3,
                    "application_name": settings.pod,  # by which PostgreSQL's sessions tell whose they are
                },
                min_size=1,
                max_size=MOST_CONNECTIONS,
                timeout=PATIENCE,
                reconnect_timeout=PATIENCE,  # the next request tries anew; else the pauses grow to minutes
                open=False,
            )
            self._pools[url] = pool
            await pool.open(wait=False)
        return pool

    async def _missing(self, settings: Settings) -> list[str]:
        answers = await asyncio.gather(
            asyncio.wait_for(self._select_one(settings), PATIENCE),
            asyncio.wait_for(self._ping(settings), PATIENCE),
            return_exceptions=True,
        )
        missing = []
        for name, answer in zip(("database", "redis"), answers, strict=True):
            if isinstance(
                answer, (psycopg.Error, RedisError, OSError, BackendError)
            ):  # OSError: timeouts too
                missing.append(name)
            elif isinstance(answer, BaseException):
                raise answer
        return missing

    async def _select_one(self, settings: Settings) -> None:
        await self.rows(settings, "SELECT 1")

    async def _ping(self, settings: Settings) -> None:
        await self.redis(settings).ping()


async def _answer(pool: Pool, patience: float, query: LiteralString, values: Sequence[Any]) -> list[DictRow]:
    async with pool.connection(patience) as connection:
        cursor = await connection.execute(query, values or None)
        return await cursor.fetchall() if cursor.description else []


def _unavailable(error: Exception) -> BackendError:
    log.warning("database unavailable: %s", (str(error).splitlines() or [type(error).__name__])[0])
    return BackendError("database")
