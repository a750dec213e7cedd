"""One TCP or TLS connection on gevent's loop: bytes out, bytes in, and a reason where that fails.

TLS runs over memory BIOs: the same few lines serve both, a record costs one system call, and nothing ever
reads and writes one connection from two threads at once, which OpenSSL does not allow.
"""

import errno
import ssl
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]

from noxgate.look.http import asks_for_a_certificate
from noxgate_load.http.turns import Turns
from noxgate_load.samples import Reason, WireError

getcurrent = gevent.getcurrent
READ, WRITE = 1, 2
FIRST = 2  # of what the loop found in a round: answers are read before new requests are sent
MOST_AT_ONCE = 65_536
# What TLS reads goes through here: to make so large a piece of memory for each read takes longer than it.
_buffer = bytearray(MOST_AT_ONCE)
_view = memoryview(_buffer)

TlsSession = ssl.SSLSession

_OWN = ("EMFILE", "ENFILE", "EADDRNOTAVAIL", "EADDRINUSE", "ENOBUFS", "ENOMEM")
_AWAY = ("EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EACCES", "EPERM")
_CODES = {
    **{getattr(errno, name): Reason.OWN_LIMIT for name in _OWN},
    **{getattr(errno, name): Reason.UNREACHABLE for name in _AWAY},
    errno.ETIMEDOUT: Reason.CONNECT_TIMEOUT,
}
_KINDS: dict[type[OSError], Reason] = {
    ssl.SSLCertVerificationError: Reason.CERTIFICATE,
    ssl.SSLError: Reason.TLS,
    ConnectionRefusedError: Reason.REFUSED,
}


class Stream:
    """A connection. `receive` gives b"" at the end; `whole_end` says whether TLS was closed in good order."""

    # The loop watches for bytes all the time: to begin and end that with each request would cost more
    # system calls than the request itself.
    __slots__ = ("_hub", "_reader", "_socket", "_waiter", "stirred", "whole_end")

    def __init__(self, connected: Any) -> None:
        self._hub = gevent.get_hub()
        self._socket = connected
        self._waiter: Any = None  # the greenlet that waits for bytes
        self.stirred = False  # some came without a request
        self._reader = self._hub.loop.io(connected.fileno(), READ, True, FIRST)  # noqa: FBT003 (gevent's)
        self._reader.start(self._stir)
        self.whole_end = True

    def send(self, data: bytes) -> None:
        """Send all of it."""
        view: bytes | memoryview = data
        while view:
            try:
                sent = self._socket.send(view)
            except BlockingIOError:
                wait(self._socket, WRITE)
                continue
            if sent == len(view):
                return
            view = memoryview(view)[sent:]

    def receive(self) -> bytes:
        """Wait for what comes next."""
        while True:
            if self.stirred:
                self.stirred = False
                self._reader.start(self._stir)
            else:
                self._waiter = getcurrent()
                try:
                    self._hub.switch()
                finally:
                    self._waiter = None
            try:
                data: bytes = self._socket.recv(MOST_AT_ONCE)
            except BlockingIOError:
                continue
            return data

    def still_open(self, *, surely: bool) -> bool:
        """Whether nothing has come since the last answer: neither its end nor bytes without a request.

        Unless `surely`, what the loop has not seen in its last round is not looked for.
        """
        if not (surely or self.stirred):
            return True
        try:
            data = self._socket.recv(MOST_AT_ONCE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(data) and self._is_nothing(data)

    @property
    def began_session(self) -> bool:
        """Whether TLS stands and did not go on with the session of an earlier connection."""
        return False

    def session(self) -> TlsSession | None:
        """What a later connection can go on with, if there is something by now."""
        return None

    def close(self) -> None:
        """Close at once."""
        if self._reader is None:
            return
        self._reader.stop()
        self._reader.close()
        self._reader = None
        self._say_goodbye()
        self._socket.close()

    def _is_nothing(self, _: bytes) -> bool:
        """Whether bytes without a request may be there."""
        return False

    def _say_goodbye(self) -> None:
        """Say what can be said without waiting."""

    def _stir(self) -> None:
        """Bytes came, or the end."""
        if self._waiter is not None:
            self._waiter.switch()
        else:
            self.stirred = True
            self._reader.stop()


class TlsStream(Stream):
    """One with TLS, which stands once `secure` is through."""

    __slots__ = ("_incoming", "_outgoing", "_over", "_tls")

    def __init__(self, connected: Any) -> None:
        super().__init__(connected)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._over = False  # TLS has ended, which may come with the last bytes

    def secure(self, context: ssl.SSLContext, host: bytes, turns: Turns, session: TlsSession | None) -> None:
        """Shake hands; where the server agrees, go on with the session of an earlier connection.

        Our last word of it goes out with the first bytes that are sent, in one piece.
        """
        turns.proceed()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host, session=session)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                super().send(self._outgoing.read())
                self._incoming.write(super().receive() or self._ended())
                turns.proceed()
            except ssl.SSLError:
                with suppress(OSError):
                    self._socket.send(self._outgoing.read())  # the alert that tells the server why
                raise
            else:
                break
        self._tls = tls

    def send(self, data: bytes) -> None:
        assert self._tls is not None
        self._tls.write(data)
        super().send(self._outgoing.read())

    def receive(self) -> bytes:
        while not self._over:
            if not self._incoming.pending:
                if data := super().receive():
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            if (clear := self._clear()) is not None:
                return clear
        return b""

    @property
    def began_session(self) -> bool:
        return self._tls is not None and not self._tls.session_reused

    def session(self) -> TlsSession | None:
        session = self._tls.session if self._tls is not None else None
        return session if session is not None and (session.has_ticket or session.id) else None

    def _is_nothing(self, data: bytes) -> bool:
        self._incoming.write(data)  # a session ticket may come late
        try:
            return self._clear() is None
        except (OSError, WireError):
            return False

    def _say_goodbye(self) -> None:
        if self._tls is not None:
            with suppress(OSError, ValueError):
                self._tls.unwrap()
            with suppress(OSError):
                self._socket.send(self._outgoing.read())

    def _clear(self) -> bytes | None:
        """What TLS can give of the bytes that came: None if that is less than one record."""
        tls, incoming = self._tls, self._incoming
        assert tls is not None
        parts = []
        try:
            while True:
                size: Any = tls.read(MOST_AT_ONCE, _buffer)  # with a buffer: how many
                parts.append(bytes(_view[:size]))
                self._over = not parts[-1]
                if self._over or not (incoming.pending or tls.pending()):
                    break
        except ssl.SSLWantReadError:
            if not parts:
                return None
        except ssl.SSLEOFError:
            self._over = True
            self.whole_end = False
        except ssl.SSLZeroReturnError:
            self._over = True
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _ended(self) -> bytes:
        raise WireError(Reason.TLS, "the server closed the connection during the handshake")


def why(error: OSError) -> Reason:
    """The reason that stands for an error of the network, of TLS or of this machine."""
    if isinstance(error, ssl.SSLError) and asks_for_a_certificate(error):
        return Reason.NO_CERTIFICATE
    for kind, reason in _KINDS.items():
        if isinstance(error, kind):
            return reason
    return _CODES.get(error.errno or 0, Reason.RESET)


def wait(connection: Any, event: int) -> None:
    hub = gevent.get_hub()
    watcher = hub.loop.io(connection.fileno(), event)
    try:
        hub.wait(watcher)
    finally:
        watcher.close()
