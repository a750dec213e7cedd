"""Servers on loopback, in threads, for tests of clients."""

import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from tests_self.authority import Authority, Pair

from nox_rehearsal.world.ports import reserved
from noxgate.project.target import Target


class Loopback:
    """Servers in threads: each connection is handed to `talk`, then closed."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._listeners: list[socket.socket] = []
        self._closed_ports = ExitStack()
        self.at_end: list[Callable[[], None]] = []  # such as the close() of a client's session
        self.over = threading.Event()

    def serve(self, talk: Callable[[socket.socket], object], host: str = "localhost", port: int = 0) -> int:
        """Listen; returns the port."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, talk), daemon=True).start()
        return int(listener.getsockname()[1])

    def serve_tls(
        self,
        talk: Callable[[socket.socket], object],
        pair: Pair | None = None,
        versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
        host: str = "localhost",
        port: int = 0,
        alpn: tuple[str, ...] = (),
        *,
        clients: bool = False,
    ) -> int:
        """Listen for TLS, with a good certificate unless another is given; `clients` need one, too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(pair or self._authority.good))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._authority.file.certificate)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = versions
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.set_alpn_protocols(list(alpn)) if alpn else None

        def handshake(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure:
                try:
                    secure.do_handshake()
                except ssl.SSLError:
                    while clients and os.read(secure.fileno(), 9999):  # a reset would overtake the alert
                        pass
                    raise
                talk(secure)

        return self.serve(handshake, host, port)

    def closed_port(self) -> int:
        """A port on which no process listens, unless this test begins to: others are not given it."""
        (port,) = self._closed_ports.enter_context(reserved(1))
        return port

    def target(self, port: int, *, rehearsal: bool = True, plain_port: int = 9) -> Target:
        """A target whose API is at that port."""
        return Target(
            name="loopback",
            path=Path("loopback.toml"),
            serves=("staging",),
            base_url=f"https://localhost:{port}",
            plain_url=f"http://localhost:{plain_port}",
            namespace="nox",
            rehearsal=rehearsal,
            ca_file=self._authority.file.certificate,
            credentials={
                "test_token": "TEST_TOKEN",
                "database_url": "DATABASE_URL",
                "redis_url": "REDIS_URL",
            },
            variables={
                "TEST_TOKEN": "token-of-the-user",
                "DATABASE_URL": f"postgresql://nox:database-password@127.0.0.1:{port}/nox?sslmode=disable",
                "REDIS_URL": f"redis://:redis-password@127.0.0.1:{port}/0",
            },
        )

    def close(self) -> None:
        """Stop listening, and let those go that wait for the end."""
        self.over.set()
        for close in self.at_end:
            close()
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # else the port is taken for as long as a thread waits
            listener.close()
        self._closed_ports.close()

    def _accept(self, listener: socket.socket, talk: Callable[[socket.socket], object]) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._talk, args=(connection, talk), daemon=True).start()

    def _talk(self, connection: socket.socket, talk: Callable[[socket.socket], object]) -> None:
        with connection, suppress(OSError):  # the other side went away
            talk(connection)
