"""Runbook 1, environment: the variables of the pod spec that ships, under the application's names."""

from collections.abc import Mapping
from typing import Any

import pytest

from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document
from noxgate.clients.pod_spec import Reference, variables
from noxgate.target import Target

PROVIDERS = ("GOOGLE", "GITHUB", "MICROSOFT")
VARIABLES = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    *(f"{provider}_CLIENT_{part}" for provider in PROVIDERS for part in ("ID", "SECRET")),
)
DEPLOYMENT = "nox-api-deployment-green"


@pytest.mark.runbook("preflight.env-variables")
def test_pod_specs_set_every_variable(
    kube: Kube, target: Target, production_manifests: tuple[Document, ...]
) -> None:
    """Staging's as it runs, and green's as it will be applied: a laptop's variables say nothing of either."""
    running = kube.get("Deployment", DEPLOYMENT, target.namespace)
    shipped = [document.content for document in production_manifests if document.kind == "Deployment"]

    assert running is not None
    assert [deployment["metadata"]["name"] for deployment in shipped] == [DEPLOYMENT]
    wrong = {where: not_referred(each) for where, each in (("running", running), ("shipped", shipped[0]))}
    assert wrong == {"running": [], "shipped": []}


def not_referred(deployment: Mapping[str, Any]) -> list[str]:
    """Variables that are absent, or whose value stands in the spec: the same everywhere, and no secret."""
    found = variables(deployment["spec"]["template"]["spec"])
    return [name for name in VARIABLES if not isinstance(found.get(name), Reference)]
