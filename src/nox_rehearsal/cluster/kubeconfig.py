"""The rehearsal's kubeconfig: a context for people, and one for each of the gate's two roles."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

ADMIN = "admin"
# The gate's contexts, with the users that the rehearsal binds to its two roles.
LOOK = "look"
REHEARSE_CHANGE = "rehearse-change"
USERS = {LOOK: "release-gate", REHEARSE_CHANGE: "release-gate-dry-run"}


def write_kubeconfig(path: Path, server: str, authority: bytes, tokens: Mapping[str, str]) -> None:
    """Write it for its owner alone; `tokens` by context, the first of them is the current one."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "rehearsal",
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [
            {
                "name": name,
                "context": {"cluster": "rehearsal", "user": name, "namespace": "nox-staging-green"},
            }
            for name in tokens
        ],
        "current-context": next(iter(tokens)),
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        yaml.safe_dump(content, file, sort_keys=False)
