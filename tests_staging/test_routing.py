"""Runbook 2, Kubernetes objects: from the Ingress over its Services to the pods of this release alone."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.edges import the_ingress
from noxgate.blue_green.routing import backends, endpoints, service_behind
from noxgate.blue_green.traffic import ExpectedPods, ingresses_of, rivals, wrong_backends
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits


@pytest.mark.runbook("staging.service-endpoints")
def test_service_leads_to_ready_green_pods(clients: Clients, limits: Limits) -> None:
    """Every endpoint, ready or not: one that selects blue as well splits the traffic."""
    green = clients.green

    def leads() -> None:
        found = service_behind(green.kube, green.service, green.namespace)

        assert found is not None
        ports = {port.get("name") or "": port for port in found.service["spec"]["ports"]}
        pods, behind = ExpectedPods.of(green), endpoints(green.kube, found)
        assert {each: pods.problem(behind, port) for each, port in ports.items()} == dict.fromkeys(ports)

    eventually(leads, within=clients.target.waiting(limits["within_seconds"]))


@pytest.mark.runbook("staging.ingress-backends")
def test_every_backend_leads_to_ready_green_pods(clients: Clients, limits: Limits) -> None:
    """The API server accepts any name; users get 503. A Service of another namespace is out of reach."""
    green, service, target = clients.green, clients.service, clients.target

    def leads() -> None:
        ingresses = ingresses_of(green.kube, [target.namespace], clients.observe)
        ingress = the_ingress(green.kube, service, target.namespace, clients.namespaces)

        assert backends(ingress) != []
        assert wrong_backends(green.kube, ingress, ExpectedPods.of(green), service) == []
        assert rivals(ingress, ingresses) == {}

    eventually(leads, within=target.waiting(limits["within_seconds"]))
