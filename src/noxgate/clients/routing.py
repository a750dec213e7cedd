"""Where an Ingress leads: backends, the Services behind them, and their ready endpoints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.clients.kube import Kube

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """One address behind a Service, and the pod that it belongs to."""

    address: str
    pod: str | None
    namespace: str
    ready: bool


@dataclass(frozen=True)
class Found:
    """A Service as traffic reaches it: one of type ExternalName is followed to the Service that it names."""

    service: Json
    namespace: str


def backends(ingress: Json) -> list[tuple[str, Json]]:
    """Every backend with the host and path that lead to it."""
    spec = ingress["spec"]
    found = [("default", spec["defaultBackend"])] if "defaultBackend" in spec else []
    return found + [
        (f"{rule.get('host', '*')}{path.get('path', '/')}", path["backend"])
        for rule in spec.get("rules") or []
        for path in (rule.get("http") or {}).get("paths") or []
    ]


def reached(kube: Kube, name: str, namespace: str) -> Found | None:
    """The Service of that name, or the one that it leads to; None if there is none."""
    service = kube.get("Service", name, namespace)
    if service is None or service["spec"].get("type") != "ExternalName":
        return None if service is None else Found(service, namespace)
    match = re.fullmatch(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\..+)?", service["spec"].get("externalName", ""))
    if match is None:
        return None
    behind = kube.get("Service", match[1], match[2])
    return None if behind is None else Found(behind, match[2])


def has_port(service: Json, port: Json) -> bool:
    """Whether the Service has the port that a backend names, by number or by name."""
    ports = service["spec"].get("ports") or []
    if "number" in port:
        return any(entry["port"] == port["number"] for entry in ports)
    return any(entry.get("name") == port.get("name") for entry in ports)


def endpoints(kube: Kube, found: Found) -> list[Endpoint]:
    """What is behind a Service; an endpoint that does not say whether it is ready counts as ready."""
    selector = f"kubernetes.io/service-name={found.service['metadata']['name']}"
    return [
        Endpoint(
            address=address,
            pod=target.get("name") if target.get("kind") == "Pod" else None,
            namespace=target.get("namespace") or found.namespace,
            ready=(endpoint.get("conditions") or {}).get("ready") is not False,
        )
        for entry in kube.list("EndpointSlice", found.namespace, selector)
        for endpoint in entry.get("endpoints") or []
        for target in [endpoint.get("targetRef") or {}]
        for address in endpoint["addresses"]
    ]
