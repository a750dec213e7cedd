"""Runbook 2, Kubernetes objects: from the Ingress over its Services to the pods of this release alone."""

import pytest

from noxgate.blue_green.routing import backends, endpoints, reached
from noxgate.blue_green.traffic import SERVICE, Green, ingresses_of, rivals, wrong_backends
from noxgate.look.observation import Observe
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube

INGRESS = "nox-api-ingress"


@pytest.mark.runbook("staging.service-endpoints")
def test_service_leads_to_ready_green_pods(kube: Kube, target: Target, limits: Limits) -> None:
    """Every endpoint, ready or not: one that selects blue as well splits the traffic."""
    limit = limits["within_seconds"]

    def leads() -> None:
        found = reached(kube, SERVICE, target.namespace)

        assert found is not None
        ports = {port.get("name") or "": port for port in found.service["spec"]["ports"]}
        green, behind = Green.of(kube, target.namespace), endpoints(kube, found)
        assert {each: green.problem(behind, port) for each, port in ports.items()} == dict.fromkeys(ports)

    eventually(leads, within=target.waiting(limit))


@pytest.mark.runbook("staging.ingress-backends")
def test_every_backend_leads_to_ready_green_pods(
    kube: Kube, target: Target, limits: Limits, observe: Observe
) -> None:
    """The API server accepts any name; users get 503. A Service of another namespace is out of reach."""
    limit = limits["within_seconds"]

    def leads() -> None:
        ingresses = ingresses_of(kube, [target.namespace], observe)
        ingress = kube.get("Ingress", INGRESS, target.namespace)

        assert ingress is not None, f"no Ingress {INGRESS} in {target.namespace}"
        assert backends(ingress) != []
        assert wrong_backends(kube, ingress, Green.of(kube, target.namespace)) == []
        assert rivals(ingress, ingresses) == {}

    eventually(leads, within=target.waiting(limit))
