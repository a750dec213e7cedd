"""PostgreSQL and Redis: the real ones in a bad way where that can be had, else small servers."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg
import redis
from tests_self.faults import http
from tests_self.faults.fault import INCONCLUSIVE, NO_GO, Changes, Fault, Make, Scene

from noxgate.look.waiting import eventually
from noxgate.machine import doctor, postgresql

POSTGRES, REDIS = "PostgreSQL", "Redis"
CUT_AFTER = 2_000  # bytes of a server's: signed in, and in the middle of its answers
STARTS, ENDS = 30, 10  # seconds
GATE = "nox_gate"
NO_SERVER = b"HTTP/1.1 400 Bad Request\r\n\r\n"
SILENT = "timeout expired|Timeout reading"  # libpq's words, and redis-py's


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def instead(scene: Scene, system: str, port: int) -> Changes:
    """The credentials lead there."""
    world = scene.world
    old = port_of(world.read_only_dsn if system == POSTGRES else world.redis_url)
    return {f"127.0.0.1:{old}/": f"127.0.0.1:{port}/"}


def talking(system: str, talk: http.Talk) -> Make:
    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        port = scene.servers.serve(http.never_ending(talk, scene.over), host="127.0.0.1")
        yield instead(scene, system, port)

    return make


def refused(system: str) -> Make:
    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        yield instead(scene, system, scene.servers.closed_port())

    return make


def hang(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def tls_and_silence(connection: socket.socket, over: threading.Event) -> None:
    """Agree to speak TLS, and say no more."""
    connection.recv(8)
    connection.sendall(b"S")
    over.wait()


def answering(first: bytes, piece: bytes = b"", times: int = 0) -> http.Talk:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(first)
        for _ in range(times):
            if over.is_set():
                return
            connection.sendall(piece)

    return talk


def cutting(system: str, after: int) -> Make:
    """The real server behind a wire that is cut after so many of its bytes, each time."""

    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        world = scene.world
        real = port_of(world.read_only_dsn if system == POSTGRES else world.redis_url)

        def talk(connection: socket.socket, _: threading.Event) -> None:
            with socket.create_connection(("127.0.0.1", real)) as server:
                there = threading.Thread(target=passed_on, args=(connection, server), daemon=True)
                there.start()
                passed_on(server, connection, after)
                connection.shutdown(socket.SHUT_RDWR)

        yield instead(
            scene, system, scene.servers.serve(http.never_ending(talk, scene.over), host="127.0.0.1")
        )

    return make


def passed_on(source: socket.socket, sink: socket.socket, most: int | None = None) -> None:
    left = most
    try:
        while (left is None or left > 0) and (data := source.recv(65_536 if left is None else left)):
            sink.sendall(data)
            left = None if left is None else left - len(data)
    except OSError:
        return


@contextmanager
def no_connection_left(scene: Scene) -> Iterator[Changes]:
    """For the gate's own role: the application has its connections."""
    with psycopg.connect(scene.world.dsn, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {GATE} CONNECTION LIMIT 0".encode())
        try:
            yield {}
        finally:
            admin.execute(f"ALTER ROLE {GATE} CONNECTION LIMIT -1".encode())


@contextmanager
def standby(scene: Scene) -> Iterator[Changes]:
    """A real one, which follows the world's server: it answers everything that is read."""
    owner = postgresql.server_user()
    home = scene.folder / "standby"
    home.mkdir()
    if owner is not None:
        shutil.chown(home, owner.pw_uid, owner.pw_gid)
    user = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data, port = home / "data", scene.servers.closed_port()
    copy = [
        str(doctor.program("pg_basebackup")),
        "-D",
        str(data),
        "-R",
        "-c",
        "fast",
        "-d",
        _without_password(scene.world.dsn),
    ]
    known = os.environ | {
        "PGPASSWORD": urlsplit(scene.world.dsn).password or ""
    }  # not for all who see a command
    subprocess.run(copy, check=True, cwd="/", env=known, capture_output=True, timeout=STARTS * 4, **user)  # type: ignore[call-overload]
    settings = postgresql.THROWAWAY | {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)
    }  # fmt: skip
    serve = postgresql.serve(doctor.program("postgres"), data, settings)
    with ended(serve, cwd="/", **user):
        there = scene.world.read_only_dsn.replace(f":{port_of(scene.world.dsn)}/", f":{port}/")
        eventually(lambda: _signs_in(there), within=STARTS, every=0.1)
        yield instead(scene, POSTGRES, port)


def _without_password(dsn: str) -> str:
    parts = urlsplit(dsn)
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()


def _signs_in(dsn: str) -> None:
    try:
        psycopg.connect(dsn, connect_timeout=2).close()
    except psycopg.Error as error:
        raise AssertionError(str(error)) from None


@contextmanager
def ended(command: tuple[str, ...], **options: object) -> Iterator[None]:
    """A process for as long as the block lasts."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen(command, **{**quiet, **options})  # type: ignore[call-overload]
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(ENDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def real_redis(*words: str) -> Make:
    """One of its own, in another mode, with the world's password."""

    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        port = scene.servers.closed_port()
        password = urlsplit(scene.world.redis_url).password or ""
        settings = scene.folder / "redis.conf"
        settings.write_text(
            f'port {port}\nbind 127.0.0.1\nrequirepass {password}\ndir {scene.folder}\nsave ""\n'
            + "".join(f"{each}\n" for each in words if not each.startswith("--"))
        )
        settings.chmod(0o600)
        flags = [each for each in words if each.startswith("--")]
        with ExitStack() as stack:
            stack.enter_context(ended((str(doctor.program("redis-server")), str(settings), *flags)))
            url = scene.world.redis_url.replace(f":{port_of(scene.world.redis_url)}/", f":{port}/")
            eventually(lambda: _pongs(url), within=STARTS, every=0.1)
            yield instead(scene, REDIS, port)

    return make


def _pongs(url: str) -> None:
    try:
        with redis.Redis.from_url(url) as client:
            client.ping()
    except redis.exceptions.RedisError as error:
        raise AssertionError(str(error)) from None


def loading(connection: socket.socket, _: threading.Event) -> None:
    """As Redis is while it reads its data set: it greets, and answers nothing that needs a key."""
    greeting = {b"AUTH", b"SELECT", b"CLIENT"}
    with connection.makefile("rb") as lines:
        while line := lines.readline():
            words = []
            for _word in range(int(line[1:])):
                length = int(lines.readline()[1:])
                words.append(lines.read(length + 2)[:-2].upper())
            if words[0] == b"HELLO":
                connection.sendall(b"%1\r\n$5\r\nproto\r\n:3\r\n")
            elif words[0] in greeting:
                connection.sendall(b"+OK\r\n")
            else:
                connection.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")


Talk = Callable[[socket.socket, threading.Event], None]
TALKS: dict[str, dict[str, tuple[Talk, str, str]]] = {
    POSTGRES: {
        "accepts and says nothing": (hang, INCONCLUSIVE, SILENT),
        "agrees to TLS and says nothing": (tls_and_silence, INCONCLUSIVE, SILENT),
        "not PostgreSQL": (
            answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            INCONCLUSIVE,
            "invalid response",
        ),
        "a message of 2 GB": (
            answering(b"R\x7f\xff\xff\xff", http.PIECE, 2_000),
            INCONCLUSIVE,
            "invalid response",
        ),
    },
    REDIS: {
        "accepts and says nothing": (hang, INCONCLUSIVE, SILENT),
        "is loading": (loading, NO_GO, "LOADING"),
        "not Redis": (answering(NO_SERVER), INCONCLUSIVE, "Protocol|HTTP"),
        "an answer of 1 GB": (
            answering(b"$1000000000\r\n", http.PIECE, 1_000),
            INCONCLUSIVE,
            "expected at most",
        ),
        "a line without end": (
            answering(b"+", http.PIECE, 1_000),
            INCONCLUSIVE,
            "expected at most",
        ),
        "deep answer": (answering(b"*1\r\n" * 200_000), INCONCLUSIVE, "another form"),
    },
}
FAULTS = (
    *(
        Fault(system, name, talking(system, talk), (verdict,), says)
        for system, talks in TALKS.items()
        for name, (talk, verdict, says) in talks.items()
    ),
    Fault(POSTGRES, "no connection left", no_connection_left, (INCONCLUSIVE,), "too many connections"),
    Fault(POSTGRES, "is a standby", standby, (NO_GO,), "a standby, expected"),
    Fault(POSTGRES, "ends the session half way", cutting(POSTGRES, CUT_AFTER), (INCONCLUSIVE,), "closed"),
    Fault(REDIS, "cluster mode", real_redis("cluster-enabled yes"), (NO_GO,), "CLUSTERDOWN"),
    Fault(REDIS, "a sentinel", real_redis("--sentinel"), (NO_GO, INCONCLUSIVE), "sentinel|unknown command"),
    Fault(REDIS, "ends the session half way", cutting(REDIS, 300), (INCONCLUSIVE,), "[Cc]losed"),
)
REFUSED = tuple(
    Fault(system, "refused", refused(system), (INCONCLUSIVE, NO_GO), "refused") for system in TALKS
)
