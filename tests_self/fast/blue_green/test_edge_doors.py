"""Which hosts a route is really for: those of its Gateway's listeners, or of Emissary's Hosts."""

from typing import Any

import pytest

from noxgate.blue_green.edge_kinds.doors import narrowed
from noxgate.blue_green.edge_kinds.kinds import KINDS, is_for_users

Json = dict[str, Any]
HOST = "api.nox.example"
BY_KIND = {each.kind: each for each in reversed(KINDS)}


def named(name: str, spec: Json, namespace: str = "nox", **more: Any) -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec, **more}


def gateway(*hosts: str | None, addresses: tuple[str, ...] = (), namespace: str = "nox") -> Json:
    """A Gateway with a listener for each host, called l0, l1 and so on, at the ports 443, 444 and so on."""
    listeners = [
        {"name": f"l{number}", "port": 443 + number} | ({"hostname": host} if host else {})
        for number, host in enumerate(hosts)
    ]
    status = {"addresses": [{"type": "IPAddress", "value": each} for each in addresses]}
    return named("public", {"listeners": listeners}, namespace, status=status)


def hosts(kind: str, route: Json, *doors: Json, ingress: Json | None = None) -> set[str]:
    own = BY_KIND[kind].hosts_of(route["spec"])
    return set(narrowed(BY_KIND[kind], route, own, lambda *_: list(doors), lambda *_: list(doors), ingress))


def of_gateway(*own: str, **parent: Any) -> Json:
    spec = {"parentRefs": [{"name": "public"} | parent]} | ({"hostnames": list(own)} if own else {})
    return named("edge", spec)


def ingress_at(**address: str) -> Json:
    return {"status": {"loadBalancer": {"ingress": [address]}}}


@pytest.mark.parametrize(
    ("route", "listeners", "expected"),
    [
        (of_gateway(), ["preview.nox.example"], {"preview.nox.example"}),
        (of_gateway(), ["preview.nox.example", HOST], {"preview.nox.example", HOST}),
        (of_gateway(), ["preview.nox.example", None], {"preview.nox.example", "*"}),
        (of_gateway(sectionName="l0"), ["preview.nox.example", HOST], {"preview.nox.example"}),
        (of_gateway(port=444), ["preview.nox.example", HOST], {HOST}),
        (of_gateway(HOST), ["*.nox.example"], {HOST}),
        (of_gateway("*.nox.example"), [HOST], {HOST}),
        (of_gateway(HOST), ["preview.nox.example"], set()),  # the Gateway does not take it
        (of_gateway(HOST.upper()), [HOST], {HOST}),
    ],
)
def test_the_listeners_hosts(route: Json, listeners: list[str | None], expected: set[str]) -> None:
    assert hosts("HTTPRoute", route, gateway(*listeners)) == expected


@pytest.mark.parametrize(
    "route", [of_gateway(namespace="another"), of_gateway(kind="XListenerSet"), of_gateway(name="private")]
)
def test_a_door_that_is_not_seen(route: Json) -> None:
    """It may be for every host."""
    assert hosts("HTTPRoute", route, gateway("preview.nox.example")) == {"*"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("public", "True")], {HOST}),
        ([("public", "False")], set()),
        ([("public", "Unknown")], {HOST}),
        ([("another", "False")], {HOST}),
        ([("public", "False"), ("public", "True")], {HOST}),  # of two controllers
        ([], {HOST}),
    ],
)
def test_a_gateway_that_does_not_take_the_route(told: list[tuple[str, str]], expected: set[str]) -> None:
    parents = [
        {"parentRef": {"name": of}, "conditions": [{"type": "Accepted", "status": status}]}
        for of, status in told
    ]
    route = {**of_gateway(), "status": {"parents": parents}}

    assert hosts("HTTPRoute", route, gateway(HOST)) == expected


REFUSED = {"ingress": [{"conditions": [{"type": "Admitted", "status": "False"}]}]}
ADMITTED = {"ingress": [*REFUSED["ingress"], {"conditions": [{"type": "Admitted", "status": "True"}]}]}


@pytest.mark.parametrize(
    ("kind", "status", "counts"),
    [
        ("HTTPProxy", {"currentStatus": "valid"}, True),
        ("HTTPProxy", {"currentStatus": "invalid"}, False),
        ("HTTPProxy", {}, True),
        ("Route", REFUSED, False),
        ("Route", ADMITTED, True),
        ("Route", {}, True),
    ],
)
def test_what_its_controller_refuses(kind: str, status: Json, *, counts: bool) -> None:
    route = named("edge", {"virtualhost": {"fqdn": HOST}, "host": HOST}, status=status)

    assert is_for_users(BY_KIND[kind], route) is counts


def test_one_of_two_doors() -> None:
    """A Service is a door of the mesh inside."""
    route = of_gateway()
    route["spec"]["parentRefs"].append({"kind": "Service", "name": "nox-api-service-blue"})

    assert hosts("HTTPRoute", route, gateway("preview.nox.example")) == {"preview.nox.example"}


@pytest.mark.parametrize(
    ("addresses", "of_ingress", "expected"),
    [
        (["10.0.0.7"], {"ip": "34.1.2.3"}, set()),
        (["fd00::7", "10.0.0.7"], {"hostname": "k8s-nox.elb.eu-west-1.amazonaws.com"}, set()),
        (["internal-nox-1.eu-west-1.elb.amazonaws.com"], {"ip": "34.1.2.3"}, set()),
        (["34.9.9.9"], {"ip": "34.1.2.3"}, {HOST}),
        (["10.0.0.7", "34.9.9.9"], {"ip": "34.1.2.3"}, {HOST}),
        (["10.0.0.7"], {"ip": "10.0.0.8"}, {HOST}),  # both behind one firewall: who knows
        ([], {"ip": "34.1.2.3"}, {HOST}),
    ],
)
def test_a_gateway_inside(addresses: list[str], of_ingress: dict[str, str], expected: set[str]) -> None:
    """Users come from the Internet to the Ingress, and not into the private network."""
    door = gateway(HOST, addresses=tuple(addresses))

    assert hosts("HTTPRoute", of_gateway(), door, ingress=ingress_at(**of_ingress)) == expected


@pytest.mark.parametrize(
    ("gateways", "servers", "expected"),
    [
        (["public"], ["preview.nox.example"], {"preview.nox.example"}),
        (["mesh", "nox/public"], [f"nox/{HOST}", "./www.nox.example"], {HOST, "www.nox.example"}),
        (["public"], ["*"], {"*"}),
        (["istio-system/public"], ["preview.nox.example"], {"*"}),
    ],
)
def test_the_hosts_of_istios_gateway(gateways: list[str], servers: list[str], expected: set[str]) -> None:
    route = named("edge", {"hosts": ["*"], "gateways": gateways})
    door = named("public", {"servers": [{"hosts": [host]} for host in servers]})

    assert hosts("VirtualService", route, door) == expected


@pytest.mark.parametrize(
    ("own", "doors", "expected"),
    [
        ("*", ["preview.nox.example"], {"preview.nox.example"}),
        ("*", [], {"*"}),
        (HOST, ["*.nox.example"], {HOST}),
        ("*", [None], {"*"}),
    ],
)
def test_emissarys_hosts(own: str, doors: list[str | None], expected: set[str]) -> None:
    route = named("edge", {"hostname": own, "prefix": "/", "service": "nox-api-service-blue"})
    found = [named("h", {"hostname": door} if door else {}) for door in doors]

    assert hosts("Mapping", route, *found) == expected
