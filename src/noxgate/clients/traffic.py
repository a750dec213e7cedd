"""What is wrong behind an Ingress: nobody ready, another release, or another Ingress in the way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.clients.ingress_meaning import routes
from noxgate.clients.kube import Kube
from noxgate.clients.routing import Endpoint, backends, endpoints, port_name, reached
from noxgate.clients.workload import living, name, selector, strangers, unready

Json = Mapping[str, Any]

DEPLOYMENT = "nox-api-deployment-green"
SERVICE = "nox-api-service-green"


@dataclass(frozen=True)
class Green:
    """The pods that traffic must reach: those of a namespace's Deployment, seen once for a look.

    Green's; after a rollback they are blue's.
    """

    pods: Mapping[str, Json]  # of the release, by name
    namespace: str

    @classmethod
    def of(cls, kube: Kube, namespace: str, name_of_it: str = DEPLOYMENT) -> "Green":
        deployment = kube.need("Deployment", name_of_it, namespace)
        pods = living(kube.list("Pod", namespace, selector(deployment)))
        others = strangers(pods, deployment)
        return cls({name(pod): pod for pod in pods if name(pod) not in others}, namespace)

    def problem(self, behind: Sequence[Endpoint], port: str) -> str | None:
        """What is wrong behind a Service's port: nobody ready, or somebody who is no pod of this release."""
        others = [
            each.pod for each in behind if each.pod not in self.pods or each.namespace != self.namespace
        ]
        if others:
            return f"leads to {others}"
        shut = unready(list(self.pods.values()))
        ready = [each for each in behind if each.ready and each.pod not in shut and port in each.ports]
        return None if ready else "no ready endpoint"


def wrong_backends(kube: Kube, ingress: Json, green: Green) -> list[tuple[str, list[str]]]:
    """Why users of a backend would get 503, or another release, with the paths that lead there."""
    paths: dict[str, list[str]] = {}  # of each backend, which is looked at once
    for path, backend in backends(ingress):
        paths.setdefault(json.dumps(backend, sort_keys=True), []).append(path)
    namespace = ingress["metadata"]["namespace"]
    said = [(_wrong(kube, namespace, json.loads(backend), green), its) for backend, its in paths.items()]
    return [(what, its) for what, its in said if what is not None]


def _wrong(kube: Kube, namespace: str, backend: Json, green: Green) -> str | None:
    service = backend.get("service") or {}
    found = reached(kube, service.get("name", ""), namespace)
    if found is None:
        return f"no Service {service.get('name')} in {namespace}"
    port = port_name(found.service, service.get("port") or {})
    if port is None:
        return f"Service {service['name']} has no port {service.get('port')}"
    said = green.problem(endpoints(kube, found), port)
    return None if said is None else f"Service {service['name']}: {said}"


def rivals(ingress: Json, ingresses: Sequence[Json]) -> dict[str, list[str]]:
    """Other Ingresses that have one of its routes: the older one wins, or a canary takes its share."""
    ours = {(host, path) for host, path, _ in routes(ingress)}
    found = {
        name(other): sorted(f"{host}{path}" for host, path, _ in routes(other) if (host, path) in ours)
        for other in ingresses
        if _identity(other) != _identity(ingress)
    }
    return {other: shared for other, shared in found.items() if shared}


def _identity(thing: Json) -> tuple[str, str]:
    return thing["metadata"]["namespace"], name(thing)
