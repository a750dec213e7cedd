"""The TLS session that users' next connections go on with: it saves a third of a handshake."""

from noxgate_load.http.wire import Stream, TlsSession

MORE = 3  # connections that a server may decline to go on with, beyond those with which it did


class Sessions:
    """One session for all users of a process: to copy it for each would cost half of what going on saves.

    The first connection of each user begins a session of its own, as one of another browser does.
    """

    __slots__ = ("_kept", "_latest", "_offered", "_resumed")

    def __init__(self) -> None:
        self._kept: TlsSession | None = None
        self._latest: Stream | None = None  # one that has a session, or will have one with its first answer
        self._offered = self._resumed = 0

    def next(self) -> TlsSession | None:
        """What a next connection is to go on with.

        Not every server goes on with a session, or each pod with that of another: to offer one costs as much
        as going on with it saves.
        """
        if self._offered > 2 * self._resumed + MORE:
            return None
        if self._kept is None and self._latest is not None:
            self._kept = self._latest.session()
            if self._kept is not None:
                self._latest = None
        return self._kept

    def made(self, stream: Stream, offered: TlsSession | None) -> None:
        """A connection stands, which was to go on with a session if one was offered."""
        if offered is not None:
            self._offered += 1
            if not stream.began_session:
                self._resumed += 1
                return
            if self._kept is offered:  # it has become too old, or was good for once
                self._kept = None
        if self._kept is None and stream.began_session:
            self._latest = stream


class Acquaintance:
    """Whether one user was here before."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        self.made = False
