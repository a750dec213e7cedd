"""The cluster's controllers as a part of the rehearsal: what they are told."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nox_rehearsal.cluster import objects, server
from nox_rehearsal.cluster.kubeconfig import ADMIN
from nox_rehearsal.parts.ingress import NAME as INGRESS
from nox_rehearsal.world.forks import Module
from nox_rehearsal.world.plan import Plan
from nox_rehearsal.world.processes import Part

NAME = "controllers"
SITES = {
    f"{objects.STAGING}/nox-api-ingress": "staging",
    f"{objects.PRODUCTION}/nox-api-ingress": "production",
}


def prepare(folder: Path, plan: Plan, digests: Mapping[str, str]) -> Part:
    """Write the settings: where the processes are that pods stand for, and what images they run."""
    home = folder / NAME
    home.mkdir(mode=0o700)
    settings = {
        "server": plan.kubernetes_url,
        "ca": str(folder / "ca.pem"),
        "token": plan.tokens[ADMIN],
        "processes": str(folder / "processes.json"),
        "ingress": {"folder": str(folder / INGRESS), "sites": SITES},
        "pods": list(_pods(plan, digests)),
    }
    file = home / "settings.json"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(settings, stream)
    return Part(
        name=NAME,
        address="",
        command=Module("nox_rehearsal.cluster.controllers", (str(file),)),
        folder=home,
        serves=lambda: None,
    )


def _pods(plan: Plan, digests: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for deployment in plan.deployments:
        for name, port in deployment.pods.items():
            found.append(
                {
                    "namespace": deployment.namespace,
                    "name": name,
                    "part": name,
                    "ip": server.address(len(found) + 1),
                    "ports": {str(served): port for served in server.SERVED},
                    "image": deployment.image,
                    "image_id": deployment.image_id(digests),
                    "deployment": deployment.name,
                }
            )
    return found
