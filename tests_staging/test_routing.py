"""Runbook 2, Kubernetes objects: from the Ingress over its Services to the pods of this release alone."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from noxgate.clients.ingress_meaning import routes
from noxgate.clients.kube import Kube
from noxgate.clients.routing import Endpoint, backends, endpoints, port_name, reached
from noxgate.clients.workload import living, name, selector, strangers, unready
from noxgate.runbook import Runbook
from noxgate.target import Target
from noxgate.waiting import eventually

DEPLOYMENT = "nox-api-deployment-green"
SERVICE = "nox-api-service-green"
INGRESS = "nox-api-ingress"


@pytest.mark.runbook("staging.service-endpoints")
def test_service_leads_to_ready_green_pods(kube: Kube, target: Target, runbook: Runbook) -> None:
    """Every endpoint, ready or not: one that selects blue as well splits the traffic."""
    limit = runbook.lines["staging.service-endpoints"].limits["within_seconds"]

    def leads() -> None:
        found = reached(kube, SERVICE, target.namespace)

        assert found is not None
        names = [port.get("name") or "" for port in found.service["spec"]["ports"]]
        assert {port: problem(kube, target, endpoints(kube, found), port) for port in names} == dict.fromkeys(
            names
        )

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
        paths: dict[str, list[str]] = {}  # of each backend, which is looked at once
        for path, backend in backends(ingress):
            paths.setdefault(json.dumps(backend, sort_keys=True), []).append(path)
        said = [(wrong(kube, target, json.loads(backend)), its) for backend, its in paths.items()]
        assert [(what, its) for what, its in said if what is not None] == []
        assert rivals(ingress, ingresses) == {}

    eventually(leads, within=target.waiting(limit))


def wrong(kube: Kube, target: Target, backend: Mapping[str, Any]) -> str | None:
    """Why users of a backend would get 503, or another release."""
    service = backend.get("service") or {}
    found = reached(kube, service.get("name", ""), target.namespace)
    if found is None:
        return f"no Service {service.get('name')} in {target.namespace}"
    port = port_name(found.service, service.get("port") or {})
    if port is None:
        return f"Service {service['name']} has no port {service.get('port')}"
    said = problem(kube, target, endpoints(kube, found), port)
    return None if said is None else f"Service {service['name']}: {said}"


def problem(kube: Kube, target: Target, behind: list[Endpoint], port: str) -> str | None:
    """What is wrong behind a Service's port: nobody ready, or somebody who is no pod of this release."""
    deployment = kube.need("Deployment", DEPLOYMENT, target.namespace)
    pods = living(kube.list("Pod", target.namespace, selector(deployment)))
    ours = {name(pod) for pod in pods} - set(strangers(pods, deployment))
    others = [endpoint.pod for endpoint in behind if endpoint.pod not in ours]
    if others:
        return f"leads to {others}"
    shut = unready(pods)
    ready = [each for each in behind if each.ready and each.pod not in shut and port in each.ports]
    return None if ready else "no ready endpoint"


def rivals(ingress: Mapping[str, Any], ingresses: list[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Other Ingresses that have one of its routes: the older one wins, or a canary takes its share."""
    ours = {(host, path) for host, path, _ in routes(ingress)}
    found = {
        name(other): sorted(f"{host}{path}" for host, path, _ in routes(other) if (host, path) in ours)
        for other in ingresses
        if name(other) != name(ingress)
    }
    return {other: shared for other, shared in found.items() if shared}
