"""Each kind: where its spec says hosts, what holds more of its routes, and what narrows its hosts."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.systems.kubernetes.workload import controller

Json = Mapping[str, Any]
Part = str | frozenset[tuple[str, str]]  # its name, or labels that it has
ANY = "*"
_TRAEFIKS = re.compile(r"(!?)\bHost(?:SNI)?\(([^)]*)\)")
_QUOTED = re.compile("[`\"']([^`\"']+)[`\"']")


@dataclass(frozen=True)
class EdgeKind:
    """A kind by its API group and plural; the fields of its spec are paths, through lists as through maps.

    `each` are lists of entries with hosts and Services of their own; `parts` names objects of the kind `part`
    that hold more of its routes, or has the labels that they are chosen by. `inner` is where the spec of an
    Ingress stands in this one.
    """

    kind: str
    group: str
    plural: str
    hosts: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    part: str = ""
    inner: str = ""

    def hosts_of(self, spec: Json) -> tuple[str, ...]:
        """The hosts that its spec says itself; ANY if it leaves them open, or has a pattern of them."""
        if self.kind.startswith("IngressRoute"):
            found = [host for rule in values(spec, "routes.match") for host in _of_rule(str(rule))]
        elif self.kind in {"Mapping", "TCPMapping"} and spec.get("host_regex"):
            found = []
        else:
            found = [str(each) for path in self.hosts for each in values(spec, path) if each]
        return tuple(host.lower() for host in found) or (ANY,)

    def entries_of(self, thing: Json) -> Iterator[Json]:
        """The object once for each of its entries, as if it had that one alone; else the object."""
        if self.inner:
            spec = next(values(thing["spec"], self.inner), None) or {}
            default = [{"backend": spec["backend"]}] if spec.get("backend") else []
            thing = {**thing, "spec": {"rules": [*(spec.get("rules") or []), *default]}}
        if not self.each:
            yield thing
        for field in self.each:
            for entry in thing["spec"].get(field) or []:
                yield {**thing, "spec": {**thing["spec"], **dict.fromkeys(self.each), field: [entry]}}

    def parts_of(self, thing: Json) -> set[Part]:
        found = [each for path in self.parts for each in values(thing.get("spec"), path)]
        return {_items(each) if isinstance(each, Mapping) else str(each) for each in found}


def is_part(thing: Json, wanted: Collection[Part]) -> bool:
    """Whether it is one of those that are wanted: by its name, or by its labels."""
    its = _items(thing["metadata"].get("labels") or {})
    return thing["metadata"]["name"] in wanted or any(
        each <= its for each in wanted if isinstance(each, frozenset)
    )


def _items(labels: Json) -> frozenset[tuple[str, str]]:
    return frozenset((str(key), str(value)) for key, value in labels.items())


_GATEWAY = "gateway.networking.k8s.io"
_TRAEFIK = [
    EdgeKind(kind, group, plural, (), ("routes",), ("routes.services.name",), "TraefikService")
    for group in ("traefik.io", "traefik.containo.us")  # the second is of Traefik 2
    for kind, plural in (("IngressRoute", "ingressroutes"), ("IngressRouteTCP", "ingressroutetcps"))
]
_ISTIO = ("VirtualService", "networking.istio.io", "virtualservices")
_CONTOUR = ("HTTPProxy", "projectcontour.io", "httpproxies")
_NGINX, _F5 = "k8s.nginx.org", "cis.f5.com"
_GLOO, _GOOGLE = "gateway.solo.io", "networking.gke.io"
_OF_GLOO = (  # what each of its routes may name
    *("delegateAction.name", "delegateAction.ref.name", "delegateAction.selector.labels"),
    *("routeAction.single.upstream.name", "routeAction.multi.destinations.destination.upstream.name"),
    "routeAction.upstreamGroup.name",
)
KINDS = (
    EdgeKind("HTTPRoute", _GATEWAY, "httproutes", ("hostnames",)),
    EdgeKind("TLSRoute", _GATEWAY, "tlsroutes", ("hostnames",)),
    EdgeKind("TCPRoute", _GATEWAY, "tcproutes"),
    EdgeKind(*_ISTIO, ("hosts",), (), ("http.delegate.name",), "VirtualService"),
    *_TRAEFIK,
    EdgeKind(*_CONTOUR, ("virtualhost.fqdn",), (), ("includes.name", "tcpproxy.include.name"), "HTTPProxy"),
    EdgeKind("Route", "route.openshift.io", "routes", ("host",)),
    EdgeKind("Mapping", "getambassador.io", "mappings", ("hostname", "host")),
    EdgeKind("TCPMapping", "getambassador.io", "tcpmappings", ("host",)),
    EdgeKind("TCPIngress", "configuration.konghq.com", "tcpingresses", ("rules.host",), ("rules",)),
    EdgeKind("VirtualServer", _NGINX, "virtualservers", ("host",)),
    EdgeKind("VirtualServerRoute", _NGINX, "virtualserverroutes", ("host",)),
    EdgeKind("TransportServer", _NGINX, "transportservers", ("host",)),
    EdgeKind("VirtualServer", _F5, "virtualservers", ("host", "hostAliases")),
    EdgeKind("TransportServer", _F5, "transportservers", ("host",)),
    EdgeKind(
        "ApisixRoute",
        "apisix.apache.org",
        "apisixroutes",
        ("http.match.hosts", "stream.match.host"),
        ("http", "stream"),
    ),
    EdgeKind("RouteGroup", "zalando.org", "routegroups", ("hosts",)),
    EdgeKind("TargetGroupBinding", "elbv2.k8s.aws", "targetgroupbindings"),
    EdgeKind(
        *("VirtualService", _GLOO, "virtualservices", ("virtualHost.domains",)),
        parts=tuple(f"virtualHost.routes.{each}" for each in _OF_GLOO),
        part="RouteTable",
    ),
    EdgeKind(
        *("MultiClusterIngress", _GOOGLE, "multiclusteringresses", ("rules.host",), ("rules",)),
        inner="template.spec",
    ),
)
# What only stands between one of them and Services; without a group, in that of what names it.
BETWEEN = {
    "TraefikService": (
        EdgeKind(
            "TraefikService",
            "",
            "traefikservices",
            parts=("weighted.services.name", "mirroring.name", "mirroring.mirrors.name"),
        ),
    ),
    "RouteTable": (
        EdgeKind("RouteTable", _GLOO, "routetables", parts=tuple(f"routes.{each}" for each in _OF_GLOO)),
        EdgeKind("Upstream", "gloo.solo.io", "upstreams"),
        EdgeKind(
            "UpstreamGroup",
            "gloo.solo.io",
            "upstreamgroups",
            parts=("destinations.destination.upstream.name",),
        ),
    ),
}
# Google's Services of several clusters: in each it makes one of another name, with this selector.
SEVERAL = EdgeKind("MultiClusterService", _GOOGLE, "multiclusterservices", inner="template.spec")


def is_for_users(kind: EdgeKind, thing: Json) -> bool:
    """Whether it is of an edge, and not of the mesh inside; nor what a controller made of an Ingress.

    Not what its controller says that it refuses, either.
    """
    if (controller(thing) or ("",))[0] == "Ingress" or _is_refused(kind, thing):
        return False
    spec = thing["spec"]
    match kind.kind:
        case "HTTPRoute" | "TLSRoute" | "TCPRoute":
            parents = spec.get("parentRefs") or []
            return any(each.get("kind", "Gateway") != "Service" for each in parents)
        case "VirtualService" if kind.group == _ISTIO[1]:
            return set(spec.get("gateways") or ["mesh"]) != {"mesh"}
        case "HTTPProxy":  # without a host it is a part of another one
            return bool(spec.get("virtualhost"))
        case "TargetGroupBinding":  # of an Ingress, a Service or a Gateway its controller makes one
            labels = thing["metadata"].get("labels") or {}
            return not any(".k8s.aws" in label and "/" in label for label in labels)
    return True


def _is_refused(kind: EdgeKind, thing: Json) -> bool:
    """Whether its controller says that it does not serve it; routes of a Gateway say so for each parent."""
    status = thing.get("status") or {}
    if kind.kind == "HTTPProxy":
        return status.get("currentStatus") in {"invalid", "orphaned"}
    if kind.kind == "Route":
        said = [each for each in values(status, "ingress.conditions") if each.get("type") == "Admitted"]
        return said != [] and all(str(each.get("status")) == "False" for each in said)
    return False


def values(spec: Any, path: str) -> Iterator[Any]:
    """What stands at a path of keys, of each item where there is a list."""
    if isinstance(spec, list):
        for each in spec:
            yield from values(each, path)
    elif not path:
        if spec is not None:
            yield spec
    elif isinstance(spec, Mapping):
        key, _, rest = path.partition(".")
        yield from values(spec.get(key), rest)


def _of_rule(rule: str) -> Iterator[str]:
    """The hosts of a rule of Traefik; ANY for each alternative that lacks a host, or excludes some."""
    for alternative in _alternatives(rule):
        found = _TRAEFIKS.findall(alternative)
        if not found or any(no for no, _ in found) or "HostRegexp" in alternative:
            yield ANY
        for _, said in found:
            yield from _QUOTED.findall(said)


def _alternatives(rule: str) -> Iterator[str]:
    """What stands between bars that no bracket encloses."""
    depth, start = 0, 0
    for at, sign in enumerate(rule):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and rule[at : at + 2] == "||":
            yield rule[start:at]
            start = at + 2
    yield rule[start:]
