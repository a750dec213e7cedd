"""The Kubernetes client, before the stand-in and before a server with prepared answers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.session import KubeSession

NAMESPACE = "nox-staging-green"


def of(kubeconfig: Path, **changes: Any) -> Target:
    target = Target(
        name="staging",
        path=Path("staging.toml"),
        serves=("staging",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace=NAMESPACE,
        kubeconfig=str(kubeconfig),
    )
    return replace(target, **changes)


def custom_kind(kind: str, group: str, plural: str, version: str = "v1") -> dict[str, Any]:
    """The definition of a kind that takes any fields."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


class Scripted(KubeSession):
    """Answers what it is told to."""

    def __init__(self, answers: list[KubeAnswer]) -> None:
        super().__init__(settings.cluster(of(Path("none"))))
        self.answers = answers
        self.asked: list[tuple[object, ...]] = []

    def ask(self, *asked: object) -> KubeAnswer:
        self.asked.append(asked)
        return self.answers.pop(0)
