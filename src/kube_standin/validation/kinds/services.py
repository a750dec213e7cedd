"""What the server checks of services, in the order in which it does."""

from collections.abc import Iterator
from typing import Any

from kube_standin.objects import names
from kube_standin.validation.kinds.networks import network, special_address
from kube_standin.validation.pods.specs import address
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import (
    Cause,
    check_port,
    duplicate,
    forbidden,
    invalid,
    required,
    show,
    unsupported,
)

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
POLICIES = ("Cluster", "Local")
PROTOCOLS = ("SCTP", "TCP", "UDP")
LONGEST_AFFINITY = 86400


def service(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    ports, kind = spec.get("ports") or [], spec.get("type", "")
    headless = is_headless(spec)
    if not ports and not headless and kind != "ExternalName":
        yield required(f"{path}.ports")
    if headless and kind in {"LoadBalancer", "NodePort"}:
        why = f"may not be set to 'None' for {kind} services"
        yield invalid(f"{path}.clusterIPs[0]", '"None"', why)
    if kind == "ExternalName":
        yield from _external_name(spec, path)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(port, f"{path}.ports[{index}]", seen, named=len(ports) > 1)
    yield from names.labels(spec.get("selector") or {}, f"{path}.selector")
    yield from _affinity(spec, path)
    if kind != "ExternalName":
        yield from _addresses(spec, path)
    for index, given in enumerate(spec.get("externalIPs") or []):
        wrong = list(address(given, f"{path}.externalIPs[{index}]"))
        yield from wrong or special_address(given, f"{path}.externalIPs[{index}]")
    if kind not in TYPES:
        yield unsupported(f"{path}.type", kind, TYPES)
    yield from _repeated_ports(ports, kind, path)
    yield from _balancer(spec, kind, path)
    yield from _policies(spec, kind, path)


def is_headless(spec: Json) -> bool:
    return bool(spec.get("clusterIPs") == ["None"] or spec.get("clusterIP") == "None")


def _external_name(spec: Json, path: str) -> Iterator[Cause]:
    for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(name):
            yield forbidden(f"{path}.{name}", "may not be set for ExternalName services")
    target = spec.get("externalName", "").removesuffix(".")
    if target:
        yield from names.dns_subdomain(target, f"{path}.externalName")
    else:
        yield required(f"{path}.externalName")


def _port(port: Json, path: str, seen: set[str], *, named: bool) -> Iterator[Cause]:
    name = port.get("name", "")
    if named and not name:
        yield required(f"{path}.name")
    elif name:
        yield from names.dns_label(name, f"{path}.name")
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    yield from check_port(port.get("port") or 0, f"{path}.port", needed=False)
    if port.get("protocol") and port["protocol"] not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", port["protocol"], PROTOCOLS)
    yield from names.port(port.get("targetPort"), f"{path}.targetPort")
    if port.get("appProtocol"):
        yield from names.qualified(port["appProtocol"], f"{path}.appProtocol")


def _affinity(spec: Json, path: str) -> Iterator[Cause]:
    kind, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    where = f"{path}.sessionAffinityConfig"
    if kind not in {"ClientIP", "None"}:
        yield unsupported(f"{path}.sessionAffinity", kind, ("ClientIP", "None"))
    elif kind == "None" and config is not None:
        yield forbidden(where, "must not be set when session affinity is None")
    elif kind == "ClientIP" and config is not None:
        seconds = (config.get("clientIP") or {}).get("timeoutSeconds")
        if seconds is not None and not 0 < seconds <= LONGEST_AFFINITY:
            why = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
            yield invalid(f"{where}.clientIP.timeoutSeconds", str(seconds), why)


def _addresses(spec: Json, path: str) -> Iterator[Cause]:
    first, all_of_them = spec.get("clusterIP", ""), spec.get("clusterIPs") or []
    where = f"{path}.clusterIPs"
    if first and all_of_them and all_of_them[0] != first:
        yield invalid(where, show(all_of_them), "first value must match `clusterIP`")
    if not first and all_of_them:
        yield invalid(where, show(all_of_them), "must be empty when `clusterIP` is not specified")
    for index, family in enumerate(spec.get("ipFamilies") or []):
        if family not in {"IPv4", "IPv6"}:
            yield unsupported(f"{path}.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
        if family in (spec.get("ipFamilies") or [])[:index]:
            yield duplicate(f"{path}.ipFamilies[{index}]", family)
    policy = spec.get("ipFamilyPolicy")
    if policy and policy not in {"SingleStack", "PreferDualStack", "RequireDualStack"}:
        choices = ("PreferDualStack", "RequireDualStack", "SingleStack")
        yield unsupported(f"{path}.ipFamilyPolicy", policy, choices)
    for index, given in enumerate(all_of_them):
        if given == "None" and index == 0:
            if len(all_of_them) > 1:
                yield invalid(where, show(all_of_them), "'None' must be the first and only value")
        else:
            yield from address(given, f"{where}[{index}]")


def _repeated_ports(ports: list[Json], kind: str, path: str) -> Iterator[Cause]:
    for index, port in enumerate(ports):
        if kind == "ClusterIP" and port.get("nodePort"):
            yield forbidden(f"{path}.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    for name in ("nodePort", "port"):
        seen: set[tuple[Any, Any]] = set()
        for index, port in enumerate(ports):
            key = (port.get("protocol", "TCP"), port.get(name))
            if key in seen and port.get(name):
                where = f"{path}.ports[{index}]"
                if name == "nodePort":
                    yield duplicate(f"{where}.nodePort", port[name])
                else:
                    shown = f'{{"Name":"","Protocol":"{key[0]}","AppProtocol":null,"Port":{key[1]},'
                    shown += '"TargetPort":0,"NodePort":0}'  # the internal type, as Go shows it
                    yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", where)
            seen.add(key)


def _balancer(spec: Json, kind: str, path: str) -> Iterator[Cause]:
    why = "may only be used when `type` is 'LoadBalancer'"
    if spec.get("loadBalancerSourceRanges"):
        where = f"{path}.LoadBalancerSourceRanges"
        if kind != "LoadBalancer":
            yield forbidden(where, why)
        for index, given in enumerate(spec["loadBalancerSourceRanges"]):
            yield from network(given.strip(), f"{where}[{index}]")
    for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
        if kind != "LoadBalancer" and spec.get(name) is not None:
            yield forbidden(f"{path}.{name}", why)


def _policies(spec: Json, kind: str, path: str) -> Iterator[Cause]:
    external, where = spec.get("externalTrafficPolicy", ""), f"{path}.externalTrafficPolicy"
    reachable = kind in {"LoadBalancer", "NodePort"} or (kind == "ClusterIP" and spec.get("externalIPs"))
    if external and not reachable:
        yield invalid(where, show(external), "may only be set for externally-accessible services")
    elif external and external not in POLICIES:
        yield unsupported(where, external, POLICIES)
    if spec.get("healthCheckNodePort") and not (kind == "LoadBalancer" and external == "Local"):
        yield invalid(
            f"{path}.healthCheckNodePort",
            str(spec["healthCheckNodePort"]),
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        )
    internal = spec.get("internalTrafficPolicy")
    if internal and internal not in POLICIES:
        yield unsupported(f"{path}.internalTrafficPolicy", internal, POLICIES)
    near = spec.get("trafficDistribution")
    if near and near not in {"PreferClose", "PreferSameNode", "PreferSameZone"}:
        choices = ("PreferClose", "PreferSameNode", "PreferSameZone")
        yield unsupported(f"{path}.trafficDistribution", near, choices)
