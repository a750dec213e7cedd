"""The ingress controller: what an Ingress says, as nginx has it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nox_rehearsal.cluster.endpoints import SERVICE
from nox_rehearsal.cluster.processes import Slot

Object = Mapping[str, Any]
Objects = Sequence[Object]

NOT_FOUND = "404"
UNAVAILABLE = "503"
_IN_CLUSTER = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.cluster\.local)?\.?")


@dataclass(frozen=True)
class Routes:
    """The two files that nginx includes: `upstreams` for the whole of it, `paths` for one site."""

    upstreams: str
    paths: str


@dataclass(frozen=True)
class Path:
    """One path of a host, and where it leads: an upstream's name, or the status that answers."""

    text: str
    is_exact: bool
    to: str


NOWHERE = Routes("", "location / { return 404; }\n")


def routes(site: str, ingress: Object, services: Objects, slices: Objects, slots: Sequence[Slot]) -> Routes:
    """Every path of the Ingress; one whose Service has no ready endpoint answers 503."""
    namespace, spec = ingress["metadata"]["namespace"], ingress["spec"]
    upstreams: dict[str, list[int]] = {}

    def leads_to(backend: Object) -> str:
        service = backend.get("service") or {}
        ports = _ports(service, namespace, services, slices, slots)
        if not ports:
            return UNAVAILABLE
        name = f"{site}_{service['name']}_{'_'.join(map(str, service['port'].values()))}"
        upstreams[name] = ports
        return name

    default = leads_to(spec["defaultBackend"]) if "defaultBackend" in spec else NOT_FOUND
    hosts: dict[str, list[Path]] = {}
    for rule in spec.get("rules") or []:
        paths = hosts.setdefault(rule.get("host", ""), [])
        for path in (rule.get("http") or {}).get("paths") or []:
            paths.append(Path(path.get("path", "/"), path["pathType"] == "Exact", leads_to(path["backend"])))
    hosts.setdefault("", [])  # every other host
    blocks = [_upstream(name, ports) for name, ports in sorted(upstreams.items())]
    locations = []
    for number, (location, request) in enumerate(_places(hosts).items()):
        choices = {host: _where(paths, request, default) for host, paths in hosts.items()}
        to = choices[""]
        if len(set(choices.values())) > 1:
            to = f"$to_{site}_{number}"
            blocks.append(_map(to, choices))
        locations.append(f"location {location} {{\n{_action(site, to, choices)}\n}}\n")
    return Routes("".join(blocks), "".join(locations))


def _places(hosts: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """The locations, each with a request's path that stands for all that arrive there.

    A Prefix fits whole elements of a path: /api fits /api and /api/user, and not /apis.
    """
    places = {'"/"': "/"}
    for paths in hosts.values():
        for path in paths:
            plain = path.text.rstrip("/")
            if path.is_exact:
                places[f"= {_quoted(path.text)}"] = path.text
            elif plain:
                places[f"= {_quoted(plain)}"] = plain
                places[_quoted(f"{plain}/")] = f"{plain}/"
    return places


def _where(paths: Sequence[Path], request: str, default: str) -> str:
    """Where Kubernetes leads a request: an exact path first, then the longest that begins it."""
    for path in paths:
        if path.is_exact and path.text == request:
            return path.to
    fitting = [
        path
        for path in paths
        if not path.is_exact and f"{request.rstrip('/')}/".startswith(f"{path.text.rstrip('/')}/")
    ]
    return max(fitting, key=lambda path: len(path.text.rstrip("/"))).to if fitting else default


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _map(variable: str, choices: Mapping[str, str]) -> str:
    named = "".join(f"    {host} {to};\n" for host, to in choices.items() if host)
    return f"map $host {variable} {{\n    hostnames;\n    default {choices['']};\n{named}}}\n"


def _action(site: str, to: str, choices: Mapping[str, str]) -> str:
    statuses = sorted({NOT_FOUND, UNAVAILABLE} & set(choices.values()))
    if to in statuses:
        return f"    return {to};"
    refusals = "".join(f'    if ({to} = "{status}") {{ return {status}; }}\n' for status in statuses)
    return f"""\
{refusals}\
    proxy_pass http://{to};
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
    backend: Object, namespace: str, services: Objects, slices: Objects, slots: Sequence[Slot]
) -> list[int]:
    """The real ports behind a backend; a Service of type ExternalName is followed to the one it names."""
    service = _named(services, namespace, backend.get("name", ""))
    wanted: Object = backend.get("port") or {}
    if service is not None and service["spec"].get("type") == "ExternalName":
        own = _port(service, wanted)
        if own is not None:
            wanted = {"number": own.get("targetPort", own["port"])}
        match = _IN_CLUSTER.fullmatch(service["spec"]["externalName"])
        service = _named(services, match[2], match[1]) if match else None
    port = None if service is None else _port(service, wanted)
    if service is None or port is None:
        return []
    return sorted(
        {
            slot.ports[str(number)]
            for number, addresses in _endpoints(service["metadata"], port.get("name", ""), slices)
            for slot in slots
            if slot.ip in addresses and str(number) in slot.ports
        }
    )


def _endpoints(service: Object, port_name: str, slices: Objects) -> list[tuple[int, list[str]]]:
    """Port and addresses of a Service's ready endpoints."""
    found = []
    for each in slices:
        metadata = each["metadata"]
        of = metadata["namespace"], (metadata.get("labels") or {}).get(SERVICE)
        if of != (service["namespace"], service["name"]):
            continue
        ready = [
            endpoint["addresses"]
            for endpoint in each.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready") is not False
        ]
        numbers = [port["port"] for port in each.get("ports") or [] if (port.get("name") or "") == port_name]
        found += [(number, addresses) for number in numbers for addresses in ready]
    return found


def _port(service: Object, wanted: Object) -> Object | None:
    """The port of a Service that a backend names, by number or by name."""
    for port in service["spec"].get("ports") or []:
        if port["port"] == wanted.get("number") or ("name" in wanted and port.get("name") == wanted["name"]):
            found: Object = port
            return found
    return None


def _named(services: Objects, namespace: str, name: str) -> Object | None:
    for each in services:
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, name):
            return each
    return None
