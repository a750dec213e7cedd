"""Users who come by something else than the Ingress: neither GO for it, nor a fault of the release."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests_self.building.edges import (
    CONTOUR,
    HOST,
    OPENSHIFT,
    edge,
    ingress,
    istio,
    post,
    route,
    traefik,
)
from tests_self.building.edges import (
    namespace as new_namespace,
)
from tests_self.building.kube_clients import of
from tests_self.kubernetes.servers import Server
from tests_self.service import BLUE, GREEN, SERVICE

from noxgate.blue_green.edges import the_ingress
from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

Json = dict[str, Any]

TAKES = [
    ("HTTPRoute", route(hosts=[HOST])),
    ("HTTPRoute", route(GREEN, ["www.nox.example", "*.nox.example"])),
    ("HTTPRoute", route()),  # of every host of its Gateway
    ("VirtualService", istio(BLUE, [HOST], "istio-system/public", "mesh")),
    ("VirtualService", istio(f"{GREEN}.nox.svc.cluster.local", ["*"], "public")),
    ("IngressRoute", traefik(f"Host(`{HOST}`) && PathPrefix(`/api`)")),
    ("IngressRoute", traefik("HostRegexp(`.+`)")),
    ("IngressRoute", traefik(f"Host(`{HOST}`) || PathPrefix(`/api`)")),
    ("IngressRoute", traefik("!Host(`preview.nox.example`)")),
    ("IngressRouteTCP", traefik(f"HostSNI(`www.nox.example`, `{HOST}`)")),
    ("HTTPProxy", CONTOUR),
    ("Route", OPENSHIFT),
    ("TLSRoute", route(hosts=[HOST])),
    ("TCPRoute", route()),
    ("Mapping", {"hostname": HOST, "prefix": "/", "service": f"https://{GREEN}:443"}),
    ("Mapping", {"host": r".*\.nox\.example", "host_regex": True, "prefix": "/", "service": BLUE}),
    ("Mapping", {"hostname": "api.*", "prefix": "/", "service": BLUE}),
    ("TCPMapping", {"port": 443, "host": HOST, "service": f"{GREEN}:80"}),
    ("TCPIngress", {"rules": [{"host": HOST, "port": 443, "backend": {"serviceName": BLUE}}]}),
    ("VirtualServer", {"host": HOST, "upstreams": [{"name": "api", "service": GREEN, "port": 80}]}),
    ("VirtualServerRoute", {"host": HOST, "upstreams": [{"name": "api", "service": GREEN, "port": 80}]}),
    ("TransportServer", {"host": HOST, "upstreams": [{"name": "api", "service": BLUE, "port": 80}]}),
    ("ApisixRoute", {"http": [{"match": {"hosts": [HOST]}, "backends": [{"serviceName": BLUE}]}]}),
    ("RouteGroup", {"hosts": [HOST], "backends": [{"name": "api", "serviceName": GREEN}]}),
    ("TargetGroupBinding", {"serviceRef": {"name": BLUE, "port": 80}, "targetGroupARN": "arn"}),
]
LEAVES = [
    ("HTTPRoute", route(hosts=["preview.nox.example"])),  # for testers, before the switch
    ("HTTPRoute", route(parent="Service")),  # of the mesh inside
    ("HTTPRoute", route("nox-docs")),
    ("HTTPRoute", {"parentRefs": [{"name": "edge"}], "rules": [{"filters": [{"type": "RequestRedirect"}]}]}),
    ("VirtualService", istio(BLUE, [HOST])),
    ("VirtualService", istio(BLUE, [HOST], "mesh")),
    ("IngressRoute", traefik("Host(`preview.nox.example`)")),
    ("IngressRoute", traefik("Host(`preview.nox.example`) && (Path(`/a`) || Path(`/b`))")),
    ("IngressRouteTCP", traefik("HostSNI(`preview.nox.example`)")),
    (
        "IngressRoute",
        {"routes": [*traefik("Host(`preview.nox.example`)")["routes"], {"match": f"Host(`{HOST}`)"}]},
    ),
    ("HTTPProxy", {"virtualhost": {"fqdn": HOST}, "includes": [{"name": "docs"}]}),
    ("HTTPProxy", {"routes": CONTOUR["routes"]}),  # which nothing includes
    ("Mapping", {"hostname": "preview.nox.example", "prefix": "/", "service": GREEN}),
    ("Mapping", {"hostname": HOST, "prefix": "/docs", "service": "nox-docs.docs:80"}),
    ("TCPIngress", {"rules": [{"port": 5432, "backend": {"serviceName": "nox-postgres"}}]}),
    ("VirtualServer", {"host": "preview.nox.example", "upstreams": [{"service": GREEN, "port": 80}]}),
    (
        "ApisixRoute",
        {
            "http": [
                {"match": {"hosts": ["preview.nox.example"]}, "backends": [{"serviceName": GREEN}]},
                {"match": {"hosts": [HOST]}, "backends": [{"serviceName": "nox-docs"}]},
            ]
        },
    ),
    ("Route", {**OPENSHIFT, "host": "preview.nox.example"}),
]


@pytest.mark.parametrize(("kind", "spec"), TAKES)
@pytest.mark.parametrize("beside", [True, False])
def test_users_may_come_by_another_way(
    admin: httpx.Client, kube: Kube, kind: str, spec: Json, *, beside: bool
) -> None:
    """A switch of the Ingress would be accepted, and move no user: that cannot be told from here."""
    namespace = new_namespace(admin)
    if beside:
        ingress(admin, namespace)
    edge(admin, namespace, kind, spec)

    said = (
        f"^{kind} edge leads users of " if beside else f"^Ingress .* is not there .*, and {kind} edge leads"
    )
    with pytest.raises(UnreachableError, match=said):
        the_ingress(kube, SERVICE, namespace, [])


@pytest.mark.parametrize(
    ("kind", "spec", "takes"),
    [
        (
            "VirtualServer",
            {"host": HOST, "pools": [{"path": "/", "service": GREEN, "servicePort": 80}]},
            True,
        ),
        (
            "VirtualServer",
            {"host": "www.nox.example", "hostAliases": [HOST], "pools": [{"service": BLUE}]},
            True,
        ),
        (
            "VirtualServer",
            {"host": HOST, "pools": [{"service": "docs", "alternateBackends": [{"service": BLUE}]}]},
            True,
        ),
        ("VirtualServer", {"host": "preview.nox.example", "pools": [{"service": GREEN}]}, False),
        ("TransportServer", {"virtualServerPort": 443, "pool": {"service": GREEN, "servicePort": 80}}, True),
        ("TransportServer", {"virtualServerPort": 5432, "pool": {"service": "nox-postgres"}}, False),
    ],
)
def test_users_who_come_by_an_appliance(
    admin: httpx.Client, kube: Kube, kind: str, spec: Json, *, takes: bool
) -> None:
    """F5's kinds have the names of NGINX's."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    edge(admin, namespace, kind, spec, group="cis.f5.com")

    if takes:
        with pytest.raises(UnreachableError, match=f"^{kind} edge leads users of "):
            the_ingress(kube, SERVICE, namespace, [])
    else:
        assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress


@pytest.mark.parametrize(("port", "is_action"), [("use-annotation", True), ("http", False)])
def test_an_action_of_a_load_balancer(admin: httpx.Client, kube: Kube, port: str, *, is_action: bool) -> None:
    """The backend has the name of a Service, and an annotation says what it is."""
    namespace = new_namespace(admin)
    ingress(admin, namespace, port=port)

    if is_action:
        with pytest.raises(UnreachableError, match=f"^{BLUE} in Ingress .* is an action of the AWS load"):
            the_ingress(kube, SERVICE, namespace, [])
    else:
        the_ingress(kube, SERVICE, namespace, [])


@pytest.mark.parametrize(("kind", "spec"), LEAVES)
def test_the_ingress_is_the_only_way(admin: httpx.Client, kube: Kube, kind: str, spec: Json) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    edge(admin, namespace, kind, spec)

    assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress


def test_a_route_that_was_made_of_the_ingress(admin: httpx.Client, kube: Kube) -> None:
    """OpenShift makes one of each path."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    owner = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "i", "controller": True}
    uid = "00000000-0000-4000-8000-000000000000"
    edge(admin, namespace, "Route", OPENSHIFT, ownerReferences=[{**owner, "uid": uid}])

    assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress


def test_no_way_at_all(admin: httpx.Client, kube: Kube) -> None:
    """Then the Ingress is missing, and that is the release's."""
    namespace = new_namespace(admin)
    edge(admin, namespace, "HTTPRoute", route("nox-docs"))

    with pytest.raises(AssertionError, match=f"Ingress {SERVICE.ingress} is not there in {namespace}"):
        the_ingress(kube, SERVICE, namespace, [])


def test_an_ingress_of_every_host(admin: httpx.Client, kube: Kube) -> None:
    namespace, another = new_namespace(admin), new_namespace(admin)
    ingress(admin, namespace, None)
    edge(admin, another, "HTTPRoute", route(hosts=["preview.nox.example"]))

    with pytest.raises(UnreachableError, match=r"leads users of preview\.nox\.example"):
        the_ingress(kube, SERVICE, namespace, [namespace, another])


@pytest.mark.parametrize("says", ["namespace", "host", ""])
def test_an_edge_of_another_namespace(admin: httpx.Client, kube: Kube, says: str) -> None:
    """It leads to ours by its name, as a gateway's does; staging has Services of the same names."""
    namespace, another = new_namespace(admin), new_namespace(admin)
    ingress(admin, namespace)
    if says == "host":
        edge(
            admin, another, "VirtualService", istio(f"{BLUE}.{namespace}.svc.cluster.local", [HOST], "public")
        )
    else:
        spec = route(hosts=[HOST])
        spec["rules"][0]["backendRefs"][0] |= {"namespace": namespace} if says else {}
        edge(admin, another, "HTTPRoute", spec)

    if says:
        with pytest.raises(UnreachableError, match=rf"edge leads users of {HOST}"):
            the_ingress(kube, SERVICE, namespace, [])
    else:
        assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress


@contextmanager
def seeing(admin: httpx.Client, server: Server, namespace: str, *rules: Json) -> Iterator[Kube]:
    """By an account that has these rights in this namespace alone."""
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    group = "rbac.authorization.k8s.io"
    post(admin, f"{rbac}/roles", {"metadata": {"name": "r"}, "rules": list(rules)})
    subject = {"kind": "User", "name": "release-gate", "apiGroup": group}
    reference = {"kind": "Role", "name": "r", "apiGroup": group}
    bound = {"metadata": {"name": "b"}, "subjects": [subject], "roleRef": reference}
    post(admin, f"{rbac}/rolebindings", bound)
    session = KubeSession(settings.cluster(of(server.kubeconfig("reader"))))
    yield Kube(session, session, lambda _: None)
    session.close()


def test_who_may_not_look_does_not_know(admin: httpx.Client, edge_server: Server) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    ingresses = {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["get"]}
    services = {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}

    with (
        seeing(admin, edge_server, namespace, ingresses, services) as narrow,
        pytest.raises(UnreachableError, match=r"bind the role of docs/roles/look\.yaml in .*httproutes"),
    ):
        the_ingress(narrow, SERVICE, namespace, [])


def test_a_host_that_may_be_in_another_namespace(
    admin: httpx.Client, kube: Kube, edge_server: Server
) -> None:
    """What is seen of Emissary's Hosts narrows a Mapping for those who see all of them."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    edge(admin, namespace, "Mapping", {"prefix": "/", "service": BLUE})
    edge(admin, namespace, "Host", {"hostname": "preview.nox.example"})
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}

    try:
        assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress
        with (
            seeing(admin, edge_server, namespace, everything) as narrow,
            pytest.raises(UnreachableError, match=r"^Mapping edge leads users of every host"),
        ):
            the_ingress(narrow, SERVICE, namespace, [])
    finally:  # it narrows the Mappings of every namespace
        admin.delete(f"/apis/getambassador.io/v1/namespaces/{namespace}/hosts/edge").raise_for_status()
