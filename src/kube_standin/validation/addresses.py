"""The addresses and ports of services: what is free, what is taken, what is out of range."""

import ipaddress
from collections.abc import Iterator

from kube_standin.cluster import Cluster, built_in
from kube_standin.validation.kinds.services import is_headless
from kube_standin.wire import answers
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, invalid, show

NETWORK = ipaddress.ip_network("10.96.0.0/16")
FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767
EXPOSED = frozenset({"NodePort", "LoadBalancer"})
OF_AN_ADDRESS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def synchronize(spec: Json) -> None:
    """One address and the list of addresses say the same, as the server does before it checks them."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if spec.get("clusterIPs") and not spec.get("clusterIP"):
        spec["clusterIP"] = spec["clusterIPs"][0]


def keep(old: Json, new: Json) -> None:
    """A service that is updated without its addresses keeps them; one that becomes a name loses them."""
    before, spec = old.get("spec") or {}, new.setdefault("spec", {})
    if spec.get("type", "ClusterIP") == "ExternalName":
        _release(before, spec)
        return
    moved = spec.get("clusterIP") and spec["clusterIP"] != before.get("clusterIP")
    if moved and spec.get("clusterIPs") == before.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    spec.update({name: before[name] for name in OF_AN_ADDRESS if name in before and name not in spec})
    _keep_ports(before, spec)


def _keep_ports(before: Json, spec: Json) -> None:
    ports = {(port.get("name"), port.get("port")): port.get("nodePort") for port in before.get("ports") or []}
    if spec.get("type") in EXPOSED:
        for port in spec.get("ports") or []:
            if node_port := ports.get((port.get("name"), port.get("port"))):
                port.setdefault("nodePort", node_port)
    elif before.get("type") in EXPOSED:
        had = set(ports.values())
        for port in spec.get("ports") or []:
            if port.get("nodePort") in had:
                del port["nodePort"]
        if spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
            spec.pop("externalTrafficPolicy", None)
        spec.pop("allocateLoadBalancerNodePorts", None)


def _release(before: Json, spec: Json) -> None:
    for name in (*OF_AN_ADDRESS, "internalTrafficPolicy"):
        if spec.get(name) == before.get(name):
            spec.pop(name, None)


def allocate(cluster: Cluster, service: Json, *, dry_run: bool) -> None:
    """Give a service its addresses, as its type asks. Raises RefusedError if they cannot be had."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return
    services = cluster.store.all(built_in("Service"))
    others = [each for each in services if each["metadata"].get("uid") != service["metadata"].get("uid")]
    if not is_headless(spec):
        causes = list(_address(others, spec, dry_run=dry_run))
        if causes:
            raise answers.invalid("", "Service", service["metadata"]["name"], causes)
    synchronize(spec)
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec["ipFamilies"] != ["IPv4"] or spec["ipFamilyPolicy"] == "RequireDualStack":
        raise answers.unknown_here("services of more than IPv4")
    if spec.get("type") in EXPOSED:
        causes = list(_node_ports(others, spec, dry_run=dry_run))
        if causes:
            raise answers.invalid("", "Service", service["metadata"]["name"], causes)


def _address(others: list[Json], spec: Json, *, dry_run: bool) -> Iterator[Cause]:
    """A dry run looks whether an address is in range, and not whether it is free."""
    taken = {(each.get("spec") or {}).get("clusterIP") for each in others}
    address = spec.get("clusterIP")
    if not address:
        spec["clusterIP"] = next(str(each) for each in NETWORK.hosts() if str(each) not in taken)
        return
    shown, start = show([address]), f"failed to allocate IP {address}:"
    if ipaddress.ip_address(address) not in NETWORK:
        why = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {NETWORK}"
        yield invalid("spec.clusterIPs", shown, f"{start} {why}")
    elif address in taken and not dry_run:
        yield invalid("spec.clusterIPs", shown, f"{start} provided IP is already allocated")


def _node_ports(others: list[Json], spec: Json, *, dry_run: bool) -> Iterator[Cause]:
    taken = {port.get("nodePort") for each in others for port in (each.get("spec") or {}).get("ports") or []}
    free = (port for port in range(FIRST_NODE_PORT, LAST_NODE_PORT + 1) if port not in taken)
    for index, port in enumerate(spec.get("ports") or []):
        number = port.get("nodePort")
        if not number:
            port["nodePort"] = next(free)
            continue
        where = f"spec.ports[{index}].nodePort"
        if number in taken:
            yield invalid(where, str(number), "provided port is already allocated")
        elif dry_run:
            continue  # it looks whether a port is free, and not whether it is in range
        elif not FIRST_NODE_PORT <= number <= LAST_NODE_PORT:
            why = (
                "provided port is not in the valid range. "
                f"The range of valid ports is {FIRST_NODE_PORT}-{LAST_NODE_PORT}"
            )
            yield invalid(where, str(number), why)
