"""Whom HTTPS clients trust, in a context that many threads may connect with at once."""

import ssl
from collections.abc import Iterable
from pathlib import Path

HTTP1 = ("http/1.1",)
HTTP1_AND_2 = ("http/1.1", "h2")


class _Settled(ssl.SSLContext):
    """Its protocols are replaced only by others.

    httpcore 1.0.9 says them again for each connection. CPython 3.11 copies a context's without its lock, so
    that a thread which connects meanwhile copies freed memory: 25 of 373,000 ClientHellos of 16 threads
    offered other bytes, to which servers answer with the alert "decode error".
    """

    settled: tuple[str, ...] = ()

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """What connections offer from now on."""
        wanted = tuple(alpn_protocols)
        if wanted != self.settled:
            super().set_alpn_protocols(wanted)
            self.settled = wanted


def trusting(ca_file: Path | str | None, protocols: tuple[str, ...] = HTTP1) -> ssl.SSLContext:
    """A client's context that trusts this file's authorities, without one this machine's.

    Raises OSError if the file cannot be read, or holds none.
    """
    return settled(ssl.create_default_context(cafile=ca_file), protocols)


def settled(context: ssl.SSLContext, protocols: tuple[str, ...] = HTTP1) -> ssl.SSLContext:
    """The same context, safe to share from now on."""
    context.__class__ = _Settled  # any other part of it is as this Python makes it
    context.set_alpn_protocols(protocols)
    return context
