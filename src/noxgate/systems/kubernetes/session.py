"""The connection to a Kubernetes API server on the official client, with its traps wrapped once."""

import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.observation import Patience
from noxgate.look.waiting import pause
from noxgate.machine.late import late
from noxgate.systems.kubernetes import library
from noxgate.systems.kubernetes.connection import answers
from noxgate.systems.kubernetes.connection.answers import (
    KubeAnswer,
    Raw,
    document_of,
    reason,
    refusal,
    warned,
    whole,
)
from noxgate.systems.kubernetes.connection.opening import DEFAULT, connected
from noxgate.systems.settings import KubeSettings

if TYPE_CHECKING:
    import urllib3
    import yaml
    from kubernetes.client import ApiClient
    from kubernetes.stream.ws_client import PortForward
else:
    urllib3, yaml = late("urllib3"), late("yaml")

CONNECT = 5  # seconds
MOST_AGAIN = 3  # times that a server may say that it is busy
ASKED_TO_WAIT = ("0", "1", "2")  # seconds; longer is too long for a look
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"  # answered, and not stored


class KubeSession:
    """One credential for one target's cluster; the kubeconfig is read at the first look."""

    def __init__(self, settings: KubeSettings) -> None:
        self._settings = settings
        self.context = settings.context
        self.node_ports = settings.node_ports
        self._client: ApiClient | None = None
        self.patience = Patience("the Kubernetes API server")

    def kubectl(self, *words: str) -> str:
        """The command that asks the same, of words that are not quoted yet."""
        files = self._settings.kubeconfig
        if files is None and os.environ.get(
            "KUBECONFIG"
        ):  # which is another target's: we do not read it here
            files = str(Path(DEFAULT).expanduser())
        command = ["kubectl"]
        if files is not None and os.pathsep in files:  # --kubeconfig takes one file
            command = [f"KUBECONFIG={shlex.quote(files)}", "kubectl"]
        elif files is not None:
            command += ["--kubeconfig", shlex.quote(files)]
        if self.context is not None:
            command += ["--context", shlex.quote(self.context)]
        return " ".join([*command, *map(shlex.quote, words)])

    def ask(
        self, method: str, path: str, query: Mapping[str, str], body: object = None, media_type: str = ""
    ) -> KubeAnswer:
        """One request. Raises UnreachableError if the answer is not a JSON document of the API's."""
        library.for_looking()
        return self.patience.run(lambda: self._ask(method, path, query, body, media_type))

    def read(self, path: str, query: Mapping[str, str], most: int) -> Raw:
        """GET something that is not a document, at most so many bytes of it."""
        library.for_looking()
        return self.patience.run(lambda: self._read(path, query, most))

    def forward(self, namespace: str, pod: str, port: int) -> "PortForward":
        """A stream to a pod's port. Raises UnreachableError if the API server refuses it."""
        library.for_forwarding()
        return self.patience.run(lambda: self._forward(namespace, pod, port))

    def close(self) -> None:
        if self._client is not None:
            self.patience.close(self._client.close)

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: object, media_type: str
    ) -> KubeAnswer:
        headers = {"accept": "application/json"} | ({"content-type": media_type} if media_type else {})
        with self._sent(method, path, query, headers, body) as answer:
            document = document_of(self._where, answer.status, whole(self._where, answer))
            return KubeAnswer(answer.status, document, warned(answer.headers.get("warning", "")))

    def _read(self, path: str, query: Mapping[str, str], most: int) -> Raw:
        with self._sent("GET", path, query, {"accept": "*/*"}) as answer:
            content = answer.read(most + 1)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if len(content) > most:
                answer.close()  # others must not read the rest
            return Raw(answer.status, headers, content[:most], len(content) <= most)

    def _forward(self, namespace: str, pod: str, port: int) -> "PortForward":
        from kubernetes.client import ApiException, CoreV1Api  # noqa: PLC0415
        from kubernetes.config import ConfigException  # noqa: PLC0415
        from kubernetes.stream import portforward  # noqa: PLC0415

        core = CoreV1Api(self._connected())
        try:
            found: PortForward = portforward(
                core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port)
            )
        except (ApiException, ConfigException, OSError) as error:
            raise UnreachableError(f"{self._where}: port-forward to {pod}: {refusal(error)}") from None
        return found

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: dict[str, str],
        body: object = None,
    ) -> "Iterator[urllib3.BaseHTTPResponse]":
        from kubernetes.config import ConfigException  # noqa: PLC0415 (half a second, for those who look)

        client = self._connected()
        url = client.configuration.host.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        _check_harmless(method, url)
        try:
            auth = client.configuration.auth_settings().get("BearerToken")
            if auth and auth["value"]:
                headers["authorization"] = auth["value"]
            # The client's own request() re-encodes bodies and changes media types.
            answer = _patiently(
                lambda: client.rest_client.pool_manager.request(
                    method,
                    url,
                    headers={"user-agent": "noxgate", **headers},
                    body=None if body is None else json.dumps(body).encode(),
                    timeout=urllib3.Timeout(connect=CONNECT, read=answers.READ),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            )
            try:
                yield answer
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, ConfigException, OSError, ValueError) as error:
            raise UnreachableError(f"{self._where}: {reason(error)}") from None

    @property
    def _where(self) -> str:
        return str(self._connected().configuration.host)

    def _connected(self) -> "ApiClient":
        if self._client is None:
            self._client = connected(self._settings)
        return self._client


def _check_harmless(method: str, url: str) -> None:
    """The last look at a request before it is sent: reads, and what the server keeps nothing of.

    That is a dry run of a change, or the question what this credential may do.
    """
    is_review = method == "POST" and url.endswith(REVIEW) and not set("?#") & set(url)
    if method == "GET" or is_review:
        return
    if method not in {"PATCH", "POST"} or parse_qs(urlsplit(url).query).get("dryRun") != ["All"]:
        raise AssertionError(f"the gate only looks: {method} {urlsplit(url).path} is not sent")


def _patiently(
    send: "Callable[[], urllib3.BaseHTTPResponse]",
) -> "urllib3.BaseHTTPResponse":
    """Send it again where a busy server says when (its priority and fairness does), as kubectl would."""
    answer = send()
    for _ in range(MOST_AGAIN):
        asked = answer.headers.get("retry-after", "")
        if answer.status != HTTPStatus.TOO_MANY_REQUESTS or asked not in ASKED_TO_WAIT:
            break
        answer.close()
        pause(float(asked))
        answer = send()
    return answer
