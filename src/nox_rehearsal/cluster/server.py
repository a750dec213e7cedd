"""The stand-in of the Kubernetes API server as a part of the rehearsal, and where its pods really are."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from nox_rehearsal.cluster.kubeconfig import ADMIN, USERS
from nox_rehearsal.parts.certificates import Pair
from nox_rehearsal.parts.pods import Deployment
from nox_rehearsal.world.forks import Module
from nox_rehearsal.world.processes import Part
from noxgate.machine.tls import trusting

NAME = "kubernetes"
AUDIT_LOG = "audit.log"  # every write that was tried, whose it was, and what came of it
SERVED = (3000, 3001)  # the container's ports; the reference API serves both at one


def prepare(
    folder: Path, port: int, certificate: Pair, tokens: Mapping[str, str], deployments: Iterable[Deployment]
) -> Part:
    """Write the settings; `tokens` by the contexts of the kubeconfig."""
    home = folder / NAME
    home.mkdir(mode=0o700)
    certificate.write(home / "server.pem", home / "server.key")
    people = {tokens[ADMIN]: {"user": "admin", "groups": ["system:masters"]}}
    settings = {
        "port": port,
        "certificate": "server.pem",
        "key": "server.key",
        "audit_log": AUDIT_LOG,
        "controllers": True,
        "tokens": people | {tokens[context]: {"user": user} for context, user in USERS.items()},
        "pods": {
            f"{deployment.namespace}/{name}": _place(folder, name, pod_port)
            for deployment in deployments
            for name, pod_port in deployment.pods.items()
        },
    }
    file = home / "settings.json"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(settings, stream)
    return Part(
        name=NAME,
        address=f"https://127.0.0.1:{port}",
        command=Module("kube_standin.__main__", (str(file),)),
        folder=home,
        serves=lambda: _answers(port, folder / "ca.pem"),
    )


def address(number: int) -> str:
    """A pod's address in the cluster: an EndpointSlice refuses loopback, where the pods really are."""
    return f"10.1.0.{number}"


def _place(folder: Path, name: str, port: int) -> dict[str, Any]:
    return {
        "ports": {str(served): f"127.0.0.1:{port}" for served in SERVED},
        "log": str(folder / "log" / f"{name}.log"),
    }


def _answers(port: int, ca_file: Path) -> None:
    context = trusting(ca_file)
    try:
        answer = httpx.get(f"https://127.0.0.1:{port}/readyz", verify=context, timeout=2, trust_env=False)
    except httpx.TransportError as error:
        raise AssertionError(str(error)) from None
    assert answer.is_success, f"GET /readyz: HTTP {answer.status_code}"
