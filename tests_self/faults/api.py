"""The API behind its edge: every fault of HTTP, of TLS, of sockets and of names."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests_self.authority import Pair
from tests_self.faults import http
from tests_self.faults.fault import INCONCLUSIVE, NO_GO, Changes, Fault, Make, Scene

API, TLS, NAMES, LOAD = "HTTP", "TLS", "DNS", "load test"
NAMES_ASKED = {"hosts": "", "nsswitch.conf": "hosts: dns\n"}
_addresses = itertools.count(101)  # of name servers: each fault has its own
VERSION = b'{"version": "8.0.0"}'


def at(scene: Scene, port: int, host: str = "localhost") -> Changes:
    """The profile's API is there; our authority is trusted beside the world's."""
    both = scene.folder / "authorities.pem"
    both.write_bytes(scene.world.ca_file.read_bytes() + scene.authority.file.certificate.read_bytes())
    there = f"https://{host}:{port}"
    plain_port = scene.servers.serve(http.never_ending(sending_to(there), scene.over))
    return {
        scene.world.base_url: there,
        scene.world.plain_url: f"http://localhost:{plain_port}",
        f'ca_file = "{scene.world.ca_file}"': f'ca_file = "{both}"',
    }


def sending_to(place: str) -> http.Talk:
    """What listens on the other port: it is well."""

    def talk(connection: socket.socket, _: threading.Event) -> None:
        while head := http.request(connection):
            where = f"Location: {place}{head.split(b' ', 2)[1].decode()}"
            connection.sendall(http.head(where, "Content-Length: 0", status="308 Permanent Redirect"))

    return talk


def edge(talk: http.Talk, pair: Callable[[Scene], Pair] | None = None, host: str = "localhost") -> Make:
    """Everything that the API is asked is answered like this."""

    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        given = pair(scene) if pair else None
        port = scene.servers.serve_tls(http.never_ending(talk, scene.over), given)
        yield at(scene, port, host)

    return make


def bare(talk: Callable[[socket.socket, threading.Event], None]) -> Make:
    """The same without TLS."""

    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        yield at(scene, scene.servers.serve(http.never_ending(talk, scene.over)))

    return make


@contextmanager
def half_open(scene: Scene) -> Iterator[Changes]:
    """The kernel accepts connections, and no process does."""
    with socket.create_server(("localhost", 0), backlog=128) as listener:
        yield at(scene, int(listener.getsockname()[1]))


@contextmanager
def refused(scene: Scene) -> Iterator[Changes]:
    yield at(scene, scene.servers.closed_port())


def hang(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def cut_in_handshake(connection: socket.socket, _: threading.Event) -> None:
    connection.recv(1)


def plain(connection: socket.socket, over: threading.Event) -> None:
    http.saying(http.BODY)(connection, over)


def certificate(name: str, host: str = "localhost", days: float = 30, *, own: bool = False) -> Make:
    return edge(http.saying(http.BODY), lambda scene: scene.authority.issue(name, host, days=days, own=own))


def names(answers: Callable[[bytes], bytes | None]) -> Make:
    """A name server; what the world calls localhost is asked of it, and of nothing else."""

    @contextmanager
    def make(scene: Scene) -> Iterator[Changes]:
        for name, text in NAMES_ASKED.items():
            (scene.folder / name).write_text(text)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            address = f"127.0.0.{next(_addresses)}"
            (scene.folder / "resolv.conf").write_text(
                f"nameserver {address}\noptions timeout:10 attempts:3\n"
            )
            server.bind((address, 53))

            def serve() -> None:
                with suppress(OSError):
                    while not scene.over.is_set():
                        question, who = server.recvfrom(4096)
                        if question and (answer := answers(question)):
                            server.sendto(answer, who)

            threading.Thread(target=serve, daemon=True).start()
            yield at(scene, 9)
            with suppress(OSError):  # it wakes who waits, and says that no client was connected
                server.shutdown(socket.SHUT_RDWR)

    return make


def no_such_name(question: bytes) -> bytes:
    """NXDOMAIN."""
    return question[:2] + b"\x81\x83" + question[4:12] + question[12:]


def names_of(folder: Path) -> tuple[str, ...]:
    """What gives a command those name servers alone: a mount namespace of its own."""
    mounts = [f"mount --bind {folder / name} /etc/{name}" for name in ("resolv.conf", *NAMES_ASKED)]
    return ("unshare", "--mount", "sh", "-c", " && ".join([*mounts, 'exec "$@"']), "sh")


def behind(fault: http.Talk) -> http.Talk:
    """/version is right, so that a load test begins; all else is wrong."""
    right = http.head(f"Content-Length: {len(VERSION)}", "Connection: close") + VERSION

    def talk(connection: socket.socket, over: threading.Event) -> None:
        again = _Again(connection)
        if again.first.split(b" ", 2)[1:2] == [b"/version"]:
            connection.sendall(right)
        else:
            fault(again, over)  # type: ignore[arg-type]

    return talk


class _Again:
    """A connection whose first bytes were looked at already."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.first = self._left = connection.recv(65_536)

    def recv(self, size: int) -> bytes:
        left, self._left = self._left, b""
        return left or self._connection.recv(size)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def _of_load(fault: http.HttpFault) -> tuple[tuple[str, ...], str]:
    """Its verdicts, and what it says: it stops where nearly all answers are wrong, or none comes."""
    if fault.says == http.NO_ANSWER:
        return (NO_GO,), "FAILED: it was stopped: no answer for"
    return (INCONCLUSIVE,), r"it was stopped: \d+ of \d+ requests failed"


# A WebSocket has its answer with the head of it: that is seen to be wrong also where the body never ends.
VERDICTS = {"failed": (NO_GO,), "unreachable": (INCONCLUSIVE, NO_GO)}
# Whether the redirect of port 80 and the TLS versions are in order is known all the same; a certificate that
# is not valid is a fault of its own line.
FAULTS = (
    *(
        Fault(API, name, edge(fault.talk), VERDICTS[fault.outcome], fault.says)
        for name, fault in http.FAULTS.items()
    ),
    Fault(API, "accepted by the kernel alone", half_open, (INCONCLUSIVE,), http.NO_ANSWER),
    Fault(TLS, "says nothing in the handshake", bare(hang), (INCONCLUSIVE,), http.NO_ANSWER),
    Fault(TLS, "ends the handshake", bare(cut_in_handshake), (INCONCLUSIVE,), "EOF|reset"),
    Fault(TLS, "HTTP without TLS", bare(plain), (INCONCLUSIVE,), "wrong version|record layer"),
    Fault(TLS, "certificate expired", certificate("expired", days=-1), (NO_GO,), "has expired"),
    Fault(TLS, "certificate signed by itself", certificate("own", own=True), (NO_GO,), "self-signed"),
    Fault(
        TLS, "certificate of another host", certificate("other", "elsewhere.invalid"), (NO_GO,), "mismatch"
    ),
    Fault(NAMES, "no such host", names(no_such_name), (INCONCLUSIVE,), "[Nn]ame|resol", root=True),
    Fault(
        NAMES,
        "a name server that says nothing",
        names(lambda _: None),
        (INCONCLUSIVE,),
        http.NO_ANSWER,
        root=True,
    ),
    *(
        Fault(LOAD, name, edge(behind(fault.talk)), *_of_load(fault), load=True)
        for name, fault in http.FAULTS.items()
    ),
    Fault(LOAD, "no such host", names(no_such_name), (INCONCLUSIVE,), "[Nn]ame|resol", load=True, root=True),
    Fault(
        LOAD,
        "a name server that says nothing",
        names(lambda _: None),
        (INCONCLUSIVE,),
        http.NO_ANSWER,
        load=True,
        root=True,
    ),
    Fault(
        LOAD, "certificate expired", certificate("expired", days=-1), (INCONCLUSIVE,), "expired", load=True
    ),
)
REFUSED = Fault(API, "refused", refused, (INCONCLUSIVE, NO_GO), "refused")
