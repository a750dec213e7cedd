"""A way to one pod, before it gets traffic: through the API server's proxy, else by a port-forward of ours.

The port-forward listens on a free port of this machine, for as long as its context lasts and no longer.
"""

import errno
import http.client
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.http import MOST_BYTES, Answer
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.kubernetes import library
from noxgate.systems.kubernetes.kinds import resource
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession, Raw
from noxgate.systems.kubernetes.workload import living, name, selector_text

if TYPE_CHECKING:
    from kubernetes.stream.ws_client import PortForward

HOST = "127.0.0.1"
PORT = 80  # of the Services
SECONDS = 8.0  # that one request may take

T = TypeVar("T")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """A way to a pod. `port` is the local one of a port-forward; None: the API server's proxy is asked."""

    pod: str
    port: int | None
    get: Callable[[str], Answer]


class Forward:
    """Opens ways to pods for one check, and records what they answer."""

    def __init__(self, session: KubeSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    @contextmanager
    def to_pod(self, namespace: str, pod: str, port: int) -> Iterator[Way]:
        """A way to a pod's port, closed at the end; UnreachableError where this account may use neither."""
        path = resource("Pod").path(namespace, pod)
        if self._may_proxy(f"{path}:{port}/proxy/"):
            yield Way(pod, None, lambda wanted: self._by_proxy(path, namespace, pod, port, wanted))
            return
        library.for_forwarding()  # not in the time that the pod has to answer
        with _Listener(lambda: self._session.forward(namespace, pod, port)) as listener:
            yield Way(
                pod, listener.port, lambda wanted: self._by_port(listener, namespace, pod, port, wanted)
            )

    def _may_proxy(self, path: str) -> bool:
        """The API server refuses in a Status of its own; a pod that refuses answers in its own words."""
        try:
            answer = self._session.read(path, {}, MOST_BYTES)
        except UnreachableError as error:
            self._observe(
                Observation(f"could not look: {error}", self._session.kubectl("get", "--raw", path))
            )
            raise
        return not (answer.status == HTTPStatus.FORBIDDEN and b'"kind":"Status"' in _squeezed(answer))

    def _by_proxy(self, path: str, namespace: str, pod: str, port: int, wanted: str) -> Answer:
        raw = f"{path}:{port}/proxy{wanted}"
        repeat = self._session.kubectl("get", "--raw", shlex.quote(raw), "-n", namespace)
        started = time.monotonic()
        found = self._session.read(raw, {}, MOST_BYTES)
        return self._seen(pod, found, time.monotonic() - started, repeat)

    def _by_port(self, listener: "_Listener", namespace: str, pod: str, port: int, wanted: str) -> Answer:
        forward = self._session.kubectl("port-forward", "-n", namespace, f"pod/{pod}", f"18080:{port}")
        repeat = f"{forward} & sleep 2; curl -sS {shlex.quote(f'http://{HOST}:18080{wanted}')}; kill %1"
        started = time.monotonic()
        try:
            found = self._session.patience.run(lambda: _asked(listener.port, wanted))
        except (OSError, http.client.HTTPException) as error:
            listener.over.wait(SECONDS)  # what went wrong is known when the stream has ended
            said = listener.problem or shortened(str(error)) or type(error).__name__
            self._observe(Observation(f"{pod}: {said}", repeat))
            if listener.is_refused:
                raise UnreachableError(said) from None
            raise AssertionError(
                f"{pod} port {port}: expected an answer to GET {wanted}, saw {said}"
            ) from None
        return self._seen(pod, found, time.monotonic() - started, repeat)

    def _seen(self, pod: str, found: Raw, seconds: float, repeat: str) -> Answer:
        text = found.content.decode("utf-8", "replace")
        seen = f"{pod}: HTTP {found.status} in {seconds * 1000:.0f} ms: {shortened(text)}"
        self._observe(Observation(seen, repeat))
        values = {name: [value] for name, value in found.headers.items()}
        return Answer(found.status, found.headers, values, text, seconds)


def is_open(port: int) -> bool:
    """Whether anybody listens on this port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) != errno.ECONNREFUSED


def left_over(namespace: str, kubeconfig: str | None = None) -> dict[int, str]:
    """The port-forwards into a namespace that a kubectl keeps open on this machine, by process id.

    One that names another kubeconfig than ours leads to another cluster.
    """
    ours = f"--kubeconfig={kubeconfig}"
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            is_kubectl = any(Path(word).name == "kubectl" for word in words[:2])
            named = [word for word in words if word.startswith("--kubeconfig=")]
            if kubeconfig is not None and named not in ([], [ours]):
                continue
            if is_kubectl and "port-forward" in words and any(namespace in word for word in words):
                found[int(folder.name)] = " ".join(words).strip()
    return found


def each_pod(
    kube: Kube, forward: Forward, namespace: str, service_name: str, ask: Callable[[Way], T]
) -> dict[str, T]:
    """Pod -> what came of asking it through a Service's port 80, of every living pod behind that Service."""
    service = kube.need("Service", service_name, namespace)
    selected = selector_text({"matchLabels": service["spec"].get("selector") or {}})
    pods = living(kube.list("Pod", namespace, selected))
    assert pods != [], f"no pod behind {service_name}"
    found = {}
    for pod in pods:
        with forward.to_pod(namespace, name(pod), pod_port(service, PORT, pod)) as way:
            found[name(pod)] = ask(way)
    return found


def pod_port(service: Json, number: int, pod: Json) -> int:
    """The pod's port behind a Service's; AssertionError where there is none."""
    for entry in service["spec"].get("ports") or []:
        if entry["port"] != number:
            continue
        wanted = entry.get("targetPort", number)
        if isinstance(wanted, int):
            return wanted
        for container in pod["spec"]["containers"]:
            for port in container.get("ports") or []:
                if port.get("name") == wanted:
                    return int(port["containerPort"])
        raise AssertionError(f"{pod['metadata']['name']} names no port {wanted!r}")
    raise AssertionError(f"Service {service['metadata']['name']} has no port {number}")


class _Listener:
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


def _asked(port: int, path: str) -> Raw:
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"user-agent": "noxgate", "connection": "close"})
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Raw(answer.status, headers, content[:MOST_BYTES], len(content) <= MOST_BYTES)
    finally:
        connection.close()


def _squeezed(answer: Raw) -> bytes:
    return answer.content.replace(b" ", b"")
