"""What the gate finds refused, and how a server says so."""

from typing import Any

from tests_self.building.drifted import NAMESPACE

from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document


def refusals(kube: Kube, manifest: dict[str, Any]) -> list[str]:
    document = Document("a.yaml", 1, manifest["kind"], manifest["metadata"]["name"], None, manifest)
    return list(kube.refusals([document], NAMESPACE).values())


def status(code: int, message: str) -> KubeAnswer:
    return KubeAnswer(code, {"kind": "Status", "reason": "Forbidden", "message": message})
