"""Whether an object may be stored: what is required, and what a value may be, type by type."""

from collections.abc import Callable, Iterator
from typing import Any

from noxgate.rehearsal.kubernetes import names, network_rules, object_rules, workload_rules
from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.causes import Cause, check_port, invalid, join, required, unsupported
from noxgate.rehearsal.kubernetes.custom import check_custom
from noxgate.rehearsal.kubernetes.kinds import Kind
from noxgate.rehearsal.kubernetes.schema import Node

# (type, field) -> what the server adds to "Required value"
WHY_REQUIRED = {
    ("HTTPIngressPath", "pathType"): "pathType must be specified",
    ("PolicyRule", "verbs"): "verbs must contain at least one value",
    ("Endpoint", "addresses"): "must contain at least 1 address",
}


# Required by the client's models, and yet the server does without, or says it in another way
NOT_REQUIRED = frozenset(
    {
        ("Event", "metadata"),
        ("HTTPIngressPath", "backend"),
        ("PodSpec", "containers"),
        ("IngressRule", "http"),
        ("CustomResourceConversion", "strategy"),
    }
)


# Numbers that must be a port
PORTS = frozenset({("ContainerPort", "containerPort"), ("EndpointPort", "port"), ("ServicePort", "port")})


# Numbers that may not be negative
NOT_NEGATIVE = frozenset(
    {
        ("DeploymentSpec", "replicas"),
        ("DeploymentSpec", "minReadySeconds"),
        ("DeploymentSpec", "revisionHistoryLimit"),
        ("JobSpec", "backoffLimit"),
        ("JobSpec", "completions"),
        ("JobSpec", "parallelism"),
        ("PodSpec", "terminationGracePeriodSeconds"),
        ("ReplicaSetSpec", "replicas"),
    }
)


# (type, field) -> the only values
CHOICES = {
    ("Container", "imagePullPolicy"): ("Always", "IfNotPresent", "Never"),
    ("Container", "terminationMessagePolicy"): ("FallbackToLogsOnError", "File"),
    ("ContainerPort", "protocol"): ("SCTP", "TCP", "UDP"),
    ("CronJobSpec", "concurrencyPolicy"): ("Allow", "Forbid", "Replace"),
    ("CustomResourceDefinitionSpec", "scope"): ("Cluster", "Namespaced"),
    ("DeploymentStrategy", "type"): ("Recreate", "RollingUpdate"),
    ("EndpointSlice", "addressType"): ("FQDN", "IPv4", "IPv6"),
    ("HTTPIngressPath", "pathType"): ("Exact", "ImplementationSpecific", "Prefix"),
    ("LabelSelectorRequirement", "operator"): ("DoesNotExist", "Exists", "In", "NotIn"),
    ("NetworkPolicyPort", "protocol"): ("SCTP", "TCP", "UDP"),
    ("PodSpec", "dnsPolicy"): ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ("PodSpec", "restartPolicy"): ("Always", "Never", "OnFailure"),
    ("RoleRef", "kind"): ("ClusterRole", "Role"),
    ("ServicePort", "protocol"): ("SCTP", "TCP", "UDP"),
    ("ServiceSpec", "sessionAffinity"): ("ClientIP", "None"),
    ("ServiceSpec", "type"): ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
}


def check(kind: Kind, node: Node, obj: Json) -> list[Cause]:
    """Everything that is wrong with an object, in the order of its fields."""
    found = list(names.object_meta(kind, obj))
    if kind.custom is not None:
        return found + list(check_custom(node, obj))
    body = {name: value for name, value in obj.items() if name not in {"metadata", "status"}}
    found += list(_walk(node, body, "", skip=("status", "metadata")))
    if kind.name in WHOLE:
        found += list(WHOLE[kind.name](obj, ""))
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
    if node.model in RULES:
        yield from RULES[node.model](value, path)


def _fields(node: Node, value: Json, path: str, skip: tuple[str, ...]) -> Iterator[Cause]:
    for name in node.fields:
        place = (node.model, name)
        given = value.get(name)
        if place in PORTS:
            yield from check_port(given or 0, join(path, name), needed=node.model == "ContainerPort")
        elif name in node.required and name not in skip and place not in NOT_REQUIRED:
            yield from _required(node, name, given, path)
        if place in CHOICES and given and given not in CHOICES[place]:
            yield unsupported(join(path, name), given, CHOICES[place])
        if place in NOT_NEGATIVE and isinstance(given, int) and given < 0:
            yield invalid(join(path, name), str(given), "must be greater than or equal to 0")


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


Rule = Callable[[Any, str], Iterator[Cause]]


RULES: dict[str, Rule] = {
    "Container": workload_rules.container,
    "EnvVar": workload_rules.env,
    "HTTPIngressPath": network_rules.ingress_path,
    "HorizontalPodAutoscalerSpec": workload_rules.autoscaler,
    "IngressBackend": network_rules.ingress_backend,
    "IngressRule": network_rules.ingress_rule,
    "PodDisruptionBudgetSpec": workload_rules.budget,
    "PodSpec": workload_rules.pod_spec,
}


WHOLE: dict[str, Rule] = {
    "ConfigMap": object_rules.keys,
    "CustomResourceDefinition": object_rules.definition,
    "Deployment": workload_rules.workload,
    "EndpointSlice": network_rules.endpoint_slice,
    "Endpoints": network_rules.endpoints,
    "Event": object_rules.event,
    "Ingress": network_rules.ingress,
    "Job": workload_rules.job,
    "ReplicaSet": workload_rules.workload,
    "Secret": object_rules.secret,
    "Service": network_rules.service,
}
