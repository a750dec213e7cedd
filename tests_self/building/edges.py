"""An Ingress and what may lead users beside it, in a cluster that serves every such kind."""

import itertools
from typing import Any

import httpx
from tests_self.service import BLUE, GREEN, SERVICE

from noxgate.blue_green.edge_kinds.kinds import KINDS

Json = dict[str, Any]
NUMBERS = itertools.count(1)
HOST = "api.nox.example"
# Others of the same group are of v1, which these are not.
VERSIONS = {"IngressRoute": "v1alpha1", "TCPRoute": "v1alpha2", "TCPMapping": "v3alpha1"}
SERVED = {
    ("RouteTable", "gateway.solo.io"): "routetables",
    ("Upstream", "gloo.solo.io"): "upstreams",
    ("UpstreamGroup", "gloo.solo.io"): "upstreamgroups",
    ("MultiClusterService", "networking.gke.io"): "multiclusterservices",
    **{(each.kind, each.group): each.plural for each in reversed(KINDS)},
    ("TraefikService", "traefik.io"): "traefikservices",
    ("Gateway", "gateway.networking.k8s.io"): "gateways",
    ("Gateway", "networking.istio.io"): "gateways",
    ("Host", "getambassador.io"): "hosts",
}


def post(client: httpx.Client, path: str, body: Json) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text


def namespace(client: httpx.Client) -> str:
    name = f"nox-{next(NUMBERS)}"
    post(client, "/api/v1/namespaces", {"metadata": {"name": name}})
    return name


def ingress(client: httpx.Client, namespace: str, host: str | None = HOST, port: int | str = 80) -> None:
    named = "number" if isinstance(port, int) else "name"
    backend = {"service": {"name": BLUE, "port": {named: port}}}
    rule: Json = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    body = {
        "metadata": {"name": SERVICE.ingress},
        "spec": {"rules": [rule | ({"host": host} if host else {})]},
    }
    post(client, f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", body)


def edge(
    client: httpx.Client, namespace: str, kind: str, spec: Json, *, group: str = "", **metadata: Any
) -> None:
    found = {(each, of): plural for (each, of), plural in SERVED.items() if each == kind and group in of}
    group, plural = [(of, plural) for (_, of), plural in found.items()][-1]
    version = f"{group}/{VERSIONS.get(kind, 'v1')}"
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": "edge", **metadata}, "spec": spec}
    post(client, f"/apis/{version}/namespaces/{namespace}/{plural}", body)


def route(service: str = BLUE, hosts: list[str] | None = None, parent: str | None = None) -> Json:
    """An HTTPRoute's spec; `parent` is the kind of what it is attached to, a Gateway by default."""
    reference = {"name": "edge"} | ({"kind": parent} if parent else {})
    rules = [{"backendRefs": [{"name": service, "port": 80}]}]
    return {"parentRefs": [reference], "rules": rules} | ({"hostnames": hosts} if hosts else {})


def istio(service: str, hosts: list[str], *gateways: str) -> Json:
    destination = {"destination": {"host": service}}
    return {"hosts": hosts, "http": [{"route": [destination]}], "gateways": list(gateways)}


def traefik(match: str) -> Json:
    return {"routes": [{"match": match, "services": [{"name": GREEN, "port": 80}]}]}


CONTOUR = {"virtualhost": {"fqdn": HOST}, "routes": [{"services": [{"name": BLUE, "port": 80}]}]}
OPENSHIFT = {"host": HOST, "to": {"kind": "Service", "name": GREEN}}
