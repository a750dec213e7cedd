"""From a kubeconfig, or from a pod's own account, to the official client, with its traps wrapped once."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from noxgate.errors import UnreachableError
from noxgate.look.observation import shortened
from noxgate.machine.late import late
from noxgate.project.credentials.in_files import FOLDER, of_pod, token_file, token_in
from noxgate.project.profile_values import is_loopback
from noxgate.systems.kubernetes.connection.answers import reason
from noxgate.systems.settings import KubeSettings

if TYPE_CHECKING:
    import yaml
    from kubernetes.client import ApiClient, Configuration
else:
    yaml = late("yaml")

DEFAULT = "~/.kube/config"


def connected(settings: KubeSettings) -> "ApiClient":
    """The official client, by the kubeconfig or the pod. Raises UnreachableError if it cannot be made."""
    from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415
    from kubernetes.config import (  # noqa: PLC0415
        ConfigException,
        list_kube_config_contexts,
        new_client_from_config,
    )

    named = settings.kubeconfig
    files = named if named is not None else str(Path(DEFAULT).expanduser())
    paths = [Path(file) for file in files.split(os.pathsep)]
    configuration = Configuration()
    if not any(path.is_file() for path in paths):
        # as kubectl has it: in a pod, by default, its own
        pod = of_pod() if named is None and settings.context is None else None
        if pod is None:
            raise UnreachableError(_no_kubeconfig(settings, files))
        configuration.host, configuration.ssl_ca_cert = pod.server, str(pod.authority)
        _reading_anew(configuration, pod.token)
        return ApiClient(configuration)
    try:
        contexts, _ = list_kube_config_contexts(config_file=files)  # type: ignore[no-untyped-call]
        names = [context["name"] for context in contexts]
        if settings.context is not None and settings.context not in names:
            raise UnreachableError(
                f"{files} has no context {settings.context!r} (contexts: {', '.join(names)})"
            )
        # persist_config would write refreshed tokens into the file
        with _plugins_words() as said:
            client = new_client_from_config(  # type: ignore[no-untyped-call]
                config_file=files,
                context=settings.context,
                persist_config=False,
                client_configuration=configuration,
            )
    except (ConfigException, yaml.YAMLError, OSError, ValueError, KeyError, TypeError) as error:
        raise UnreachableError(f"kubeconfig {files} cannot be used: {reason(error)}") from None
    if said:
        chosen = "its current context" if settings.context is None else f"context {settings.context!r}"
        raise UnreachableError(f"kubeconfig {files}: no credential for {chosen}: {shortened(said[0], 200)}")
    configuration = client.configuration
    if not configuration.verify_ssl or not configuration.host.startswith("https:"):
        raise UnreachableError(
            f"{configuration.host}: expected verified TLS, the kubeconfig {files} asks for none: "
            "what an unknown server says is not evidence"
        )
    if is_loopback(configuration.host):  # no proxy lies before it
        configuration.proxy = None
    if file := token_file(paths, settings.context):
        _reading_anew(configuration, file)
    return ApiClient(configuration)


def _no_kubeconfig(settings: KubeSettings, files: str) -> str:
    profile = settings.profile
    if settings.context is not None and of_pod() is not None:
        return (
            f"no kubeconfig {files}, and {FOLDER} knows no context {settings.context!r}: name a kubeconfig "
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
