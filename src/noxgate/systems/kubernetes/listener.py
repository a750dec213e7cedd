"""A port of this machine that leads to a pod's, for as long as its context lasts."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from noxgate.errors import UnreachableError

if TYPE_CHECKING:
    from kubernetes.stream.ws_client import PortForward

HOST = "127.0.0.1"
SECONDS = 8.0  # that one request may take


class Listener:
    """A local port; each connection to it goes on to the pod in a stream of its own."""

    def __init__(self, connect: Callable[[], "PortForward"]) -> None:
        self._connect = connect
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self.problem: str | None = None
        self.is_refused = False  # by the API server, so that nothing is known of the pod
        self.over = threading.Event()  # no connection is open
        self.over.set()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True, name=f"port-forward {self.port}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept()
        self._listener.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._thread.join(SECONDS)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                local, _ = self._listener.accept()
                self.over.clear()
                self._open.append(local)
                with local:
                    self._pass_on(local)
                self._open.remove(local)
                self.over.set()

    def _pass_on(self, local: socket.socket) -> None:
        try:
            forward = self._connect()
        except UnreachableError as error:
            self.problem, self.is_refused = str(error), True
            return
        number = next(iter(forward.local_ports))
        remote = forward.socket(number)  # type: ignore[no-untyped-call]
        back = threading.Thread(target=_pump, args=(remote, local), daemon=True)
        back.start()
        _pump(local, remote)
        back.join(SECONDS)
        self.problem = forward.error(number)  # type: ignore[no-untyped-call]
        forward.close()  # type: ignore[no-untyped-call]


def _pump(source: Any, sink: Any) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    for each in (source, sink):  # either end's end is the end of both
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
