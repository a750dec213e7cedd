"""What narrows the hosts of a route: the listeners of its Gateway, or the Hosts of Emissary."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from noxgate.blue_green.edge_kinds.kinds import ANY, EdgeKind, values
from noxgate.systems.kubernetes.workload import name

Json = Mapping[str, Any]
Listed = Callable[[str, str, str], list[Json]]  # kind, group, plural
_GATEWAY, _ISTIO, _EMISSARY = "gateway.networking.k8s.io", "networking.istio.io", "getambassador.io"
_INTERNAL = re.compile(r"internal-.*\.elb\.([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")


def narrowed(
    kind: EdgeKind, route: Json, hosts: tuple[str, ...], listed: Listed, whole: Listed, ingress: Json | None
) -> tuple[str, ...]:
    """Those of a route's hosts by which users come to it; none if they are inside and the Ingress is not.

    Where a door is not seen, all of them. A door that the route names is looked up in `listed`, what can be
    seen; those that may be anywhere in `whole`, which is empty unless all can be seen.
    """
    match kind.group:
        case "gateway.networking.k8s.io":
            doors = _of_gateways(route, listed, ingress)
        case "networking.istio.io":
            doors = _of_istio(route, listed)
        case "getambassador.io" if kind.kind == "Mapping":
            found = whole("Host", _EMISSARY, "hosts")
            doors = [str(each["spec"].get("hostname") or ANY) for each in found] or [ANY]
        case _:
            return hosts
    return tuple(dict.fromkeys(both for ours in hosts for its in doors if (both := _both(ours, its.lower()))))


def _both(one: str, other: str) -> str | None:
    """The narrower of two hosts that meet."""
    if not meet(one, other):
        return None
    return other if fnmatchcase(other, one) else one


def meet(one: str, other: str) -> bool:
    """Whether a host may be meant by both; *.nox.example means those below it."""
    return fnmatchcase(one, other) or fnmatchcase(other, one)


def _of_gateways(route: Json, listed: Listed, ingress: Json | None) -> list[str]:
    gateways = {_place(each): each for each in listed("Gateway", _GATEWAY, "gateways")}
    found: list[str] = []
    for parent in route["spec"].get("parentRefs") or []:
        if parent.get("kind", "Gateway") == "Service" or _is_refused(route, parent):
            continue
        gateway = gateways.get((parent.get("namespace", route["metadata"].get("namespace")), parent["name"]))
        if parent.get("kind", "Gateway") != "Gateway" or gateway is None:
            return [ANY]
        if not _is_inside(gateway, ingress):
            found += [
                str(listener.get("hostname") or ANY)
                for listener in gateway["spec"].get("listeners") or []
                if parent.get("sectionName", listener["name"]) == listener["name"]
                and parent.get("port", listener.get("port")) == listener.get("port")
            ]
    return found


def _is_refused(route: Json, parent: Json) -> bool:
    """Whether each controller that answers for this parent says that it does not take the route."""
    told = [
        str(condition.get("status"))
        for each in (route.get("status") or {}).get("parents") or []
        if _parent(each.get("parentRef") or {}, route) == _parent(parent, route)
        for condition in each.get("conditions") or []
        if condition.get("type") == "Accepted"
    ]
    return told != [] and set(told) == {"False"}


def _parent(reference: Json, route: Json) -> tuple[object, ...]:
    inside = reference.get("namespace", route["metadata"].get("namespace"))
    return inside, *(reference.get(key) for key in ("name", "sectionName", "port"))


def _of_istio(route: Json, listed: Listed) -> list[str]:
    gateways = {_place(each): each for each in listed("Gateway", _ISTIO, "gateways")}
    found: list[str] = []
    for said in route["spec"].get("gateways") or []:
        if said == "mesh":
            continue
        namespace, _, named = said.rpartition("/")
        gateway = gateways.get((namespace or route["metadata"].get("namespace"), named))
        if gateway is None:
            return [ANY]
        found += [str(host).rpartition("/")[2] for host in values(gateway["spec"], "servers.hosts")]
    return found


def _place(thing: Json) -> tuple[str | None, str]:
    return thing["metadata"].get("namespace"), name(thing)


def _is_inside(gateway: Json, ingress: Json | None) -> bool:
    """Whether a Gateway has addresses of a private network alone, and the Ingress one of the Internet."""
    its = [str(each) for each in values(gateway.get("status"), "addresses.value")]
    status = (ingress or {}).get("status")
    ours = [
        str(each) for field in ("ip", "hostname") for each in values(status, f"loadBalancer.ingress.{field}")
    ]
    return its != [] and all(map(_is_private, its)) and any(not _is_private(each) for each in ours)


def _is_private(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return _INTERNAL.fullmatch(address) is not None
