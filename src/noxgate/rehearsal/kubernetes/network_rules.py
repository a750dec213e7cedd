"""What the server checks of services, ingresses and endpoints."""

import ipaddress
import re
from collections.abc import Iterator

from noxgate.rehearsal.kubernetes import names
from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.causes import (
    LAST_PORT,
    PORT_RANGE,
    Cause,
    check_port,
    invalid,
    required,
    show,
    unique,
)


def service(service: Json, _: str) -> Iterator[Cause]:
    spec = service.get("spec", {})
    ports = spec.get("ports", [])
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")
        target = port.get("targetPort")
        if isinstance(target, int) and not 0 < target <= LAST_PORT:
            yield invalid(f"spec.ports[{index}].targetPort", str(target), PORT_RANGE)
    yield from unique(ports, "name", "spec.ports")
    seen = set()
    for index, port in enumerate(ports):
        key = (port.get("port"), port.get("protocol"))
        if key in seen:
            shown = show({"port": key[0], "protocol": key[1]})
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", f"spec.ports[{index}]")
        seen.add(key)


def ingress(ingress: Json, _: str) -> Iterator[Cause]:
    spec = ingress.get("spec", {})
    if not spec.get("rules") and not spec.get("defaultBackend"):
        yield invalid("spec", show(spec), "either `defaultBackend` or `rules` must be specified")


def ingress_rule(rule: Json, path: str) -> Iterator[Cause]:
    host = rule.get("host", "")
    if host and not re.fullmatch(rf"(\*\.)?{names.SUBDOMAIN}", host):
        yield from names.dns_subdomain(host, f"{path}.host")
    elif re.fullmatch(r"\d+\.\d+\.\d+\.\d+", host):
        yield invalid(f"{path}.host", show(host), "must be a DNS name, not an IP address")


def ingress_path(value: Json, path: str) -> Iterator[Cause]:
    given = value.get("path", "")
    if value.get("pathType") in {"Exact", "Prefix"}:
        if not given.startswith("/"):
            yield invalid(f"{path}.path", show(given), "must be an absolute path")
        for bad in ("//", "/./", "/../", "%2f", "%2F"):
            if bad in given:
                yield invalid(f"{path}.path", show(given), f"must not contain '{bad}'")
    elif given and not given.startswith("/"):
        yield invalid(f"{path}.path", show(given), "must be an absolute path")
    if not value.get("backend"):
        yield from ingress_backend({}, f"{path}.backend")


def ingress_backend(backend: Json, path: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service and resource:
        yield invalid(path, '""', "cannot set both resource and service backends")
    if not service and not resource:
        yield required(path, "port name or number is required" if "service" in backend else "")
    if service:
        port = service.get("port", {})
        if port.get("number") and port.get("name"):
            yield invalid(path, '""', "cannot set both port name & port number")
        elif port.get("number"):
            yield from check_port(port["number"], f"{path}.service.port.number", needed=False)
        elif not port.get("name"):
            yield required(path, "port name or number is required")


def endpoint_slice(endpoint_slice: Json, _: str) -> Iterator[Cause]:
    kind = endpoint_slice.get("addressType")
    for index, endpoint in enumerate(endpoint_slice.get("endpoints") or []):
        for at, address in enumerate(endpoint.get("addresses", [])):
            path = f"endpoints[{index}].addresses[{at}]"
            if kind in {"IPv4", "IPv6"}:
                yield from endpoint_address(address, path, 4 if kind == "IPv4" else 6)


def endpoints(endpoints: Json, _: str) -> Iterator[Cause]:
    for index, subset in enumerate(endpoints.get("subsets") or []):
        for at, address in enumerate(subset.get("addresses", [])):
            if address.get("ip"):
                yield from endpoint_address(address["ip"], f"subsets[{index}].addresses[{at}].ip", 0)


def endpoint_address(address: str, path: str, version: int) -> Iterator[Cause]:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        yield invalid(path, show(address), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        return
    if version not in {0, parsed.version}:
        yield invalid(path, show(address), f"must be an IPv{version} address")
    if parsed.is_unspecified:
        yield invalid(path, show(address), f"may not be unspecified ({address})")
    if parsed.is_loopback:
        why = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        yield invalid(path, show(address), why)
    if parsed.is_link_local:
        why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        yield invalid(path, show(address), why)
