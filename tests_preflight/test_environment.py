"""Runbook 1, environment: the variables of the pod spec that ships, under the application's names."""

from collections.abc import Mapping
from typing import Any

import pytest

from noxgate.project.runbook import Limits
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import Reference, variables, wholes

PROVIDERS = ("GOOGLE", "GITHUB", "MICROSOFT")
PUBLIC = tuple(f"{provider}_CLIENT_ID" for provider in PROVIDERS)  # every sign-in page shows them
SECRET = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", *(f"{provider}_CLIENT_SECRET" for provider in PROVIDERS))
DEPLOYMENT = "nox-api-deployment-green"


@pytest.mark.runbook("preflight.env-variables")
def test_pod_specs_set_every_variable(
    kube: Kube,
    target: Target,
    production_kube: Kube,
    production: Target,
    production_manifests: tuple[Document, ...],
    limits: Limits,
) -> None:
    """Staging's as it runs, and green's as it will be applied: a laptop's variables say nothing of either."""
    running = kube.need("Deployment", DEPLOYMENT, target.namespace)
    shipped = [
        document.content
        for document in production_manifests
        if document.kind == "Deployment" and document.name == DEPLOYMENT
    ]

    assert len([*PUBLIC, *SECRET]) == limits["variables"]
    assert len(shipped) == 1, f"expected one Deployment {DEPLOYMENT} in the manifests, saw {len(shipped)}"
    wrong = {
        "running": amiss(kube, target.namespace, running, target.container),
        "shipped": amiss(production_kube, production.green_namespace, shipped[0], production.container),
    }
    assert wrong == {"running": [], "shipped": []}


def amiss(kube: Kube, namespace: str, deployment: Mapping[str, Any], container: str | None) -> list[str]:
    """Variables that are absent, or whose value stands in the spec or a ConfigMap, which hide nothing."""
    spec = deployment["spec"]["template"]["spec"]
    kinds = {
        name: value.kind if isinstance(value, Reference) else "text"
        for name, value in variables(spec, container).items()
    }
    for prefix, whole in wholes(spec, container):
        if whole.kind == "Secret":
            keys = kube.secret(whole.name, namespace) or {}
            kinds = {prefix + key: "Secret" for key in keys} | kinds
    secret = [f"{name}: {kinds.get(name, 'absent')}" for name in SECRET if kinds.get(name) != "Secret"]
    return secret + [f"{name}: absent" for name in PUBLIC if kinds.get(name, "text") == "text"]
