"""The PostgreSQL and Redis clients against small servers that write down what they are sent."""

import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Patience
from noxgate.systems import settings
from noxgate.systems.postgres.database import MOST_ROWS, Database, DatabaseSession
from noxgate.systems.redis import Cache, CacheSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

LONG = 60.0  # seconds that a look may take where it must not matter

# ---------------------------------------------------------------- Redis

REPLIES = {
    "PING": b"+PONG\r\n",
    "ROLE": b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n",
    "INFO": b"$23\r\n# Persistence\nloading:0\r\n",
    "EXISTS": b":0\r\n",
    "AUTH": b"+OK\r\n",
    "SELECT": b"+OK\r\n",
    "CLIENT": b"+OK\r\n",
    "HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
}
READING = {"PING", "ROLE", "INFO", "EXISTS"}
GREETING = {"AUTH", "SELECT", "CLIENT", "HELLO"}


class FakeRedis:
    """Speaks enough of RESP; `commands` are the names of all that came."""

    def __init__(self, replies: Mapping[str, bytes] = REPLIES) -> None:
        self.commands: list[str] = []
        self._replies = replies

    def talk(self, connection: socket.socket) -> None:
        """Answer until the client goes."""
        with connection.makefile("rb") as lines:
            while line := lines.readline():
                words = []
                for _ in range(int(line[1:])):
                    length = int(lines.readline()[1:])
                    words.append(lines.read(length + 2)[:-2].decode())
                self.commands.append(words[0].upper())
                connection.sendall(self._replies.get(words[0].upper(), b"-ERR unknown command\r\n"))


def cache(loopback: "Loopback", port: int, observed: list[Observation], look: float = LONG) -> Cache:
    """A client of the server at that port."""
    session = CacheSession(settings.cache(loopback.target(port)))
    session.patience = Patience("Redis", look=look)
    loopback.at_end.append(session.close)
    return Cache(session, observed.append)


def test_redis_looks_and_records(loopback: "Loopback") -> None:
    """Each with the command to see it again."""
    observed: list[Observation] = []
    server = FakeRedis()
    client = cache(loopback, loopback.serve(server.talk), observed)

    assert (client.ping(), client.role(), client.loading(), client.readable("a:b")) == (
        True,
        "master",
        False,
        True,
    )
    assert observed == [
        Observation("PING answers True", 'redis-cli -u "${REDIS_URL:?}" ping'),
        Observation("ROLE answers master", 'redis-cli -u "${REDIS_URL:?}" role'),
        Observation("INFO persistence answers 0", 'redis-cli -u "${REDIS_URL:?}" info persistence'),
        Observation("EXISTS a:b answers 0", 'redis-cli -u "${REDIS_URL:?}" exists a:b'),
    ]


def test_redis_is_only_read(loopback: "Loopback") -> None:
    """Four commands, in addition to what a connection begins with; and no method that sends another."""
    server = FakeRedis()
    client = cache(loopback, loopback.serve(server.talk), [])

    client.ping(), client.role(), client.loading(), client.readable("x")

    assert set(server.commands) - GREETING == READING
    looks = ["ping", "role", "loading", "version", "run_id", "readable"]
    looks += ["clients", "unfit", "refuses_writes"]
    assert [name for name in vars(Cache) if not name.startswith("_")] == looks


def test_redis_says_its_version(loopback: "Loopback") -> None:
    """As text, also if it looks like a number."""
    observed: list[Observation] = []
    server = FakeRedis(REPLIES | {"INFO": b"$32\r\n# Server\r\nredis_version:7.0.15\r\n\r\n"})

    assert cache(loopback, loopback.serve(server.talk), observed).version() == "7.0.15"
    assert observed == [
        Observation("INFO server answers 7.0.15", 'redis-cli -u "${REDIS_URL:?}" info server')
    ]
    silent = cache(loopback, loopback.serve(FakeRedis().talk), [])
    with pytest.raises(AssertionError, match="expected a run_id in INFO server, saw none"):
        silent.run_id()
    with pytest.raises(AssertionError, match="expected a redis_version in INFO server, saw none"):
        silent.version()


def test_redis_that_loads_is_a_mismatch(loopback: "Loopback") -> None:
    """It is there, and not ready."""
    busy = FakeRedis(REPLIES | {"PING": b"-LOADING Redis is loading the dataset in memory\r\n"})
    observed: list[Observation] = []

    with pytest.raises(AssertionError, match="loading the dataset"):
        cache(loopback, loopback.serve(busy.talk), observed).ping()

    assert len(observed) == 1


@pytest.mark.parametrize(
    "words",
    [
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN The cluster is down",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    ],
)
def test_redis_that_says_what_is_wrong(loopback: "Loopback", words: str) -> None:
    """We did look: it is there, and does not serve."""
    server = FakeRedis(REPLIES | {"PING": f"-{words}\r\n".encode()})
    observed: list[Observation] = []

    with pytest.raises(AssertionError, match=f"Redis answers {words[:20]}"):
        cache(loopback, loopback.serve(server.talk), observed).ping()

    assert [each.seen for each in observed] == [words]


@pytest.mark.parametrize(
    "reply",
    [
        {"HELLO": b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
        {"PING": b"-NOAUTH Authentication required.\r\n"},
        {"PING": b"-NOPERM this user has no permissions to run the 'ping' command\r\n"},
        {"PING": b"-ERR max number of clients reached\r\n"},
        {"SELECT": b"-ERR DB index is out of range\r\n", "PING": b"-ERR no\r\n"},
    ],
    ids=["wrong-password", "no-password", "no-permission", "full", "error"],
)
def test_redis_that_refuses_is_unreachable(loopback: "Loopback", reply: dict[str, bytes]) -> None:
    """We could not look; the line names the variable and not its value."""
    observed: list[Observation] = []

    with pytest.raises(UnreachableError) as caught:
        cache(loopback, loopback.serve(FakeRedis(REPLIES | reply).talk), observed).ping()

    assert str(caught.value).startswith("$REDIS_URL: ")
    assert "redis-password" not in str(caught.value) + repr(observed)
    assert observed[0].seen.startswith("could not look: ")


def test_redis_url_with_odd_options_is_unreachable(loopback: "Loopback") -> None:
    """redis-py takes any query for a setting, and stumbles over those that it does not know."""
    observed: list[Observation] = []
    target = loopback.target(9)
    variables = {"REDIS_URL": "redis://:redis-password@127.0.0.1:9/0?colour=red"}
    object.__setattr__(target, "variables", variables)

    with pytest.raises(UnreachableError, match=r"^\$REDIS_URL: .*colour"):
        Cache(CacheSession(settings.cache(target)), observed.append).ping()


# ---------------------------------------------------------------- PostgreSQL


def message(kind: bytes, content: bytes = b"") -> bytes:
    """A message of the server's."""
    return kind + struct.pack("!i", len(content) + 4) + content


def error(code: str, text: str) -> bytes:
    """An error of the server's."""
    return message(b"E", f"SERROR\0C{code}\0M{text}\0\0".encode())


READY, READY_INSIDE, READY_FAILED = (message(b"Z", state) for state in (b"I", b"T", b"E"))
WELCOME = (
    message(b"R", struct.pack("!i", 0))
    + message(b"S", b"client_encoding\0UTF8\0")
    + message(b"S", b"server_version\x0015.0\0")
    + message(b"K", struct.pack("!ii", 1, 1))
    + READY
)
COLUMN = b"name\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)


def rows(*values: str) -> bytes:
    """The answer to a query of one text column."""
    table = message(b"T", struct.pack("!h", 1) + COLUMN)
    for value in values:
        table += message(b"D", struct.pack("!hi", 1, len(value)) + value.encode())
    return table + message(b"C", f"SELECT {len(values)}\0".encode())


class FakePostgres:
    """Answers every query with `answer`; `queries` are all that came."""

    def __init__(self, answer: bytes, welcome: bytes = WELCOME) -> None:
        self.queries: list[str] = []
        self._answer = answer
        self._welcome = welcome

    def talk(self, connection: socket.socket) -> None:
        """Answer until the client goes."""
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack("!i", stream.read(4))
            stream.read(length - 4)
            connection.sendall(self._welcome)
            while kind := stream.read(1):
                (length,) = struct.unpack("!i", stream.read(4))
                content = stream.read(length - 4)
                if kind == b"Q":
                    self.queries.append(content[:-1].decode())
                    connection.sendall(self._reply(self.queries[-1]))

    def _reply(self, query: str) -> bytes:
        word = query.split(maxsplit=1)[0]
        if word in {"BEGIN", "SET"}:
            return message(b"C", word.encode() + b"\0") + READY_INSIDE
        if word in {"COMMIT", "ROLLBACK"}:
            return message(b"C", word.encode() + b"\0") + READY
        failed = self._answer.startswith(b"E")
        return self._answer + (READY_FAILED if failed else READY_INSIDE)


def database(loopback: "Loopback", port: int, observed: list[Observation], look: float = LONG) -> Database:
    """A client of the server at that port."""
    session = DatabaseSession(settings.database(loopback.target(port)))
    session.patience = Patience("the database", look=look)
    loopback.at_end.append(session.close)
    return Database(session, observed.append)


def test_database_looks_and_records(loopback: "Loopback") -> None:
    """Rows, how many, and the command to see them again."""
    observed: list[Observation] = []
    client = database(loopback, loopback.serve(FakePostgres(rows("users", "jobs")).talk), observed)

    assert client.rows("SELECT name\n  FROM it's") == [("users",), ("jobs",)]
    (observation,) = observed
    assert observation.seen.startswith("2 rows in ")
    assert observation.seen.endswith(" ms: users, jobs")
    assert observation.repeat == """psql "${DATABASE_URL:?}" -c 'SELECT name FROM it'"'"'s'"""


def test_database_is_only_read(loopback: "Loopback") -> None:
    """Each query in a READ ONLY transaction with a time limit, also if the role may do more."""
    server = FakePostgres(rows("x"))
    client = database(loopback, loopback.serve(server.talk), [])

    client.rows("SELECT 1")
    client.rows("SELECT 2")

    assert server.queries == [
        *["BEGIN READ ONLY", "SET LOCAL statement_timeout = '8s'", "SELECT 1", "COMMIT"],
        *["BEGIN READ ONLY", "SET LOCAL statement_timeout = '8s'", "SELECT 2", "COMMIT"],
    ]
    assert [name for name in vars(Database) if not name.startswith("_")] == ["catalog", "rows"]


def test_too_many_rows_are_unreachable(loopback: "Loopback") -> None:
    """Nothing is charged to the database."""
    server = FakePostgres(rows(*["x"] * (MOST_ROWS + 1)))

    with pytest.raises(UnreachableError, match="expected at most 10000 rows, saw more"):
        database(loopback, loopback.serve(server.talk), []).rows("SELECT 1")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("42P01", AssertionError),  # no such table: the migration did not run
        ("25006", AssertionError),  # a write in a read-only transaction
        ("57014", UnreachableError),  # the time limit
        ("42501", UnreachableError),  # the role may not look
        ("57P01", UnreachableError),  # shut down under us
        ("53300", UnreachableError),  # no connection left
    ],
)
def test_errors_of_queries(loopback: "Loopback", code: str, kind: type[Exception]) -> None:
    """Wrong, or not looked at: recorded once, in PostgreSQL's own words, and the next look works."""
    observed: list[Observation] = []
    server = FakePostgres(error(code, "in its own words"))
    client = database(loopback, loopback.serve(server.talk), observed)

    for _ in range(2):
        with pytest.raises(kind, match=r": in its own words$"):
            client.rows("SELECT 1")

    assert len(observed) == 2
    assert server.queries.count("SELECT 1") == 2


@pytest.mark.parametrize(
    ("welcome", "words"),
    [
        (error("28P01", 'password authentication failed for user "nox"'), "password authentication failed"),
        (error("3D000", 'database "nox" does not exist'), "does not exist"),
        (error("57P03", "the database system is starting up"), "starting up"),
        (b"", "server closed the connection unexpectedly"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "expected authentication request"),
    ],
    ids=["password", "database", "starting", "closed", "http"],
)
def test_database_that_refuses_is_unreachable(loopback: "Loopback", welcome: bytes, words: str) -> None:
    """In one line with the variable's name; psycopg's own message may hold the whole URL."""
    observed: list[Observation] = []

    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(welcome)

    with pytest.raises(UnreachableError) as caught:
        database(loopback, loopback.serve(talk), observed).rows("SELECT 1")

    assert str(caught.value).startswith("$DATABASE_URL: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "database-password" not in str(caught.value)
    assert observed[0].seen == f"could not look: {caught.value}"


# ---------------------------------------------------------------- both

ASK: dict[str, Callable[[Any], Any]] = {
    "database": lambda client: client.rows("SELECT 1"),
    "redis": lambda client: client.ping(),
}
CLIENTS: dict[str, Callable[..., Any]] = {
    "database": database,
    "redis": cache,
}


@pytest.mark.parametrize("name", CLIENTS)
def test_refused_connection_is_unreachable(loopback: "Loopback", name: str) -> None:
    """As everywhere."""
    with pytest.raises(UnreachableError, match=r"(?i)connection refused"):
        ASK[name](CLIENTS[name](loopback, loopback.closed_port(), []))


@pytest.mark.parametrize("name", CLIENTS)
def test_silent_server_is_unreachable_in_time(loopback: "Loopback", name: str) -> None:
    """Accepted, and then nothing: the client's own library would wait for five seconds or for ever."""
    port = loopback.serve(lambda _: loopback.over.wait(30))
    started = time.monotonic()

    with pytest.raises(UnreachableError, match="no answer in 1 s"):
        ASK[name](CLIENTS[name](loopback, port, [], 1))

    assert time.monotonic() - started < 4.5


@pytest.mark.parametrize("name", CLIENTS)
def test_unset_variable_is_unreachable_and_recorded(loopback: "Loopback", name: str) -> None:
    """With what to do."""
    target = loopback.target(9)
    object.__setattr__(target, "variables", {})
    observed: list[Observation] = []
    client: Any = (
        Database(DatabaseSession(settings.database(target)), observed.append)
        if name == "database"
        else Cache(CacheSession(settings.cache(target)), observed.append)
    )

    with pytest.raises(UnreachableError, match=r"_URL is not set \(loopback.toml \[credentials\]"):
        ASK[name](client)

    assert len(observed) == 1
