"""A way to one pod, before it gets traffic: through the API server's proxy, else by a port-forward of ours.

The port-forward listens on a free port of this machine, for as long as its context lasts and no longer.
"""

import errno
import http.client
import shlex
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.http import MOST_BYTES, Answer
from noxgate.look.observation import Observation, Observe, Patience, shortened
from noxgate.systems.kubernetes import library
from noxgate.systems.kubernetes.connection.answers import Raw
from noxgate.systems.kubernetes.kinds import resource
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.listener import HOST, SECONDS, Listener
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.kubernetes.workload import living, name, port_number, selector_text

PORT = 80  # of the Services
REPEAT_PORT = 18080  # of this machine, in commands that people repeat

T = TypeVar("T")
W = TypeVar("W")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Way:
    """A way to a pod. `port` is the local one of a port-forward; None if the API server's proxy is asked."""

    pod: str
    port: int | None
    get: Callable[[str], Answer]


@dataclass(frozen=True)
class Request:
    """What is asked of a pod; `spelled` says its headers in curl's words, a secret by its variable's name."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str | None = None
    spelled: tuple[str, ...] = ()


class OwnWay:
    """A port-forward of ours: what goes through it cannot be read on the way.

    The API server's proxy takes the Authorization header of a request for its own, and hands none on.
    """

    def __init__(
        self, listener: Listener, pod: str, port: int, repeat: str, patience: Patience, observe: Observe
    ) -> None:
        self.pod = pod
        self.port = listener.port
        self._listener = listener
        self._at = f"{pod} port {port}"
        self._repeat = repeat
        self._patience = patience
        self._observe = observe

    def get(self, path: str) -> Answer:
        """GET `path`, without a token."""
        return self.send(Request(path))

    def send(self, request: Request) -> Answer:
        """Send it and read the answer. Raises AssertionError if the pod does not answer."""
        words = ["curl -sS", *request.spelled, shlex.quote(f"http://{HOST}:{REPEAT_PORT}{request.path}")]
        started = time.monotonic()
        found = self.use(
            lambda port: _asked(port, request),
            f"{request.method} {request.path}",
            " ".join(words),
            (OSError, http.client.HTTPException),
        )
        seconds = time.monotonic() - started
        self._observe(_seen(self.pod, found, seconds, self._again(" ".join(words))))
        return _answer(found, seconds)

    def use(
        self,
        look: Callable[[int], T],
        what: str,
        command: str,
        lost: tuple[type[Exception], ...] = (OSError,),
    ) -> T:
        """Look at the local port. `lost`: the errors that mean that the pod did not answer.

        Raises UnreachableError if the API server refuses the way. Raises AssertionError if the pod is silent.
        """
        try:
            return self._patience.run(lambda: look(self.port))
        except lost as error:
            self._listener.over.wait(SECONDS)  # what went wrong is known when the stream has ended
            said = self._listener.problem or shortened(str(error)) or type(error).__name__
            self._observe(Observation(f"{self.pod}: {said}", self._again(command)))
            if self._listener.is_refused:
                raise UnreachableError(said) from None
            raise AssertionError(f"{self._at}: expected an answer to {what}, saw {said}") from None

    def saw(self, seen: str, command: str) -> None:
        """Record what came of it, and the command that shows it again."""
        self._observe(Observation(f"{self.pod}: {seen}", self._again(command)))

    def _again(self, command: str) -> str:
        return f"{self._repeat} & sleep 2; {command}; kill %1"


class Forward:
    """Opens ways to pods for one check, and records what they answer."""

    def __init__(self, session: KubeSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    @contextmanager
    def to_pod(self, namespace: str, pod: str, port: int) -> Iterator[Way]:
        """A way to a pod's port, closed at the end.

        Raises UnreachableError if this account may use neither.
        """
        path = resource("Pod").path(namespace, pod)
        if self._may_proxy(f"{path}:{port}/proxy/"):
            yield Way(pod, None, lambda wanted: self._by_proxy(path, namespace, pod, port, wanted))
            return
        with self.own(namespace, pod, port) as own:
            yield Way(pod, own.port, own.get)

    @contextmanager
    def own(self, namespace: str, pod: str, port: int) -> Iterator[OwnWay]:
        """A port-forward to a pod's port, closed at the end: for tokens, bodies and WebSockets."""
        library.for_forwarding()  # not in the time that the pod has to answer
        repeat = self._session.kubectl("port-forward", "-n", namespace, f"pod/{pod}", f"{REPEAT_PORT}:{port}")
        with Listener(lambda: self._session.forward(namespace, pod, port)) as listener:
            yield OwnWay(listener, pod, port, repeat, self._session.patience, self._observe)

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
        repeat = self._session.kubectl("get", "--raw", raw, "-n", namespace)
        started = time.monotonic()
        found = self._session.read(raw, {}, MOST_BYTES)
        seconds = time.monotonic() - started
        self._observe(_seen(pod, found, seconds, repeat))
        return _answer(found, seconds)


def is_open(port: int) -> bool:
    """Whether anybody listens on this port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) != errno.ECONNREFUSED


def left_over(namespace: str, kubeconfig: str | None = None) -> dict[int, str]:
    """The port-forwards into a namespace that a kubectl keeps open on this machine, by process id.

    One that names another kubeconfig than ours leads to another cluster.
    """
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            is_kubectl = any(Path(word).name == "kubectl" for word in words[:2])
            if kubeconfig is not None and not set(_kubeconfigs(words)) <= {kubeconfig}:
                continue
            if is_kubectl and "port-forward" in words and any(namespace in word for word in words):
                found[int(folder.name)] = " ".join(words).strip()
    return found


def _kubeconfigs(words: Sequence[str]) -> Iterator[str]:
    """What a command names as its kubeconfig, in one word or in two."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == "--kubeconfig":
            yield value if equals else after


def each_pod(
    kube: Kube, forward: Forward, namespace: str, service_name: str, ask: Callable[[Way], T]
) -> dict[str, T]:
    """Pod -> what came of asking it through a Service's port 80, of every living pod behind that Service."""
    return _each(kube, forward.to_pod, namespace, service_name, {"number": PORT}, ask)


def each_pod_alone(
    kube: Kube,
    forward: Forward,
    namespace: str,
    service_name: str,
    ask: Callable[[OwnWay], T],
    port: Json | None = None,
) -> dict[str, T]:
    """As `each_pod`, by a port-forward of ours; `port` is another one of the Service, by number or name."""
    return _each(kube, forward.own, namespace, service_name, port or {"number": PORT}, ask)


def _each(
    kube: Kube,
    way_to: Callable[[str, str, int], AbstractContextManager[W]],
    namespace: str,
    service_name: str,
    port: Json,
    ask: Callable[[W], T],
) -> dict[str, T]:
    service = kube.need("Service", service_name, namespace)
    selected = selector_text({"matchLabels": service["spec"].get("selector") or {}})
    pods = living(kube.list("Pod", namespace, selected))
    assert pods != [], f"no pod behind {service_name}"
    found = {}
    for pod in pods:
        with way_to(namespace, name(pod), pod_port(service, port, pod)) as way:
            found[name(pod)] = ask(way)
    return found


def pod_port(service: Json, wanted: Json | int, pod: Json) -> int:
    """The pod's port behind a Service's, by number or name. Raises AssertionError if it does not exist."""
    said = {"number": wanted} if isinstance(wanted, int) else wanted
    for entry in service["spec"].get("ports") or []:
        if entry["port"] != said.get("number") and ("name" not in said or entry.get("name") != said["name"]):
            continue
        if (found := port_number(pod, entry)) is not None:
            return found
        raise AssertionError(f"{name(pod)} names no port {entry['targetPort']!r}")
    shown = said.get("number", said.get("name"))
    raise AssertionError(f"Service {service['metadata']['name']} has no port {shown}")


def _seen(pod: str, found: Raw, seconds: float, repeat: str) -> Observation:
    text = found.content.decode("utf-8", "replace")
    return Observation(f"{pod}: HTTP {found.status} in {seconds * 1000:.0f} ms: {shortened(text)}", repeat)


def _answer(found: Raw, seconds: float) -> Answer:
    values = {name: [value] for name, value in found.headers.items()}
    return Answer(found.status, found.headers, values, found.content.decode("utf-8", "replace"), seconds)


def _asked(port: int, request: Request) -> Raw:
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS)
    headers = {"user-agent": "noxgate", "connection": "close", **request.headers}
    body = None if request.body is None else request.body.encode()
    try:
        connection.request(request.method, request.path, body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Raw(answer.status, headers, content[:MOST_BYTES], len(content) <= MOST_BYTES)
    finally:
        connection.close()


def _squeezed(answer: Raw) -> bytes:
    return answer.content.replace(b" ", b"")
