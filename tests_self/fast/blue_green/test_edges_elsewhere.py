"""Ways of users by annotations, by Gloo's tables, and by Services of several clusters."""

import json
from typing import Any

import httpx
import pytest
from tests_self.building.edges import HOST, edge, ingress, post
from tests_self.building.edges import namespace as new_namespace
from tests_self.service import BLUE, GREEN, SERVICE

from noxgate.blue_green.edges import the_ingress
from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.kube import Kube

Json = dict[str, Any]
GLOO = "gateway.solo.io"


def judge(kube: Kube, namespace: str, *, takes: str) -> None:
    """Whether what leads users is seen, by its kind and name; "" if there is the Ingress alone."""
    if takes:
        with pytest.raises(UnreachableError, match=f"^{takes} leads users of "):
            the_ingress(kube, SERVICE, namespace, [])
    else:
        assert the_ingress(kube, SERVICE, namespace, [])["metadata"]["name"] == SERVICE.ingress


def mapping(service: str, host: str, kind: str = "Mapping") -> str:
    return (
        f"---\napiVersion: getambassador.io/v2\nkind: {kind}\nname: users\nhost: {host}\n"
        f"prefix: /\nservice: {service}\n"
    )


@pytest.mark.parametrize(
    ("note", "takes"),
    [
        (mapping(GREEN, HOST), "Mapping users"),
        (mapping("nox-docs", HOST) + mapping(f"{BLUE}:80", HOST), "Mapping users"),
        (mapping(BLUE, HOST, "TCPMapping"), "TCPMapping users"),
        (mapping(GREEN, "preview.nox.example"), ""),
        (mapping("nox-docs", HOST), ""),
        (mapping(GREEN, HOST, "RateLimitService"), ""),
        ("kind: [Mapping", ""),
        ("", ""),
    ],
)
def test_a_mapping_in_an_annotation(admin: httpx.Client, kube: Kube, note: str, takes: str) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    noted = {"annotations": {"getambassador.io/config": note}}
    body = {"metadata": {"name": "any"} | noted, "spec": {"ports": [{"port": 80}]}}
    post(admin, f"/api/v1/namespaces/{namespace}/services", body)

    judge(kube, namespace, takes=takes)


def gloo(action: Json, host: str = HOST) -> Json:
    return {"virtualHost": {"domains": [host], "routes": [{"matchers": [{"prefix": "/"}], **action}]}}


def upstream(name: str) -> Json:
    return {"routeAction": {"single": {"upstream": {"name": name, "namespace": "gloo-system"}}}}


KUBE = {"routeAction": {"single": {"kube": {"ref": {"name": BLUE, "namespace": "nox"}, "port": 80}}}}


@pytest.mark.parametrize(
    ("spec", "takes"),
    [
        (gloo(KUBE), True),
        (gloo(upstream(f"NAMESPACE-{GREEN}-80")), True),
        (gloo(KUBE, "preview.nox.example"), False),
        (gloo(upstream(f"another-{GREEN}-80")), False),  # of another namespace
        (gloo(upstream("NAMESPACE-nox-docs-80")), False),
        (gloo({"redirectAction": {"hostRedirect": "www.nox.example"}}), False),
    ],
)
def test_a_virtual_service_of_gloo(admin: httpx.Client, kube: Kube, spec: Json, *, takes: bool) -> None:
    """What it finds by itself has the namespace, the Service and the port in one name."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    spec = json.loads(json.dumps(spec).replace("NAMESPACE", namespace))
    edge(admin, namespace, "VirtualService", spec, group=GLOO)

    judge(kube, namespace, takes="VirtualService edge" if takes else "")


TABLE = ("RouteTable", {"routes": [KUBE]})


@pytest.mark.parametrize(
    ("action", "between", "takes"),
    [
        ({"delegateAction": {"ref": {"name": "NAMESPACE"}}}, TABLE, True),
        ({"delegateAction": {"selector": {"labels": {"of": "NAMESPACE"}}}}, TABLE, True),
        ({"delegateAction": {"selector": {"labels": {"of": "docs"}}}}, TABLE, False),
        ({"delegateAction": {"ref": {"name": "other"}}}, TABLE, False),
        (upstream("NAMESPACE"), ("Upstream", {"kube": {"serviceName": BLUE}}), True),
        (upstream("NAMESPACE"), ("Upstream", {"static": {"hosts": [{"addr": "docs.example.com"}]}}), False),
    ],
)
def test_parts_of_gloos_routes(
    admin: httpx.Client, kube: Kube, action: Json, between: tuple[str, Json], *, takes: bool
) -> None:
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    spec = json.loads(json.dumps(gloo(action)).replace("NAMESPACE", namespace))
    edge(admin, namespace, "VirtualService", spec, group=GLOO)
    edge(admin, namespace, between[0], between[1], name=namespace, labels={"of": namespace})

    judge(kube, namespace, takes="VirtualService edge" if takes else "")


@pytest.mark.parametrize(
    ("rule", "selector", "takes"),
    [
        ({"rules": [{"host": HOST}]}, {"app": "nox-api"}, True),
        ({}, {"app": "nox-api"}, True),  # by default, of every host
        ({"rules": [{"host": "preview.nox.example"}]}, {"app": "nox-api"}, False),
        ({"rules": [{"host": HOST}]}, {"app": "nox-docs"}, False),
    ],
)
def test_an_ingress_of_several_clusters(
    admin: httpx.Client, kube: Kube, rule: Json, selector: Json, *, takes: bool
) -> None:
    """It names a Service of several clusters, and that the pods."""
    namespace = new_namespace(admin)
    ingress(admin, namespace)
    ports = {"ports": [{"port": 80}]}
    own = {"metadata": {"name": BLUE}, "spec": {"selector": {"app": "nox-api", "colour": "blue"}} | ports}
    post(admin, f"/api/v1/namespaces/{namespace}/services", own)
    several = {"template": {"spec": {"selector": selector} | ports}}
    edge(admin, namespace, "MultiClusterService", several, name="everywhere")
    backend = {"serviceName": "everywhere", "servicePort": 80}
    for each in rule.get("rules", []):
        each["http"] = {"paths": [{"path": "/", "backend": backend}]}
    spec = {"template": {"spec": rule or {"backend": backend}}}
    edge(admin, namespace, "MultiClusterIngress", spec)

    judge(kube, namespace, takes="MultiClusterIngress edge" if takes else "")
