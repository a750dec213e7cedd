"""Runbook 1, environment: the variables of the pod spec that ships, under the application's names."""

import pytest

from nox_service.clients import Clients
from nox_service.pods.promised import Promises
from nox_service.pods.variables import PUBLIC, SECRET, amiss
from noxgate.blue_green.running import deployment_of, shipped_deployment
from noxgate.project.runbook import Limits


@pytest.mark.runbook("preflight.env-variables")
def test_pod_specs_set_every_variable(clients: Clients, production: Clients, limits: Limits) -> None:
    """Staging's as it runs, and green's as it will be applied: a laptop's variables say nothing of either."""
    running = deployment_of(clients.green)
    shipped = shipped_deployment(production.manifests, production.green)

    assert len([*PUBLIC, *SECRET]) == limits["variables"]
    wrong = {
        "running": amiss(clients.green, running, Promises(())),
        "shipped": amiss(production.green, shipped, Promises(production.manifests)),
    }
    assert wrong == {"running": [], "shipped": []}
