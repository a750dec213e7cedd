"""Whether an object may be stored: what is required, and what a value may be, type by type."""

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from noxgate.rehearsal.kubernetes import names, quantities, selectors
from noxgate.rehearsal.kubernetes.answers import Cause, Json
from noxgate.rehearsal.kubernetes.custom import check_custom
from noxgate.rehearsal.kubernetes.kinds import Kind
from noxgate.rehearsal.kubernetes.names import invalid, required
from noxgate.rehearsal.kubernetes.schema import Node

Rule = Callable[[Any, str], Iterator[Cause]]

LAST_PORT = 65535
PORT_RANGE = f"must be between 1 and {LAST_PORT}, inclusive"

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
            yield from _walk(child, each, _join(path, name))
    if node.model in RULES:
        yield from RULES[node.model](value, path)


def _fields(node: Node, value: Json, path: str, skip: tuple[str, ...]) -> Iterator[Cause]:
    for name in node.fields:
        place = (node.model, name)
        given = value.get(name)
        if place in PORTS:
            yield from _port(given or 0, _join(path, name), needed=node.model == "ContainerPort")
        elif name in node.required and name not in skip and place not in NOT_REQUIRED:
            yield from _required(node, name, given, path)
        if place in CHOICES and given and given not in CHOICES[place]:
            yield unsupported(_join(path, name), given, CHOICES[place])
        if place in NOT_NEGATIVE and isinstance(given, int) and given < 0:
            yield invalid(_join(path, name), str(given), "must be greater than or equal to 0")


def _required(node: Node, name: str, given: Any, path: str) -> Iterator[Cause]:
    child = node.fields[name]
    empty = given is None or given in ("", [])
    if not empty:
        return
    here = _join(path, name)
    if child.type == "object" and child.required and given is None:
        yield from _walk(child, {}, here)
    elif child.type not in {"integer", "boolean"}:
        yield required(here, WHY_REQUIRED.get((node.model, name), ""))


def unsupported(path: str, given: Any, choices: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{choice}"' for choice in choices)
    return Cause(
        "FieldValueNotSupported", f"Unsupported value: {_shown(given)}: supported values: {listed}", path
    )


def _port(given: int, path: str, *, needed: bool) -> Iterator[Cause]:
    if not given and needed:
        yield required(path)
    elif not 0 < given <= LAST_PORT:
        yield invalid(path, str(given), PORT_RANGE)


def _container(container: Json, path: str) -> Iterator[Cause]:
    if container.get("name"):
        yield from names.dns_label(container["name"], f"{path}.name")
    if not container.get("image"):
        yield required(f"{path}.image")
    for name, limit in container.get("resources", {}).get("limits", {}).items():
        asked = container["resources"].get("requests", {}).get(name)
        if asked is not None and quantities.value(asked) > quantities.value(limit):
            yield invalid(
                f"{path}.resources.requests",
                _shown(asked),
                f"must be less than or equal to {name} limit of {limit}",
            )
    yield from _unique(container.get("ports", []), "name", f"{path}.ports")


def _env(variable: Json, path: str) -> Iterator[Cause]:
    name = variable.get("name", "")
    if name and ("=" in name or not name.isprintable()):
        yield invalid(f"{path}.name", _shown(name), "a valid environment variable name must not contain '='")
    source = variable.get("valueFrom")
    if source is None:
        return
    if variable.get("value"):
        yield invalid(f"{path}.valueFrom", '""', "may not be specified when `value` is not empty")
    if len(source) != 1:
        yield invalid(
            f"{path}.valueFrom",
            '""',
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            if not source
            else "may not have more than one field specified at a time",
        )


def _pod_spec(spec: Json, path: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    yield from _unique([*containers, *spec.get("initContainers", [])], "name", f"{path}.containers")
    yield from _unique(spec.get("volumes", []), "name", f"{path}.volumes")
    volumes = {volume.get("name") for volume in spec.get("volumes", [])}
    for index, container in enumerate(containers):
        for at, mount in enumerate(container.get("volumeMounts", [])):
            if mount.get("name") and mount["name"] not in volumes:
                where = f"{path}.containers[{index}].volumeMounts[{at}].name"
                yield Cause("FieldValueNotFound", f"Not found: {_shown(mount['name'])}", where)


def _unique(items: list[Json], key: str, path: str) -> Iterator[Cause]:
    seen = set()
    for index, item in enumerate(items):
        if (value := item.get(key)) is None:
            continue
        if value in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", f"{path}[{index}].{key}")
        seen.add(value)


def _workload(workload: Json, _: str) -> Iterator[Cause]:
    """A deployment's or replica set's selector must select the pods of its own template."""
    kind, spec = workload["kind"], workload.get("spec", {})
    selector, metadata = spec.get("selector"), spec.get("template", {}).get("metadata", {})
    if selector is None:
        return
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", _shown(selector), f"empty selector is invalid for {kind.lower()}")
        return
    yield from names.labels(selector.get("matchLabels", {}), "spec.selector.matchLabels")
    yield from names.labels(metadata.get("labels", {}), "spec.template.labels")
    found = metadata.get("labels") or {}
    if not selectors.by_selector(selector)(found):
        yield invalid(
            "spec.template.metadata.labels", _shown(found), "`selector` does not match template `labels`"
        )
    policy = spec.get("template", {}).get("spec", {}).get("restartPolicy")
    if policy in {"OnFailure", "Never"}:
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))


def _job(job: Json, _: str) -> Iterator[Cause]:
    policy = job.get("spec", {}).get("template", {}).get("spec", {}).get("restartPolicy")
    if policy == "Always":
        yield Cause(
            "FieldValueRequired",
            'Required value: valid values: "OnFailure", "Never"',
            "spec.template.spec.restartPolicy",
        )


def _service(service: Json, _: str) -> Iterator[Cause]:
    spec = service.get("spec", {})
    ports = spec.get("ports", [])
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")
        target = port.get("targetPort")
        if isinstance(target, int) and not 0 < target <= LAST_PORT:
            yield invalid(f"spec.ports[{index}].targetPort", str(target), PORT_RANGE)
    yield from _unique(ports, "name", "spec.ports")
    seen = set()
    for index, port in enumerate(ports):
        key = (port.get("port"), port.get("protocol"))
        if key in seen:
            shown = _shown({"port": key[0], "protocol": key[1]})
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", f"spec.ports[{index}]")
        seen.add(key)


def _ingress(ingress: Json, _: str) -> Iterator[Cause]:
    spec = ingress.get("spec", {})
    if not spec.get("rules") and not spec.get("defaultBackend"):
        yield invalid("spec", _shown(spec), "either `defaultBackend` or `rules` must be specified")


def _ingress_rule(rule: Json, path: str) -> Iterator[Cause]:
    host = rule.get("host", "")
    if host and not re.fullmatch(rf"(\*\.)?{names.SUBDOMAIN}", host):
        yield from names.dns_subdomain(host, f"{path}.host")
    elif re.fullmatch(r"\d+\.\d+\.\d+\.\d+", host):
        yield invalid(f"{path}.host", _shown(host), "must be a DNS name, not an IP address")


def _ingress_path(value: Json, path: str) -> Iterator[Cause]:
    given = value.get("path", "")
    if value.get("pathType") in {"Exact", "Prefix"}:
        if not given.startswith("/"):
            yield invalid(f"{path}.path", _shown(given), "must be an absolute path")
        for bad in ("//", "/./", "/../", "%2f", "%2F"):
            if bad in given:
                yield invalid(f"{path}.path", _shown(given), f"must not contain '{bad}'")
    elif given and not given.startswith("/"):
        yield invalid(f"{path}.path", _shown(given), "must be an absolute path")
    if not value.get("backend"):
        yield from _ingress_backend({}, f"{path}.backend")


def _ingress_backend(backend: Json, path: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service and resource:
        yield invalid(path, '""', "cannot set both resource and service backends")
    if not service and not resource:
        yield required(path, "port name or number is required" if "service" in backend else "")
    if service:
        port = service.get("port", {})
        if port.get("number") and port.get("name"):
            yield invalid(path, '""', "cannot set both port name & port number")
        elif port.get("number"):
            yield from _port(port["number"], f"{path}.service.port.number", needed=False)
        elif not port.get("name"):
            yield required(path, "port name or number is required")


def _endpoint_slice(endpoint_slice: Json, _: str) -> Iterator[Cause]:
    kind = endpoint_slice.get("addressType")
    for index, endpoint in enumerate(endpoint_slice.get("endpoints") or []):
        for at, address in enumerate(endpoint.get("addresses", [])):
            path = f"endpoints[{index}].addresses[{at}]"
            if kind in {"IPv4", "IPv6"}:
                yield from _endpoint_address(address, path, 4 if kind == "IPv4" else 6)


def _endpoints(endpoints: Json, _: str) -> Iterator[Cause]:
    for index, subset in enumerate(endpoints.get("subsets") or []):
        for at, address in enumerate(subset.get("addresses", [])):
            if address.get("ip"):
                yield from _endpoint_address(address["ip"], f"subsets[{index}].addresses[{at}].ip", 0)


def _endpoint_address(address: str, path: str, version: int) -> Iterator[Cause]:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        yield invalid(path, _shown(address), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        return
    if version not in {0, parsed.version}:
        yield invalid(path, _shown(address), f"must be an IPv{version} address")
    if parsed.is_unspecified:
        yield invalid(path, _shown(address), f"may not be unspecified ({address})")
    if parsed.is_loopback:
        why = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        yield invalid(path, _shown(address), why)
    if parsed.is_link_local:
        why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        yield invalid(path, _shown(address), why)


def _autoscaler(spec: Json, path: str) -> Iterator[Cause]:
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid(f"{path}.minReplicas", str(least), "must be greater than or equal to 1")
    if most < 1:
        yield invalid(f"{path}.maxReplicas", str(most), "must be greater than 0")
    elif most < least:
        yield invalid(f"{path}.maxReplicas", str(most), "must be greater than or equal to `minReplicas`")


def _budget(spec: Json, path: str) -> Iterator[Cause]:
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield invalid(path, _shown(spec), "minAvailable and maxUnavailable cannot be both set")


def _secret(secret: Json, _: str) -> Iterator[Cause]:
    wanted = {
        "kubernetes.io/tls": ("tls.crt", "tls.key"),
        "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    }
    for name in wanted.get(secret.get("type", ""), ()):
        if name not in secret.get("data", {}):
            yield required(f"data[{name}]")
    yield from _keys(secret)


def _keys(holder: Json, _: str = "") -> Iterator[Cause]:
    for name in [*holder.get("data", {}), *holder.get("binaryData", {})]:
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name) or name in {".", ".."}:
            yield invalid(
                f"data[{name}]",
                _shown(name),
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
            )


def _definition(definition: Json, _: str) -> Iterator[Cause]:
    spec = definition.get("spec", {})
    expected = f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}"
    if definition["metadata"].get("name") != expected:
        shown = _shown(definition["metadata"].get("name", ""))
        yield invalid("metadata.name", shown, 'must be spec.names.plural+"."+spec.group')
    storage = [version for version in spec.get("versions", []) if version.get("storage")]
    if spec.get("versions") and len(storage) != 1:
        yield invalid(
            "spec.versions",
            _shown(spec["versions"]),
            "must have exactly one version marked as storage version",
        )
    for index, version in enumerate(spec.get("versions", [])):
        if not version.get("schema", {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")


def _event(event: Json, _: str) -> Iterator[Cause]:
    namespace = event.get("involvedObject", {}).get("namespace", "")
    if namespace and namespace != event["metadata"].get("namespace"):
        yield invalid("involvedObject.namespace", _shown(namespace), "does not match event.namespace")


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


RULES: dict[str, Rule] = {
    "Container": _container,
    "EnvVar": _env,
    "HTTPIngressPath": _ingress_path,
    "HorizontalPodAutoscalerSpec": _autoscaler,
    "IngressBackend": _ingress_backend,
    "IngressRule": _ingress_rule,
    "PodDisruptionBudgetSpec": _budget,
    "PodSpec": _pod_spec,
}

WHOLE: dict[str, Rule] = {
    "ConfigMap": _keys,
    "CustomResourceDefinition": _definition,
    "Deployment": _workload,
    "EndpointSlice": _endpoint_slice,
    "Endpoints": _endpoints,
    "Event": _event,
    "Ingress": _ingress,
    "Job": _job,
    "ReplicaSet": _workload,
    "Secret": _secret,
    "Service": _service,
}
