"""Runbook 2, Kubernetes objects: from the Ingress over its Services to the pods of this release alone."""

import pytest

from noxgate.clients.kube import Kube
from noxgate.clients.routing import backends, endpoints, reached
from noxgate.clients.traffic import SERVICE, Green, rivals, wrong_backends
from noxgate.clients.workload import name
from noxgate.runbook import Runbook
from noxgate.target import Target
from noxgate.waiting import eventually

INGRESS = "nox-api-ingress"


@pytest.mark.runbook("staging.service-endpoints")
def test_service_leads_to_ready_green_pods(kube: Kube, target: Target, runbook: Runbook) -> None:
    """Every endpoint, ready or not: one that selects blue as well splits the traffic."""
    limit = runbook.lines["staging.service-endpoints"].limits["within_seconds"]

    def leads() -> None:
        found = reached(kube, SERVICE, target.namespace)

        assert found is not None
        names = [port.get("name") or "" for port in found.service["spec"]["ports"]]
        green, behind = Green.of(kube, target.namespace), endpoints(kube, found)
        assert {port: green.problem(behind, port) for port in names} == dict.fromkeys(names)

    eventually(leads, within=target.waiting(limit))


@pytest.mark.runbook("staging.ingress-backends")
def test_every_backend_leads_to_ready_green_pods(kube: Kube, target: Target, runbook: Runbook) -> None:
    """The API server accepts any name; users get 503. A Service of another namespace is out of reach."""
    limit = runbook.lines["staging.ingress-backends"].limits["within_seconds"]

    def leads() -> None:
        ingresses = kube.list("Ingress", target.namespace)
        ingress = next((each for each in ingresses if name(each) == INGRESS), None)

        assert ingress is not None, f"no Ingress {INGRESS} in {target.namespace}"
        assert backends(ingress) != []
        assert wrong_backends(kube, ingress, Green.of(kube, target.namespace)) == []
        assert rivals(ingress, ingresses) == {}

    eventually(leads, within=target.waiting(limit))
