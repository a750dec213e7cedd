"""Odd kinds beside the API, among the manifests and the saved objects: they break as the others do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nox_rehearsal.cluster.objects import GREEN, PRODUCTION, STAGING
from nox_rehearsal.sabotages.files import resaved
from nox_rehearsal.sabotages.in_cluster import besides, edited, served, shipped
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.state import World

Json = dict[str, Any]
DRIFT = "staging.manifests-no-drift"
HPA = "nox-api-hpa-green"
DOCS = "nox-docs-ingress"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_SCALES = "    target: {type: Utilization, averageUtilization: 70}\n"
_SECOND_HPA = f"""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {HPA}, namespace: {STAGING}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: nox-api-deployment-green}}
  minReplicas: 3
  maxReplicas: 12
"""


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _twice()
    yield from _drift()
    yield from _pod_security()
    yield from _node_port()
    yield from _saved()
    yield from _gateway()
    yield from _keda()


def _twice() -> Iterator[Sabotage]:
    """The manifests have a Role, too, which cannot be tried: the HPAs alone are red."""
    line = "staging.manifests-unique"
    file = "k8s/staging/autoscaler.yaml"
    scalers = shipped(file, _SCALES, f"{_SCALES}---\n{_SECOND_HPA}", applied=True)
    also = ("staging.hpa-unique",)
    yield Sabotage(line, "autoscalers", "two HPAs of one name", scalers, "autoscaler.yaml document 2", also)


def _drift() -> Iterator[Sabotage]:
    more = {"op": "add", "path": "/rules/0/verbs/-", "value": "delete"}
    yield Sabotage(DRIFT, "role", "a right more", edited("Role", "nox-api-pods", [more]), "rules[0].verbs")
    names = {"spec": {"dnsNames": ["nox.example"]}}
    other = edited("Certificate", "nox-api-internal", names)
    yield Sabotage(DRIFT, "certificate", "a certificate of another name", other, "spec.dnsNames")
    typed = edited("Secret", "nox-api-trust", {"data": {"issuer": "b3RoZXI="}})
    yield Sabotage(DRIFT, "secret", "a Secret's value typed by hand", typed, "data.issuer")
    longer = edited("Job", "nox-api-warm-up", {"spec": {"backoffLimit": 6}})
    yield Sabotage(DRIFT, "job", "a Job that tries again more often", longer, "spec.backoffLimit")


def _pod_security() -> Iterator[Sabotage]:
    """What is warned of in a healthy world is refused where it is enforced."""
    for line, moment in (("preflight.green-manifests", "start"), ("green.manifests-accepted", "green")):
        strict = edited("Namespace", GREEN, {"metadata": {"labels": {_ENFORCE: "restricted"}}}, namespace="")
        why = "no pod of it would start"
        yield Sabotage(
            line, "pod-security", "green's namespace lets no such pod in", strict, why, moment=moment
        )


def _node_port() -> Iterator[Sabotage]:
    """A dry run takes it, and the apply of the day does not."""
    ports = "  ports:\n    - {name: http, port: 80, targetPort: http"
    low = shipped(
        "k8s/production/green/service.yaml", f"{ports}}}", f"  type: NodePort\n{ports}, nodePort: 80}}"
    )
    line, why = "preflight.green-manifests", "nodePort 80 is out of node_ports"
    yield Sabotage(line, "node-port", "a node port that no server gives", low, why)


def _saved() -> Iterator[Sabotage]:
    line = "prep.rollback-manifests-complete"
    for name, kind, what in (
        ("docs", "Ingress", DOCS),
        ("default", "NetworkPolicy", "default"),
    ):
        said = f"the {kind} {what} was not saved"
        yield Sabotage(line, name, said, _without(kind, what), f"{kind} {what}", moment="prep")
    path = "/spec/rules/0/http/paths/0/backend/service/port"
    patch = [{"op": "replace", "path": path, "value": {"number": 81}}]
    moved = edited("Ingress", DOCS, patch, namespace=PRODUCTION)
    yield Sabotage(line, "docs-moved", "the second Ingress leads elsewhere now", moved, DOCS, moment="prep")


def _without(kind: str, name: str) -> Switch:
    def is_other(item: Any) -> bool:
        return (item["kind"], item["metadata"]["name"]) != (kind, name)

    return resaved(lambda items: [each for each in items if is_other(each)])


def _gateway() -> Iterator[Sabotage]:
    """A Gateway leads users to blue, too: the switch of the Ingress is accepted, and may move no user."""
    line, why = "green.switch-dry-run", "HTTPRoute nox-api leads users of every host"
    others = ("green.switch-backends", "green.websocket")
    yield Sabotage(
        line, "gateway", "users may come by a Gateway", _routed, why, others, "unreachable", moment="green"
    )
    said, why = "users may come by a TraefikService", "IngressRoute nox-api leads users of every host"
    yield Sabotage(line, "weighted", said, _weighted, why, others, "unreachable", moment="green")


@contextmanager
def _routed(world: World) -> Iterator[None]:
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "nox-api", "namespace": PRODUCTION},
        "spec": {
            "parentRefs": [{"name": "public"}],
            "rules": [{"backendRefs": [{"name": "nox-api-service-blue", "port": 80}]}],
        },
    }
    with served(world, "gateway.networking.k8s.io", "HTTPRoute", "httproutes"), besides(route)(world):
        yield


@contextmanager
def _weighted(world: World) -> Iterator[None]:
    """The IngressRoute says no name of ours: what it names does."""
    group, version = "traefik.io", "v1alpha1"
    metadata = {"name": "nox-api", "namespace": PRODUCTION}
    between = {"name": "nox-api-shares", "kind": "TraefikService"}
    blue = {"name": "nox-api-service-blue", "port": 80, "weight": 1}
    route = {
        "apiVersion": f"{group}/{version}",
        "kind": "IngressRoute",
        "metadata": metadata,
        "spec": {"routes": [{"kind": "Rule", "match": "PathPrefix(`/`)", "services": [between]}]},
    }
    shares = {
        "apiVersion": f"{group}/{version}",
        "kind": "TraefikService",
        "metadata": {**metadata, "name": between["name"]},
        "spec": {"weighted": {"services": [blue]}},
    }
    with (
        served(world, group, "TraefikService", "traefikservices", version),
        served(world, group, "IngressRoute", "ingressroutes", version),
        besides(shares)(world),
        besides(route)(world),
    ):
        yield


def _keda() -> Iterator[Sabotage]:
    """The HPA is as it was; KEDA gives it a fixed number for a metric, or scales below its minimum."""
    fallback = {"type": "Fallback", "status": "True", "reason": "FallbackExists"}
    said = "KEDA's trigger gives no metric, and a fixed number stands in"
    blind = _scaled(status={"conditions": [fallback]})
    yield Sabotage("staging.hpa-conditions", "fallback", said, blind, "Fallback=True: FallbackExists")
    said, idle = "KEDA goes down to no pod while nobody comes", _scaled(idle=0)
    yield Sabotage("staging.hpa-minimum", "idle", said, idle, "expected >= 3, saw 0")


def _scaled(*, idle: int | None = None, status: Json | None = None) -> Switch:
    thing: Json = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "nox-api", "namespace": STAGING},
        "spec": {"scaleTargetRef": {"name": "nox-api-deployment-green"}, "minReplicaCount": 3},
        "status": status or {},
    }
    if idle is not None:
        thing["spec"]["idleReplicaCount"] = idle

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with served(world, "keda.sh", "ScaledObject", "scaledobjects", "v1alpha1"), besides(thing)(world):
            yield

    return on
