"""The connection to a Kubernetes API server on the official client, with its traps wrapped once."""

import json
import logging
import os
import re
import shlex
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.documents import of_json
from noxgate.look.observation import Patience, shortened
from noxgate.look.waiting import pause
from noxgate.machine.late import late
from noxgate.project.credentials.in_files import FOLDER, of_pod, token_file, token_in
from noxgate.project.profile_values import is_loopback
from noxgate.systems.kubernetes import library
from noxgate.systems.settings import KubeSettings

if TYPE_CHECKING:
    import urllib3
    import yaml
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.stream.ws_client import PortForward
else:
    urllib3, yaml = late("urllib3"), late("yaml")

DEFAULT = "~/.kube/config"
CONNECT, READ = 5, 8  # seconds
MOST_BYTES = 50_000_000
PIECE = 65_536
MOST_AGAIN = 3  # times that a server may say that it is busy
ASKED_TO_WAIT = ("0", "1", "2")  # seconds; longer is too long for a look
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"  # answered, and not stored
# How API servers refuse to apply a field that they do not know: as an error of their own, a 500.
UNTYPED = "failed to create typed patch object"


# what is refused is quoted whole, with all of its last-applied note, before the words that say why
_QUOTED = re.compile(r'Invalid value: "map\[.*": (?=\w)', re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What the API server answered: the HTTP status, the JSON document, and what it warns of."""

    status: int
    document: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The server's own words about a request that it refused."""
        said = str(self.document.get("message") or self.document.get("reason") or "no reason given")
        return shortened(_QUOTED.sub("", said))


@dataclass(frozen=True)
class Raw:
    """What is not a document of the API's own: a log, or what a pod answered. `whole`: not cut off."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    whole: bool = True

    @property
    def message(self) -> str:
        """What the API server itself says about a request that it refused."""
        try:
            document = of_json(self.content)
        except (ValueError, RecursionError):
            document = None
        said = document.get("message") if isinstance(document, dict) else None
        words = str(said or self.content.decode("utf-8", "replace") or "no reason given")
        return shortened(_QUOTED.sub("", words))


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
    ) -> Answer:
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
            self._client.close()  # type: ignore[no-untyped-call]

    def _ask(self, method: str, path: str, query: Mapping[str, str], body: object, media_type: str) -> Answer:
        headers = {"accept": "application/json"} | ({"content-type": media_type} if media_type else {})
        with self._sent(method, path, query, headers, body) as answer:
            document = _document(self._where, answer.status, _whole(self._where, answer))
            return Answer(answer.status, document, warned(answer.headers.get("warning", "")))

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
            raise UnreachableError(f"{self._where}: port-forward to {pod}: {_refusal(error)}") from None
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
                    timeout=urllib3.Timeout(connect=CONNECT, read=READ),
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
            raise UnreachableError(f"{self._where}: {_reason(error)}") from None

    @property
    def _where(self) -> str:
        return str(self._connected().configuration.host)

    def _connected(self) -> "ApiClient":
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> "ApiClient":
        from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415
        from kubernetes.config import (  # noqa: PLC0415
            ConfigException,
            list_kube_config_contexts,
            new_client_from_config,
        )

        named = self._settings.kubeconfig
        files = named if named is not None else str(Path(DEFAULT).expanduser())
        paths = [Path(file) for file in files.split(os.pathsep)]
        configuration = Configuration()
        if not any(path.is_file() for path in paths):
            # as kubectl has it: in a pod, by default, its own
            pod = of_pod() if named is None and self.context is None else None
            if pod is None:
                raise UnreachableError(self._no_kubeconfig(files))
            configuration.host, configuration.ssl_ca_cert = pod.server, str(pod.authority)
            _reading_anew(configuration, pod.token)
            return ApiClient(configuration)
        try:
            contexts, _ = list_kube_config_contexts(config_file=files)  # type: ignore[no-untyped-call]
            names = [context["name"] for context in contexts]
            if self.context is not None and self.context not in names:
                raise UnreachableError(
                    f"{files} has no context {self.context!r} (contexts: {', '.join(names)})"
                )
            # persist_config would write refreshed tokens into the file
            with _plugins_words() as said:
                client = new_client_from_config(  # type: ignore[no-untyped-call]
                    config_file=files,
                    context=self.context,
                    persist_config=False,
                    client_configuration=configuration,
                )
        except (ConfigException, yaml.YAMLError, OSError, ValueError, KeyError, TypeError) as error:
            raise UnreachableError(f"kubeconfig {files} cannot be used: {_reason(error)}") from None
        if said:
            chosen = "its current context" if self.context is None else f"context {self.context!r}"
            raise UnreachableError(
                f"kubeconfig {files}: no credential for {chosen}: {shortened(said[0], 200)}"
            )
        configuration = client.configuration
        if not configuration.verify_ssl or not configuration.host.startswith("https:"):
            raise UnreachableError(
                f"{configuration.host}: expected verified TLS, the kubeconfig {files} asks for none: "
                "what an unknown server says is not evidence"
            )
        if is_loopback(configuration.host):  # no proxy lies before it
            configuration.proxy = None
        if file := token_file(paths, self.context):
            _reading_anew(configuration, file)
        return ApiClient(configuration)

    def _no_kubeconfig(self, files: str) -> str:
        profile = self._settings.profile
        if self.context is not None and of_pod() is not None:
            return (
                f"no kubeconfig {files}, and {FOLDER} knows no context {self.context!r}: name a kubeconfig "
                f"with a tokenFile, or no context in {profile}"
            )
        return f"no kubeconfig {files}: export KUBECONFIG=… or name it in {profile}"


def _reading_anew(configuration: "Configuration", file: Path) -> None:
    """Have each request and each stream ask the file for the token that holds now."""
    from kubernetes.config import ConfigException  # noqa: PLC0415

    def read(asked: "Configuration") -> None:
        try:
            asked.api_key["BearerToken"] = f"Bearer {token_in(file)}"
        except (OSError, ValueError) as error:
            raise ConfigException(str(error)) from None

    configuration.api_key["BearerToken"] = ""  # that there is one: the client asks for no other
    configuration.refresh_api_key_hook = read  # type: ignore[assignment]  # it is typed as None


@contextmanager
def _plugins_words() -> Iterator[list[str]]:
    """What a credential plugin says when it fails: the official client logs it and goes on without."""
    said: list[str] = []
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        is_ours = record.thread == thread
        if is_ours:
            said.append(record.getMessage())
        return not is_ours

    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield said
    finally:
        root.removeFilter(keep)


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


def _whole(where: str, answer: Any) -> bytearray:
    """The body, in pieces: of one read at once urllib3 holds several copies.

    Raises UnreachableError if it is too long. The error must not hold it: a traceback stays for long.
    """
    text = bytearray()
    while len(text) <= MOST_BYTES and (piece := answer.read(PIECE)):
        text += piece
    if len(text) > MOST_BYTES:
        answer.close()  # others must not read the rest
        text.clear()
        raise UnreachableError(f"{where}: expected an answer of at most {MOST_BYTES} bytes, saw more")
    return text


def _document(where: str, status: int, text: bytes | bytearray) -> Mapping[str, Any]:
    try:
        document = of_json(text)
    except (ValueError, RecursionError):
        document = None
    if status == HTTPStatus.NOT_FOUND and text.strip() == b"404 page not found":  # a group that is not served
        return {"kind": "Status", "message": "404 page not found"}
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        seen = shortened(text.decode(errors="replace"), 80) or "nothing"
        raise UnreachableError(f"{where}: expected a Kubernetes object in JSON, saw HTTP {status}: {seen}")
    if status == HTTPStatus.UNAUTHORIZED:
        raise UnreachableError(f"{where}: 401: the credential of this context is not known: sign in again")
    message = str(document.get("message"))
    is_unwell = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_unwell and not message.startswith(UNTYPED):
        raise UnreachableError(f"{where}: {status}: {shortened(message)}")
    return document


def warned(header: str) -> tuple[str, ...]:
    """Each text of `299 - "text"`; several headers are one, with commas between."""
    found = re.findall(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"', header)
    return tuple(dict.fromkeys(shortened(re.sub(r"\\(.)", r"\1", text), 400) for text in found))


def _refusal(error: BaseException) -> str:
    """Why the stream was refused: the official client hands on the answer with its headers, as text."""
    text = str(getattr(error, "reason", None) or error)
    status = re.match(r"Handshake status (\d+)", text)
    said = re.search(r'"message":\s*"((?:[^"\\]|\\.)*)"', text)
    if status is None:
        return shortened(text, 200)
    role = " (the role of docs/roles/look.yaml lets it)" if status[1] == "403" else ""
    message = of_json(f'"{said[1]}"') if said else "refused"
    return f"{status[1]}{role}: {shortened(message, 200)}"


def _reason(error: BaseException) -> str:
    """One line of what went wrong below HTTP."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, urllib3.exceptions.NewConnectionError) and "refused" in str(cause):
            return "connection refused"
        if isinstance(cause, urllib3.exceptions.TimeoutError | TimeoutError):
            return f"no answer in {READ} s"
        cause = cause.__cause__ or cause.__context__
    text = getattr(error, "reason", None) or str(error) or type(error).__name__
    return shortened(str(text), 200)
