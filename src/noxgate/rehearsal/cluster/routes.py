"""The ingress controller: what an Ingress says, as nginx has it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.rehearsal.cluster.endpoints import SERVICE
from noxgate.rehearsal.cluster.processes import Slot

Objects = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Routes:
    """The two files that nginx includes: `upstreams` for the whole of it, `paths` for one site."""

    upstreams: str
    paths: str


NOWHERE = Routes("", "location / { return 503; }\n")


def routes(
    site: str, ingress: Mapping[str, Any], services: Objects, slices: Objects, slots: Sequence[Slot]
) -> Routes:
    """Every path of the Ingress; one whose Service has no ready endpoint answers 503."""
    namespace = ingress["metadata"]["namespace"]
    upstreams: dict[str, list[int]] = {}
    places: dict[str, str] = {}  # nginx's location -> what it does
    for rule in ingress["spec"].get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            backend = path["backend"].get("service") or {}
            ports = _ports(backend, namespace, services, slices, slots)
            name = f"{site}_{backend.get('name', '')}_{'_'.join(map(str, backend.get('port', {}).values()))}"
            if ports:
                upstreams[name] = ports
            for place in _locations(path.get("path", "/"), path["pathType"]):
                places.setdefault(place, _action(site, name) if ports else "return 503;")
    places.setdefault("/", "return 404;")
    return Routes(
        "".join(_upstream(name, ports) for name, ports in sorted(upstreams.items())),
        "".join(f"location {place} {{\n{action}\n}}\n" for place, action in places.items()),
    )


def _locations(path: str, kind: str) -> list[str]:
    """A Prefix fits whole elements of a path: /api fits /api/user and not /apis."""
    if kind == "Exact":
        return [f"= {path}"]
    plain = path.rstrip("/")
    return [f"= {plain}", f"{plain}/"] if plain else ["/"]


def _action(site: str, upstream: str) -> str:
    return f"""\
    proxy_pass http://{upstream};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header Upgrade $upgrade_{site};
    proxy_set_header Connection $connection_{site};
    proxy_read_timeout 10m;"""


def _upstream(name: str, ports: Sequence[int]) -> str:
    servers = "\n".join(f"    server 127.0.0.1:{port} fail_timeout=1s;" for port in ports)
    # Idle connections are given up before uvicorn does (5 s): one closed at the wrong moment would be a 502.
    return f"""upstream {name} {{
{servers}
    keepalive 128;
    keepalive_requests 1000000;
    keepalive_timeout 2s;
}}
"""


def _ports(
    backend: Mapping[str, Any], namespace: str, services: Objects, slices: Objects, slots: Sequence[Slot]
) -> list[int]:
    """The real ports behind a backend; a Service of type ExternalName is followed to the one it names."""
    service = _named(services, namespace, backend.get("name", ""))
    if service is not None and service["spec"].get("type") == "ExternalName":
        match = re.match(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.|$)", service["spec"]["externalName"])
        service = _named(services, match[2], match[1]) if match else None
    if service is None:
        return []
    wanted = backend.get("port") or {}
    port = next(
        (
            each
            for each in service["spec"].get("ports") or []
            if each["port"] == wanted.get("number")
            or ("name" in wanted and each.get("name") == wanted["name"])
        ),
        None,
    )
    if port is None:
        return []
    found = []
    for each in slices:
        metadata = each["metadata"]
        own = metadata["namespace"], (metadata.get("labels") or {}).get(SERVICE)
        if own != (service["metadata"]["namespace"], service["metadata"]["name"]):
            continue
        numbers = [
            entry["port"]
            for entry in each.get("ports") or []
            if entry.get("name", "") == port.get("name", "")
        ]
        for endpoint in each.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            found += [
                slot.ports[str(number)]
                for slot in slots
                for number in numbers
                if slot.ip in endpoint["addresses"] and str(number) in slot.ports
            ]
    return sorted(found)


def _named(services: Objects, namespace: str, name: str) -> Mapping[str, Any] | None:
    return next(
        (
            each
            for each in services
            if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, name)
        ),
        None,
    )
