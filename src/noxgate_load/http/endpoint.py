"""Where requests go: its addresses, and new connections to one of them."""

import errno
import random
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import gevent  # type: ignore[import-untyped]
from gevent.lock import BoundedSemaphore  # type: ignore[import-untyped]
from gevent.monkey import get_original  # type: ignore[import-untyped]
from gevent.socket import getaddrinfo  # type: ignore[import-untyped]

from noxgate_load.http.heads import Heads
from noxgate_load.http.sessions import Acquaintance, Sessions
from noxgate_load.http.turns import Turns
from noxgate_load.http.wire import WRITE, Stream, TlsSession, TlsStream, wait, why
from noxgate_load.samples import Reason, WireError, clock

PLAIN_SOCKET = get_original("socket", "socket")  # also where Locust has put gevent's in its place
ADDRESSES_KEPT = 60.0  # seconds

Address = tuple[int, Any]
T = TypeVar("T")


class Endpoint:
    """Where requests go. One for all users of a process, and with it one SSL context: each costs 15 ms."""

    def __init__(self, base_url: str, *, ca_file: Path | None = None, connect_timeout: float = 5) -> None:
        url = urlsplit(base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError(f"expected http(s)://host[:port][/prefix], saw {base_url!r}")
        self.host = url.hostname
        self.port = url.port or (443 if url.scheme == "https" else 80)
        self.prefix = url.path.rstrip("/")  # in front of every path
        self.authority = url.netloc.rpartition("@")[2]
        self._server_name = self.host.encode("idna")  # as bytes: else each connection would encode it anew
        self._context = ssl.create_default_context(cafile=ca_file) if url.scheme == "https" else None
        self._connect_timeout = connect_timeout
        self._addresses: list[Address] = []
        self._looked_up = 0.0
        self._lock = BoundedSemaphore()
        self._turns = Turns()
        self.heads = Heads()
        self._sessions = Sessions()

    def ready(self) -> float:
        """Look up the host, then wait until this process has the time to connect; gives the seconds of that.

        They are not measured: a busy generator must not look like a slow target.
        """
        if self._is_stale():
            self._in_time(self._resolved)
        since = clock()
        self._turns.begin()
        return clock() - since

    def connect(self, acquaintance: Acquaintance) -> Stream:
        """A connection that is ready to use; raises WireError, which says why, if it cannot be had."""
        session = self._sessions.next() if acquaintance.made else None
        stream = self._in_time(lambda: self._connect(session))
        self._sessions.made(stream, session)
        acquaintance.made = True
        return stream

    def _in_time(self, work: Callable[[], T]) -> T:
        timeout = gevent.Timeout(self._connect_timeout)
        timeout.start()
        try:
            return work()
        except gevent.Timeout as mine:
            if mine is not timeout:
                raise
            raise WireError(Reason.CONNECT_TIMEOUT) from None
        finally:
            timeout.close()

    def _connect(self, session: TlsSession | None) -> Stream:
        if self._context is None:
            return Stream(self._dial())
        stream = TlsStream(self._dial())
        try:
            stream.secure(self._context, self._server_name, self._turns, session)
        except ssl.SSLError as error:
            stream.close()
            raise WireError(why(error), error.reason or "") from None
        except OSError as error:
            stream.close()
            raise WireError(why(error), "during the handshake") from None
        except BaseException:
            stream.close()
            raise
        return stream

    def _dial(self) -> Any:
        """Connect to one of the addresses, the others following where it is refused."""
        problem = OSError(errno.EHOSTUNREACH, "no address")
        for family, address in self._resolved():
            try:
                return _connected(family, address)
            except OSError as error:
                problem = error
        raise WireError(why(problem), problem.strerror or "")

    def _is_stale(self) -> bool:
        return not self._addresses or clock() - self._looked_up > ADDRESSES_KEPT

    def _resolved(self) -> list[Address]:
        with self._lock:
            if self._is_stale():
                try:
                    found = getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
                except OSError as error:
                    raise WireError(Reason.DNS, str(error)) from None
                self._addresses = [(family, address) for family, _, _, _, address in found]
                self._looked_up = clock()
        if len(self._addresses) == 1:
            return self._addresses
        first = self._addresses[0][0]
        mixed = random.sample(self._addresses, len(self._addresses))
        return sorted(mixed, key=lambda entry: entry[0] != first)


def _connected(family: int, address: Any) -> Any:
    made = PLAIN_SOCKET(family, socket.SOCK_STREAM)
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = made.connect_ex(address)
        if code == errno.EINPROGRESS:
            wait(made, WRITE)
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except BaseException:
        made.close()
        raise
    if code:
        made.close()
        raise OSError(code, errno.errorcode.get(code, str(code)))
    return made
