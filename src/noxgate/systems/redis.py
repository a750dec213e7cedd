"""Redis, read only: PING, ROLE, INFO, EXISTS, DBSIZE, CLIENT LIST, CLUSTER INFO and one CONFIG GET."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, Patience, exported, shortened
from noxgate.machine.late import late
from noxgate.systems.settings import CacheSettings

if TYPE_CHECKING:
    import redis
    from redis import backoff
    from redis import retry as retries
else:
    redis = late("redis")
    backoff, retries = late("redis.backoff"), late("redis.retry")


# Redis is there, and says what is wrong with it. All else that it refuses keeps us from looking.
_WRONG = frozenset(
    ("LOADING", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "OOM", "NOREPLICAS", "BUSY", "UNKILLABLE")
)
_MEMORY = ("used_memory", "maxmemory", "maxmemory_policy", "mem_not_counted_for_evict")
MOST_BYTES = 10_000_000  # of one answer: what one announces is not taken on trust
# How redis-py ends with what no Redis says: it reads numbers, and lists in lists by calling itself.
_NO_REDIS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
_OF_REDIS = frozenset(("redis_version", "gcc_version"))  # what Redis itself says of versions
_SLOTS = 16384  # of a cluster
_FULL = 0.99  # what is written next, and who writes it, need memory, too


class _MovedError(UnreachableError):
    """Another node of the cluster has the key."""


class CacheSession:
    """The connection to one target's Redis, opened at the first look and kept for a whole run."""

    def __init__(self, settings: CacheSettings) -> None:
        self._settings = settings
        self.variable = settings.url.variable or "REDIS_URL"
        self._redis: redis.Redis | None = None
        self.patience = Patience("Redis")

    def redis(self) -> "redis.Redis":
        """A client of redis-py without retries: a check looks once and says what it saw."""
        if self._redis is None:
            url = self._settings.url.secret().reveal()
            trust = (
                {"ssl_ca_certs": str(self._settings.ca_file)}
                if url.startswith("rediss:") and self._settings.ca_file
                else {}
            )
            try:
                client = redis.Redis.from_url(
                    url,
                    socket_timeout=5,
                    socket_connect_timeout=5,
                    retry=retries.Retry(backoff.NoBackoff(), 0),
                    decode_responses=True,
                    **trust,
                )
                pool = client.connection_pool
                pool.connection_class = _limited(pool.connection_class)
                pool.make_connection()  # not connected: it only reads the settings
            except (ValueError, TypeError) as error:
                raise UnreachableError(f"${self.variable}: {shortened(str(error))}") from None
            self._redis = client
        return self._redis

    def close(self) -> None:
        if self._redis is not None:
            self.patience.close(self._redis.close)


class _Counted:
    """A socket from which no more than that is read after something was sent."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self._taken = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def sendall(self, data: bytes) -> None:
        self._taken = 0
        self._wire.sendall(data)

    def recv(self, size: int) -> bytes:
        data: bytes = self._wire.recv(size)
        self._taken += len(data)
        if self._taken > MOST_BYTES:
            raise redis.exceptions.ConnectionError(f"expected at most {MOST_BYTES} bytes, saw more")
        return data


def _limited(kind: type[Any]) -> type[Any]:
    """Connections of this kind whose answers have an end."""

    class Limited(kind):  # type: ignore[misc]
        def _connect(self) -> _Counted:
            return _Counted(super()._connect())

    return Limited


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
        """INFO server: redis_version; behind it that of another product, which speaks as that Redis does.

        Raises AssertionError if the server does not say.
        """

        def told(server: Mapping[str, Any]) -> str | None:
            others = [
                f"{name.removesuffix('_version')} {server[name]}"
                for name in sorted(server)
                if name.endswith("_version") and name not in _OF_REDIS
            ]
            said = server.get("redis_version")
            return None if said is None else " ".join([str(said), *(f"({each})" for each in others)])

        found = self._look("info server", lambda: told(self._session.redis().info("server")))
        if found is None:
            raise AssertionError("Redis: expected a redis_version in INFO server, saw none")
        return str(found)

    def run_id(self) -> str:
        """INFO server: run_id, which no other server has.

        Raises AssertionError if the server does not say.
        """
        found = self._look("info server", lambda: self._session.redis().info("server").get("run_id"))
        if found is None:
            raise AssertionError("Redis: expected a run_id in INFO server, saw none")
        return str(found)

    def readable(self, key: str) -> bool:
        """Whether the keyspace can be read: EXISTS, or DBSIZE where this key is not ours to name.

        So it is where our user has no right to it, or where another node of a cluster has it.
        """
        try:
            return int(self._look(f"exists {key}", lambda: self._session.redis().exists(key))) >= 0
        except _MovedError:
            pass
        except UnreachableError as error:
            if not re.search(r"access (?:one of the keys|a key)", str(error)):
                raise
        return int(self._look("dbsize", lambda: self._session.redis().dbsize())) >= 0

    def clients(self) -> list[Mapping[str, str]]:
        """CLIENT LIST: who is connected, from where, under which name, and for how long it said nothing."""
        found: list[Mapping[str, str]] = self._look(
            "client list",
            lambda: self._session.redis().client_list(),
            say=lambda answer: f"{len(answer)} connections",
        )
        return found

    def unfit(self, key: str) -> list[str]:
        """Why it will not do as the application's: it loads, it is a replica, it refuses writes."""
        if not self.ping():
            return ["PING is not answered by PONG"]
        if self.loading():
            return ["it still loads its data set"]
        if not self.readable(key):
            return ["its keyspace cannot be read"]
        role = self.role()
        return ([] if role == "master" else [f"role {role}, expected master"]) + self.refuses_writes()

    def refuses_writes(self) -> list[str]:
        """Why Redis refuses what the application writes, though it answers PING; nothing is written."""
        return [*self._no_room(), *self._few_replicas(), *self._lost_slots()]

    def _no_room(self) -> list[str]:
        """Full, and nothing may be thrown away: by its policy, or since no key has a time to live."""
        found = self._look("info memory", lambda: self._session.redis().info("memory"), _MEMORY)
        most, policy = int(found.get("maxmemory", 0)), str(found.get("maxmemory_policy", "noeviction"))
        used = int(found.get("used_memory", 0)) - int(found.get("mem_not_counted_for_evict", 0))
        if most == 0 or used < _FULL * most or policy.startswith("allkeys"):
            return []
        if policy.startswith("volatile"):
            keys = self._look("info keyspace", lambda: self._session.redis().info("keyspace"))
            if sum(int(each.get("expires", 0)) for each in keys.values()):
                return []
            policy += ", and no key has a time to live"
        return [f"its memory is full: {used} of {most} bytes, {policy}"]

    def _few_replicas(self) -> list[str]:
        """Fewer than min-replicas-to-write follow; INFO says how many do, if that is set at all."""
        key, name = "min_slaves_good_slaves", "min-replicas-to-write"
        found = self._look("info replication", lambda: self._session.redis().info("replication"), (key,))
        if key not in found:
            return []
        good, wanted = int(found[key]), 1
        if good:
            try:
                answer = self._look(f"config get {name}", lambda: self._session.redis().config_get(name))
                wanted = int(answer.get(name, 0))
            except UnreachableError:  # a service may forbid it; what was refused is counted
                errors = self._look("info errorstats", lambda: self._session.redis().info("errorstats"))
                if "errorstat_NOREPLICAS" in errors:
                    raise
                return []
        return [f"{good} replicas follow, {name} is {max(wanted, 1)}"] if good < wanted else []

    def _lost_slots(self) -> list[str]:
        """A cluster may serve the keys of the nodes that it has, and refuse the others."""
        found = self._look("info cluster", lambda: self._session.redis().info("cluster"))
        if not found.get("cluster_enabled"):
            return []
        told = self._look("cluster info", lambda: self._session.redis().cluster("info"))
        state, ok = str(told["cluster_state"]), int(told["cluster_slots_ok"])
        return [] if state == "ok" and ok == _SLOTS else [f"cluster_state {state}, {ok} of {_SLOTS} slots ok"]

    def _look(
        self,
        command: str,
        function: Callable[[], Any],
        keys: Sequence[str] = (),
        say: Callable[[Any], object] = lambda answer: answer,
    ) -> Any:
        """Send it; of an answer with many values only those of `keys` are shown, or what `say` says."""
        repeat = f'redis-cli -u "{exported(self._variable)}" {command}'
        try:
            answer = self._session.patience.run(function)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except redis.exceptions.RedisError as error:
            code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
            text = shortened(str(error).removeprefix(f"{code} "))
            if code in _WRONG:
                self._observe(Observation(f"{code} {text}", repeat))
                raise AssertionError(f"Redis answers {code} {text}") from None
            if isinstance(error, redis.exceptions.AskError):  # and MovedError: "SLOT HOST:PORT"
                seen = f"the cluster has slot {text.replace(' ', ' at ', 1)}"
                self._observe(Observation(seen, repeat))
                raise _MovedError(f"${self._variable}: {seen}") from None
            self._observe(Observation(f"could not look: {shortened(str(error))}", repeat))
            raise UnreachableError(f"${self._variable}: {shortened(str(error))}") from None
        except _NO_REDIS as error:
            seen = f"expected an answer of Redis, saw another form ({shortened(str(error), 80)})"
            self._observe(Observation(f"could not look: {seen}", repeat))
            raise UnreachableError(f"${self._variable}: {seen}") from None
        verb, space, what = command.partition(" ")
        shown = {key: answer[key] for key in keys if key in answer} if keys else say(answer)
        self._observe(Observation(shortened(f"{verb.upper()}{space}{what} answers {shown}"), repeat))
        return answer
