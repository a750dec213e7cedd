"""The token of a pod's ServiceAccount, or of a kubeconfig's tokenFile, as the file has it now.

The kubelet writes a new token long before the old one ends (of an hour, after 48 minutes). The official
client reads a tokenFile once, and keeps what it read for as long as the process lives.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where every pod has them
HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


@dataclass(frozen=True)
class OfPod:
    """What Kubernetes gives to a pod: the API server, the file of a token, and who vouches for the server."""

    server: str
    token: Path
    authority: Path


def of_pod(environment: Mapping[str, str] = os.environ) -> OfPod | None:
    """That of the pod which this process runs in; None outside of a pod, or in one without a token."""
    host, port = environment.get(HOST), environment.get(PORT)
    token, authority = FOLDER / "token", FOLDER / "ca.crt"
    if not (host and port and token.is_file() and authority.is_file()):
        return None
    return OfPod(f"https://{f'[{host}]' if ':' in host else host}:{port}", token, authority)


def token_in(file: Path) -> str:
    """What the file has now. Raises ValueError if it is empty, OSError if it cannot be read."""
    if token := file.read_text(encoding="utf-8").strip():
        return token
    raise ValueError(f"expected a token in {file}, saw an empty file")


def token_file(files: Sequence[Path], context: str | None) -> Path | None:
    """The tokenFile of a context's user, or of the current one's; None if its credential is another."""
    import yaml  # noqa: PLC0415 (not for those who only ask for help)

    users: dict[Any, Any] = {}
    contexts: dict[Any, Any] = {}
    for file in files:
        try:
            document = yaml.safe_load(file.read_bytes())
            here = {each["name"]: (each["user"], file.parent) for each in document["users"] or ()}
            led = {each["name"]: each["context"]["user"] for each in document["contexts"] or ()}
        except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError):
            continue
        users, contexts = here | users, led | contexts  # of several files, the first counts
        context = context or document.get("current-context")
    user, folder = users.get(contexts.get(context), (None, Path()))
    named = user.get("tokenFile") if isinstance(user, Mapping) else None
    return folder / named if isinstance(named, str) and named else None
