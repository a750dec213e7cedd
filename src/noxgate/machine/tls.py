"""Whom HTTPS clients trust, in a context that many threads may connect with at once."""

import ssl
from collections.abc import Iterable
from pathlib import Path

HTTP1 = ("http/1.1",)
HTTP1_AND_2 = ("http/1.1", "h2")


def trusting(ca_file: Path | str | None, protocols: tuple[str, ...] = HTTP1) -> ssl.SSLContext:
    """A client's context that trusts this file's authorities, without one this machine's.

    Raises OSError if the file cannot be read, or holds none.
    """
    return settled(ssl.create_default_context(cafile=ca_file), protocols)


def settled(context: ssl.SSLContext, protocols: tuple[str, ...] = HTTP1) -> ssl.SSLContext:
    """The same context, which offers these protocols from now on: other ones raise ValueError.

    httpcore 1.0.9 sets them again for each connection. CPython 3.11 copies a context's protocols without
    holding its lock (the GIL), so that a thread which connects meanwhile copies freed memory: 25 of 373,000
    ClientHellos of 16 threads offered other bytes, to which servers answer with the alert "decode error".
    """
    context.set_alpn_protocols(protocols)

    def again(alpn_protocols: Iterable[str]) -> None:
        wanted = tuple(alpn_protocols)
        if wanted != protocols:
            raise ValueError(f"expected a context of its own for {wanted}, saw one that offers {protocols}")

    # of this one alone: gevent warns of each class that is made from SSLContext before it patches that
    context.set_alpn_protocols = again  # type: ignore[method-assign]
    return context
