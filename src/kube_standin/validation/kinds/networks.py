"""What the server checks of ingresses, network policies and endpoints, in the order in which it does."""

import ipaddress
from collections.abc import Iterator

from kube_standin.objects import names
from kube_standin.validation.pods.affinity import selector
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, check_port, forbidden, invalid, required, show, unsupported

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
PROTOCOLS = ("SCTP", "TCP", "UDP")
LOCAL_MULTICAST = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))


def ingress(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec, annotations = whole.get("spec") or {}, whole["metadata"].get("annotations") or {}
    rules = spec.get("rules") or []
    if not rules and not spec.get("defaultBackend"):
        yield invalid(path, "null", "either `defaultBackend` or `rules` must be specified")
    if spec.get("defaultBackend") is not None:
        yield from _backend(spec["defaultBackend"], f"{path}.defaultBackend")
    for index, rule in enumerate(rules):
        yield from _ingress_rule(rule, f"{path}.rules[{index}]")
    for index, tls in enumerate(spec.get("tls") or []):
        here = f"{path}.tls[{index}]"
        for at, host in enumerate(tls.get("hosts") or []):
            yield from names.host(host, f"{here}.hosts[{at}]")
        if tls.get("secretName"):
            yield from names.dns_subdomain(tls["secretName"], f"{here}.secretName")
    named = spec.get("ingressClassName")
    if named is not None:
        yield from names.dns_subdomain(named, f"{path}.ingressClassName")
    given = annotations.get(CLASS_ANNOTATION)
    if given is not None and named is not None and given != named and is_new(whole):
        why = "must match `ingressClassName` when both are specified"
        yield invalid(f"annotations.{CLASS_ANNOTATION}", show(given), why)


def is_new(whole: Json) -> bool:
    """Whether an object is being created: it has no version yet."""
    return "resourceVersion" not in whole["metadata"]


def _ingress_rule(rule: Json, path: str) -> Iterator[Cause]:
    host = rule.get("host", "")
    if host:
        if _is_address(host):
            yield invalid(f"{path}.host", show(host), "must be a DNS name, not an IP address")
        yield from names.host(host, f"{path}.host")
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield required(f"{path}.http.paths")
    for index, each in enumerate(http.get("paths") or []):
        yield from _ingress_path(each, f"{path}.http.paths[{index}]")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _ingress_path(value: Json, path: str) -> Iterator[Cause]:
    given, kind = value.get("path", ""), value.get("pathType")
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    where = f"{path}.path"
    if kind in {"Exact", "Prefix"}:
        if not given.startswith("/"):
            yield invalid(where, show(given), "must be an absolute path")
        for bad in ("//", "/./", "/../", "%2f", "%2F"):
            if bad in given:
                yield invalid(where, show(given), f"must not contain '{bad}'")
        for bad in ("/..", "/."):
            if given.endswith(bad):
                yield invalid(where, show(given), f"cannot end with '{bad}'")
    elif kind == "ImplementationSpecific":
        if given and not given.startswith("/"):
            yield invalid(where, show(given), "must be an absolute path")
    else:
        yield unsupported(f"{path}.pathType", kind, ("Exact", "ImplementationSpecific", "Prefix"))
    yield from _backend(value.get("backend") or {}, f"{path}.backend")


def _backend(backend: Json, path: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, '""', "cannot set both resource and service backends")
    elif resource is not None:
        for name in ("kind", "name"):
            if not resource.get(name):
                yield required(f"{path}.resource.{name}")
    elif service is None:
        yield invalid(path, '""', "resource or service backend is required")
    else:
        yield from _backend_service(service, path)


def _backend_service(service: Json, path: str) -> Iterator[Cause]:
    if not service.get("name"):
        yield required(f"{path}.service.name")
    else:
        yield from names.service_name(service["name"], f"{path}.service.name")
    port = service.get("port") or {}
    number, name = port.get("number") or 0, port.get("name", "")
    if number and name:
        yield invalid(path, '""', "cannot set both port name & port number")
    elif name:
        yield from names.port_name(name, f"{path}.service.port.name")
    elif number:
        yield from check_port(number, f"{path}.service.port.number", needed=False)
    else:
        yield required(path, "port name or number is required")


def network_policy(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    yield from selector(spec.get("podSelector"), f"{path}.podSelector")
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(side) or []):
            here = f"{path}.{side}[{index}]"
            for at, port in enumerate(rule.get("ports") or []):
                yield from _policy_port(port, f"{here}.ports[{at}]")
            for at, peer in enumerate(rule.get(peers) or []):
                yield from _policy_peer(peer, f"{here}.{peers}[{at}]")
    for index, kind in enumerate(spec.get("policyTypes") or []):
        if kind not in {"Ingress", "Egress"}:
            yield unsupported(f"{path}.policyTypes[{index}]", kind, ("Ingress", "Egress"))


def _policy_port(port: Json, path: str) -> Iterator[Cause]:
    number, end, where = port.get("port"), port.get("endPort"), f"{path}.endPort"
    if port.get("protocol") and port["protocol"] not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", port["protocol"], PROTOCOLS)
    if number is not None:
        yield from names.port(number, f"{path}.port")
    if end is None:
        return
    if number is None:
        yield invalid(where, str(end), "may not be specified when `port` is not specified")
    elif isinstance(number, str):
        yield invalid(where, str(end), "may not be specified when `port` is non-numeric")
    else:
        if end < number:
            yield invalid(where, str(end), "must be greater than or equal to `port`")
        yield from check_port(end, where, needed=False)


def _policy_peer(peer: Json, path: str) -> Iterator[Cause]:
    given = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None]
    for name in given:
        if name != "ipBlock":
            yield from selector(peer[name], f"{path}.{name}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, f"{path}.ipBlock")
    if not given:
        yield required(path, "must specify a peer")
    elif len(given) > 1 and block is not None:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _block(block: Json, path: str) -> Iterator[Cause]:
    whole = block.get("cidr", "")
    if not whole:
        yield required(f"{path}.cidr")
        return
    wrong = list(network(whole, f"{path}.cidr"))
    yield from wrong
    for index, given in enumerate(block.get("except") or []):
        where = f"{path}.except[{index}]"
        bad = list(network(given, where))
        yield from bad
        if wrong or bad:
            continue
        outer, inner = (ipaddress.ip_network(each, strict=False) for each in (whole, given))
        inside = outer.version == inner.version and inner.network_address in outer
        if not inside or outer.prefixlen >= inner.prefixlen:
            yield invalid(where, show(given), "must be a strict subset of `cidr`")


def network(given: str, path: str) -> Iterator[Cause]:
    """An address range in CIDR notation."""
    try:
        ipaddress.ip_network(given, strict=False)
        good = "/" in given
    except ValueError:
        good = False
    if not good:
        why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        yield invalid(path, show(given), why)


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
    yield from special_address(address, path)


def special_address(address: str, path: str) -> Iterator[Cause]:
    """What an address may not be, that traffic is to go to."""
    parsed = ipaddress.ip_address(address)
    if parsed.is_unspecified:
        yield invalid(path, show(address), f"may not be unspecified ({address})")
    if parsed.is_loopback:
        why = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        yield invalid(path, show(address), why)
    if parsed.is_link_local:
        why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        yield invalid(path, show(address), why)
    if any(parsed.version == each.version and parsed in each for each in LOCAL_MULTICAST):
        why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        yield invalid(path, show(address), why)
