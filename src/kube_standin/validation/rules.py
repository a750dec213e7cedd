"""Whether an object may be stored: what is required, and what a value may be, kind by kind."""

from collections.abc import Callable, Iterator
from typing import Any

from kube_standin.objects.custom import check_custom
from kube_standin.objects.kinds import Kind
from kube_standin.objects.schema import Node
from kube_standin.validation import metadata
from kube_standin.validation.kinds import autoscalers, networks, objects, workloads
from kube_standin.validation.kinds.services import service
from kube_standin.validation.kinds.statuses import check_status
from kube_standin.validation.pods import specs
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, check_port, join, required, unsupported

Rule = Callable[[Json, str], Iterator[Cause]]

# (type, field) -> what the server adds to "Required value"
WHY_REQUIRED = {
    ("PolicyRule", "verbs"): "verbs must contain at least one value",
    ("Endpoint", "addresses"): "must contain at least 1 address",
}
# Required by the client's models, and yet the server does without, or says it in another way
NOT_REQUIRED = frozenset({("Event", "metadata"), ("CustomResourceConversion", "strategy")})
# Numbers that must be a port
PORTS = frozenset({("EndpointPort", "port")})
# (type, field) -> the only values
CHOICES = {
    ("CustomResourceDefinitionSpec", "scope"): ("Cluster", "Namespaced"),
    ("EndpointSlice", "addressType"): ("FQDN", "IPv4", "IPv6"),
    ("RoleRef", "kind"): ("ClusterRole", "Role"),
}


def check(kind: Kind, node: Node, obj: Json, old: Json | None = None, part: str = "") -> list[Cause]:
    """Everything that is wrong with an object, in the server's order."""
    found = list(metadata.changed_meta(obj, old)) if old is not None else []
    if kind.custom is not None:
        return found + list(metadata.object_meta(kind, obj)) + list(check_custom(node, obj))
    if part == "status":
        return check_status(kind.name, obj) + found
    found += list(metadata.object_meta(kind, obj))
    if kind.name in ORDERED:
        return found + list(ORDERED[kind.name](obj, "spec"))
    body = {name: value for name, value in obj.items() if name not in {"metadata", "status"}}
    found += list(_walk(node, body, "", skip=("status", "metadata")))
    if kind.name in BESIDE:
        found += list(BESIDE[kind.name](obj, ""))
    return found


def _walk(node: Node, value: Any, path: str, skip: tuple[str, ...] = ()) -> Iterator[Cause]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            if node.item is not None:
                yield from _walk(node.item, each, f"{path}[{index}]")
        return
    if not isinstance(value, dict):
        return
    if node.type == "object":
        yield from _fields(node, value, path, skip)
    for name, each in value.items():
        child = node.child(name)
        if child is not None:
            yield from _walk(child, each, join(path, name))


def _fields(node: Node, value: Json, path: str, skip: tuple[str, ...]) -> Iterator[Cause]:
    for name in node.fields:
        place = (node.model, name)
        given = value.get(name)
        if place in PORTS:
            yield from check_port(given or 0, join(path, name), needed=False)
        elif name in node.required and name not in skip and place not in NOT_REQUIRED:
            yield from _required(node, name, given, path)
        if place in CHOICES and given and given not in CHOICES[place]:
            yield unsupported(join(path, name), given, CHOICES[place])


def _required(node: Node, name: str, given: Any, path: str) -> Iterator[Cause]:
    child = node.fields[name]
    empty = given is None or given in ("", [])
    if not empty:
        return
    here = join(path, name)
    if child.type == "object" and child.required and given is None:
        yield from _walk(child, {}, here)
    elif child.type not in {"integer", "boolean"}:
        yield required(here, WHY_REQUIRED.get((node.model, name), ""))


def _pod(pod: Json, path: str) -> Iterator[Cause]:
    yield from specs.spec(pod.get("spec") or {}, path, in_pod=True)


# What is checked field by field, in the order of the server's own code
ORDERED: dict[str, Rule] = {
    "ConfigMap": objects.config_map,
    "CronJob": workloads.cron_job,
    "DaemonSet": workloads.daemon_set,
    "Deployment": workloads.deployment,
    "HorizontalPodAutoscaler": autoscalers.autoscaler,
    "Ingress": networks.ingress,
    "Job": workloads.job,
    "LimitRange": objects.limit_range,
    "NetworkPolicy": networks.network_policy,
    "PersistentVolumeClaim": objects.claim,
    "Pod": _pod,
    "PodDisruptionBudget": workloads.budget,
    "PriorityClass": objects.priority_class,
    "ReplicaSet": workloads.replica_set,
    "ResourceQuota": objects.quota,
    "Secret": objects.secret,
    "Service": service,
    "StatefulSet": workloads.stateful_set,
}
# What is checked beside what the structure says
BESIDE: dict[str, Rule] = {
    "CustomResourceDefinition": objects.definition,
    "EndpointSlice": networks.endpoint_slice,
    "Endpoints": networks.endpoints,
    "Event": objects.event,
}
