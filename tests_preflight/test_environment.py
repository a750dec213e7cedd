"""Runbook 1, environment: the variables of the pod spec that ships, under the application's names."""

from collections.abc import Mapping
from typing import Any

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import deployment_of, shipped_deployment
from noxgate.blue_green.side import Side
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.pod_spec import Reference, variables, wholes

PROVIDERS = ("GOOGLE", "GITHUB", "MICROSOFT")
PUBLIC = tuple(f"{provider}_CLIENT_ID" for provider in PROVIDERS)  # every sign-in page shows them
SECRET = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", *(f"{provider}_CLIENT_SECRET" for provider in PROVIDERS))


@pytest.mark.runbook("preflight.env-variables")
def test_pod_specs_set_every_variable(clients: Clients, production: Clients, limits: Limits) -> None:
    """Staging's as it runs, and green's as it will be applied: a laptop's variables say nothing of either."""
    running = deployment_of(clients.green)
    shipped = shipped_deployment(production.manifests, production.green)

    assert len([*PUBLIC, *SECRET]) == limits["variables"]
    wrong = {
        "running": amiss(clients.green, running),
        "shipped": amiss(production.green, shipped),
    }
    assert wrong == {"running": [], "shipped": []}


def amiss(side: Side, deployment: Mapping[str, Any]) -> list[str]:
    """Variables that are absent, or whose value stands in the spec or a ConfigMap, which hide nothing.

    A pod starts without what is optional: of that it is looked whether it is there.
    """
    spec = deployment["spec"]["template"]["spec"]
    kinds = {
        name: value.kind if isinstance(value, Reference) else "text"
        for name, value in variables(spec, side.container).items()
        if not isinstance(value, Reference) or not value.optional or is_there(side, value)
    }
    for prefix, whole in wholes(spec, side.container):
        if whole.kind == "Secret":
            keys = side.kube.secret(whole.name, side.namespace) or {}
            kinds = {prefix + key: "Secret" for key in keys} | kinds
    # Not "NAME: KIND": after the name of a secret, a colon and a word are taken for its value, and hidden.
    seen = {"text": "stands in the pod spec", "ConfigMap": "stands in a ConfigMap"}
    secret = [
        f"{name} {seen.get(kinds.get(name, ''), 'is absent')}"
        for name in SECRET
        if kinds.get(name) != "Secret"
    ]
    return secret + [f"{name} is absent" for name in PUBLIC if kinds.get(name, "text") == "text"]


def is_there(side: Side, reference: Reference) -> bool:
    """Whether a pod finds what it would start without."""
    if reference.kind == "Secret":
        return reference.key in (side.kube.secret(reference.name, side.namespace) or {})
    found = side.kube.get("ConfigMap", reference.name, side.namespace) or {}
    return reference.key in (found.get("data") or {})
