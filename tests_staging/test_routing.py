"""Runbook 2, Kubernetes objects: from the Ingress over its Services to the pods of this release alone."""

import pytest

from noxgate.clients.kube import Kube
from noxgate.clients.routing import backends, endpoints, has_port, reached
from noxgate.clients.workload import living, name, selector, strangers
from noxgate.target import Target

DEPLOYMENT = "nox-api-deployment-green"
SERVICE = "nox-api-service-green"
INGRESS = "nox-api-ingress"


@pytest.mark.runbook("staging.service-endpoints")
def test_service_leads_to_ready_green_pods(kube: Kube, target: Target) -> None:
    """Every endpoint, ready or not: one that selects blue as well splits the traffic."""
    found = reached(kube, SERVICE, target.namespace)

    assert found is not None
    behind = endpoints(kube, found)
    assert [endpoint for endpoint in behind if endpoint.ready] != []
    assert foreign(kube, target, [endpoint.pod for endpoint in behind]) == []


@pytest.mark.runbook("staging.ingress-backends")
def test_every_backend_leads_to_ready_green_pods(kube: Kube, target: Target) -> None:
    """The API server accepts any name; users get 503. A Service of another namespace is out of reach."""
    ingress = kube.get("Ingress", INGRESS, target.namespace)

    assert ingress is not None
    assert backends(ingress) != []
    wrong: dict[str, str] = {}
    for path, backend in backends(ingress):
        service = backend.get("service") or {}
        found = reached(kube, service.get("name", ""), target.namespace) if service else None
        if found is None:
            wrong[path] = f"no Service {service.get('name')} in {target.namespace}"
        elif not has_port(found.service, service.get("port") or {}):
            wrong[path] = f"Service {service['name']} has no port {service.get('port')}"
        else:
            behind = endpoints(kube, found)
            others = foreign(kube, target, [endpoint.pod for endpoint in behind])
            if not any(endpoint.ready for endpoint in behind):
                wrong[path] = f"Service {service['name']} has no ready endpoint"
            elif others:
                wrong[path] = f"Service {service['name']} leads to {others}"
    assert wrong == {}


def foreign(kube: Kube, target: Target, pods: list[str | None]) -> list[str | None]:
    """Those that are not pods of the green Deployment, or run something else."""
    deployment = kube.get("Deployment", DEPLOYMENT, target.namespace)
    assert deployment is not None
    green = living(kube.list("Pod", target.namespace, selector(deployment)))
    others = strangers(green, deployment)
    ours = {name(pod) for pod in green} - set(others)
    return [pod for pod in pods if pod not in ours]
