"""What stands between an edge and the Services: parts of routes, other names, names of DNS."""

from typing import Any

import httpx
import pytest
from tests_self.building.edges import (
    CONTOUR,
    HOST,
    edge,
    ingress,
    istio,
    post,
    route,
)
from tests_self.building.edges import (
    namespace as new_namespace,
)
from tests_self.service import BLUE, GREEN, SERVICE

from noxgate.blue_green.edges import the_ingress
from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.kube import Kube

Json = dict[str, Any]


ROOT_PROXY = {"virtualhost": {"fqdn": HOST}, "includes": [{"name": "api", "namespace": "nox"}]}
ROOT_VIRTUAL = {"hosts": [HOST], "gateways": ["public"], "http": [{"delegate": {"name": "api"}}]}
WEIGHTED = {"weighted": {"services": [{"name": "api", "kind": "TraefikService"}]}}
SHARED = {
    "routes": [{"match": f"Host(`{HOST}`)", "services": [{"name": "shared", "kind": "TraefikService"}]}]
}


@pytest.mark.parametrize(
    ("kind", "root", "between", "last"),
    [
        ("HTTPProxy", ROOT_PROXY, [], ("HTTPProxy", {"routes": CONTOUR["routes"]})),
        ("VirtualService", ROOT_VIRTUAL, [], ("VirtualService", {"http": istio(BLUE, [])["http"]})),
        (
            "IngressRoute",
            SHARED,
            [("shared", "TraefikService", WEIGHTED)],
            ("TraefikService", {"weighted": {"services": [{"name": GREEN, "port": 80}]}}),
        ),
    ],
)
def test_routes_that_another_object_holds(
    admin: httpx.Client,
    kube: Kube,
    kind: str,
    root: Json,
    between: list[tuple[str, str, Json]],
    last: tuple[str, Json],
) -> None:
    """The object with the host names a second one, and that the Services."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    edge(admin, namespace, kind, root)
    for name, each, spec in between:
        edge(admin, namespace, each, spec, name=name)

    the_ingress(kube, SERVICE, namespace, [])
    edge(admin, namespace, last[0], last[1], name="api")
    with pytest.raises(UnreachableError, match=f"^{kind} edge leads users of {HOST}"):
        the_ingress(kube, SERVICE, namespace, [])


def test_routes_that_hold_each_other(admin: httpx.Client, kube: Kube) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    edge(admin, namespace, "HTTPProxy", ROOT_PROXY | {"includes": [{"name": "api"}, {"name": "edge"}]})
    edge(admin, namespace, "HTTPProxy", {"includes": [{"name": "edge"}]}, name="api")

    assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress


@pytest.mark.parametrize(
    ("spec", "takes"),
    [
        ({"type": "ExternalName", "externalName": f"{BLUE}.nox-blue.svc.cluster.local"}, True),
        ({"selector": {"app": "nox-api"}}, True),
        ({"selector": {"app": "nox-docs"}}, False),
        ({"type": "ExternalName", "externalName": "docs.example.com"}, False),
    ],
)
def test_a_service_of_another_name(admin: httpx.Client, kube: Kube, spec: Json, *, takes: bool) -> None:
    """The same pods behind it are the same users' way."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    ports = {"ports": [{"port": 80}]}
    colour = {"selector": {"app": "nox-api", "colour": "blue"}} | ports
    services = f"/api/v1/namespaces/{namespace}/services"
    post(admin, services, {"metadata": {"name": BLUE}, "spec": colour})
    post(admin, services, {"metadata": {"name": "another"}, "spec": spec | ports})
    edge(admin, namespace, "HTTPRoute", route("another", [HOST]))

    if takes:
        with pytest.raises(UnreachableError, match=f"HTTPRoute edge leads users of {HOST}"):
            the_ingress(kube, SERVICE, namespace, [])
    else:
        the_ingress(kube, SERVICE, namespace, [])


@pytest.mark.parametrize(
    ("type_", "names", "takes"),
    [
        ("LoadBalancer", f"www.nox.example, {HOST}.", True),
        ("LoadBalancer", "blue.nox.example", False),
        ("ClusterIP", HOST, False),  # external-dns gives it none
        ("LoadBalancer", "", False),
    ],
)
def test_a_service_with_a_name_of_dns(
    admin: httpx.Client, kube: Kube, type_: str, names: str, *, takes: bool
) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    noted = {"external-dns.alpha.kubernetes.io/hostname": names} if names else {}
    spec = {"type": type_, "selector": {"app": "nox-api"}, "ports": [{"port": 80}]}
    body = {"metadata": {"name": GREEN, "annotations": noted}, "spec": spec}
    post(admin, f"/api/v1/namespaces/{namespace}/services", body)

    if takes:
        with pytest.raises(UnreachableError, match=f"Service {GREEN} leads users of .*{HOST}"):
            the_ingress(kube, SERVICE, namespace, [])
    else:
        the_ingress(kube, SERVICE, namespace, [])


@pytest.mark.parametrize("label", ["ingress.k8s.aws/stack", "service.k8s.aws/stack-name", ""])
def test_what_the_load_balancers_controller_made(admin: httpx.Client, kube: Kube, label: str) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    spec = {"serviceRef": {"name": BLUE, "port": 80}}
    edge(admin, namespace, "TargetGroupBinding", spec, labels={label: "nox"} if label else {})

    if label:
        the_ingress(kube, SERVICE, namespace, [])
    else:
        with pytest.raises(UnreachableError, match="TargetGroupBinding edge"):
            the_ingress(kube, SERVICE, namespace, [])
