"""Where an Ingress leads: backends, the Services behind them, and their ready endpoints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.systems.kubernetes.kube import Kube

Json = Mapping[str, Any]


OF_ANOTHER = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\..+)?")  # a Service of another namespace


@dataclass(frozen=True)
class Endpoint:
    """One address behind a Service, the pod that it belongs to, and the ports that it is reached at."""

    address: str
    pod: str | None
    namespace: str
    ready: bool
    ports: Mapping[str, int]  # by name, "" for one without


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


def port_for(ingress: Json, path: str) -> Json:
    """The port of its Service that a path leads to, by number or name: the longest of what matches wins."""
    found = [
        (entry["pathType"] == "Exact", len(at), (entry["backend"].get("service") or {}).get("port") or {})
        for rule in ingress["spec"].get("rules") or []
        for entry in (rule.get("http") or {}).get("paths") or []
        for at in [entry.get("path", "/").rstrip("/")]
        if path == at or (entry["pathType"] != "Exact" and path.startswith(f"{at}/"))
    ]
    ports = [port for *_, port in sorted(found, key=lambda each: each[:2]) if port]
    assert ports != [], f"no path of Ingress {ingress['metadata']['name']} leads to {path}"
    return ports[-1]


def reached(kube: Kube, name: str, namespace: str) -> Found | None:
    """The Service of that name, or the one that it leads to; None if it does not exist."""
    service = kube.get("Service", name, namespace)
    if service is None or service["spec"].get("type") != "ExternalName":
        return None if service is None else Found(service, namespace)
    match = OF_ANOTHER.fullmatch(service["spec"].get("externalName", ""))
    if match is None:
        return None
    behind = kube.get("Service", match[1], match[2])
    return None if behind is None else Found(behind, match[2])


def port_of(service: Json, port: Json) -> Json | None:
    """The Service's port that a backend means, by number or name; None if it does not have it."""
    for entry in service["spec"].get("ports") or []:
        if entry["port"] == port.get("number") or ("name" in port and entry.get("name") == port["name"]):
            found: Json = entry
            return found
    return None


def endpoints(kube: Kube, found: Found) -> list[Endpoint]:
    """What is behind a Service, without what is ending; one that does not say whether it is ready is."""
    selector = f"kubernetes.io/service-name={found.service['metadata']['name']}"
    return [
        Endpoint(
            address=address,
            pod=target.get("name") if target.get("kind") == "Pod" else None,
            namespace=target.get("namespace") or found.namespace,
            ready=said.get("ready") is not False and said.get("serving") is not False,
            ports={port.get("name") or "": int(port.get("port") or 0) for port in entry.get("ports") or []},
        )
        for entry in kube.list("EndpointSlice", found.namespace, selector)
        for endpoint in entry.get("endpoints") or []
        for said in [endpoint.get("conditions") or {}]
        if not said.get("terminating")
        for target in [endpoint.get("targetRef") or {}]
        for address in endpoint["addresses"]
    ]
