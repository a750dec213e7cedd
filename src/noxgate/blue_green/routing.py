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
class FoundService:
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


def port_for(ingress: Json, path: str, host: str = "") -> Json:
    """The port of its Service that a path of a host leads to, by number or name.

    Of hosts the one that is named wins over a wildcard and that over any; of paths the longest of what
    matches. Of an Ingress that does not name the host, every rule counts: it may be asked under another name.
    """
    rules = ingress["spec"].get("rules") or []
    ranks = {_rank(rule.get("host", ""), host) for rule in rules} - {None}
    best = max(ranks, default=None, key=lambda rank: rank or 0)
    ours = [rule for rule in rules if best is None or _rank(rule.get("host", ""), host) == best]
    found = [
        (entry["pathType"] == "Exact", len(entry.get("path", "/")), port)
        for rule in ours
        for entry in (rule.get("http") or {}).get("paths") or []
        if (port := (entry["backend"].get("service") or {}).get("port")) and _matches(ingress, entry, path)
    ]
    default = ((ingress["spec"].get("defaultBackend") or {}).get("service") or {}).get("port")
    ports: list[Json] = [default] if default else []
    ports += [port for *_, port in sorted(found, key=lambda each: each[:2])]
    assert ports != [], f"no path of Ingress {ingress['metadata']['name']} leads to {path}"
    return ports[-1]


def _rank(named: str, host: str) -> int | None:
    """How closely a rule's host is meant by a host; None if it is another."""
    if not named:
        return 0
    if named == host:
        return 2
    return 1 if named.startswith("*.") and host.partition(".")[2] == named[2:] else None


def _matches(ingress: Json, entry: Json, path: str) -> bool:
    at = entry.get("path", "/").rstrip("/")
    if path == at or (entry["pathType"] != "Exact" and path.startswith(f"{at}/")):
        return True
    notes = ingress["metadata"].get("annotations") or {}
    if entry["pathType"] != "ImplementationSpecific" or not any(_is_regex(*note) for note in notes.items()):
        return False
    try:
        return re.match(entry["path"], path, re.IGNORECASE) is not None
    except re.error:
        return False


def _is_regex(annotation: str, value: str) -> bool:
    """Whether ingress-nginx takes paths as regular expressions: by its word, or since it rewrites them."""
    return annotation.endswith("/rewrite-target") or (annotation.endswith("/use-regex") and value == "true")


def service_behind(kube: Kube, name: str, namespace: str) -> FoundService | None:
    """The Service of that name, or the one that it leads to; None if it does not exist."""
    service = kube.get("Service", name, namespace)
    if service is None or service["spec"].get("type") != "ExternalName":
        return None if service is None else FoundService(service, namespace)
    match = OF_ANOTHER.fullmatch(service["spec"].get("externalName", ""))
    if match is None:
        return None
    behind = kube.get("Service", match[1], match[2])
    return None if behind is None else FoundService(behind, match[2])


def port_of(service: Json, port: Json) -> Json | None:
    """The Service's port that a backend means, by number or name; None if it does not have it."""
    for entry in service["spec"].get("ports") or []:
        if entry["port"] == port.get("number") or ("name" in port and entry.get("name") == port["name"]):
            found: Json = entry
            return found
    return None


def endpoints(kube: Kube, found: FoundService) -> list[Endpoint]:
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
