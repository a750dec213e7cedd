"""What the server warns of in an object that it accepts."""

from collections.abc import Callable, Iterator
from typing import Any

from kube_standin.objects import names, quantities
from kube_standin.validation.pods.affinity import PREFERRED, REQUIRED
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import show

# node label -> since when it is deprecated, what to use
DEPRECATED_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
}
DEPRECATED_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": ("v1.16", "priorityClassName"),
    "security.alpha.kubernetes.io/sysctls": ("v1.11", "sysctls"),
    "security.alpha.kubernetes.io/unsafe-sysctls": ("v1.11", "sysctls"),
}
DEPRECATED_VOLUMES = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
}
NO_SELECTOR = "a null labelSelector results in matching no pod"
# kind -> where its pod template is
TEMPLATES = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), ("spec", "template")),
}
NAMED = frozenset({"CronJob", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})
HINTS = "service.kubernetes.io/topology-aware-hints"
MODE = "service.kubernetes.io/topology-mode"


def warnings(kind: str, obj: Json, old: Json | None = None) -> list[str]:
    """Everything that the server warns of; in what is updated, only where the spec has changed."""
    if old is not None and kind in {*TEMPLATES, "Ingress"}:
        if kind == "Ingress" or obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return list(_of_a_template(kind, obj))
    found = [] if old is not None else list(_name(kind, obj["metadata"].get("name", "")))
    if kind == "Pod":
        return found + list(_pod(obj.get("spec") or {}, obj["metadata"], "spec", "metadata"))
    if kind in TEMPLATES:
        return found + list(_of_a_template(kind, obj))
    return list(OF_A_KIND[kind](obj)) if kind in OF_A_KIND else []


def _of_a_template(kind: str, obj: Json) -> Iterator[str]:
    template: Any = obj
    for name in TEMPLATES[kind]:
        template = template.get(name) or {}
    path = ".".join(TEMPLATES[kind])
    meta = template.get("metadata") or {}
    yield from _pod(template.get("spec") or {}, meta, f"{path}.spec", f"{path}.metadata")


def _name(kind: str, name: str) -> Iterator[str]:
    """A name that becomes a host name should be one label."""
    wrong = [cause.message.partition(": ")[2].partition(": ")[2] for cause in names.dns_label(name, "")]
    if wrong and kind in NAMED:
        used = "the Pod's hostname" if kind == "Pod" else "Pod names and hostnames"
        why = "which can result in surprising behavior; a DNS label is recommended"
        yield f"metadata.name: this is used in {used}, {why}: [{' '.join(wrong)}]"


def _pod(spec: Json, meta: Json, path: str, meta_path: str) -> Iterator[str]:
    affinity = spec.get("affinity") or {}
    for label in spec.get("nodeSelector") or {}:
        if label in DEPRECATED_LABELS:
            yield f"{path}.nodeSelector[{label}]: {_deprecated(label)}"
    yield from _node_affinity(affinity.get("nodeAffinity") or {}, f"{path}.affinity.nodeAffinity")
    yield from _spreading(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    for name, (since, instead) in DEPRECATED_ANNOTATIONS.items():
        if name in (meta.get("annotations") or {}):
            why = f'non-functional in {since}+; use the "{instead}" field instead'
            yield f"{meta_path}.annotations[{name}]: {why}"
    for index, volume in enumerate(spec.get("volumes") or []):
        for name in volume.keys() & DEPRECATED_VOLUMES.keys():
            yield f"{path}.volumes[{index}].{name}: {DEPRECATED_VOLUMES[name]}"
    yield from _repeated(spec, "hostAliases", "ip", path)
    yield from _repeated(spec, "imagePullSecrets", "name", path)
    for container, here in _containers(spec, path):
        yield from _fractions(container.get("resources") or {}, f"{here}.resources")
        yield from _hidden(container.get("env") or [], f"{here}.env")
    yield from _ports(spec, path)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{path}.terminationGracePeriodSeconds: {why}"
    yield from _pod_affinity(affinity, f"{path}.affinity")


def _spreading(given: list[Json], path: str) -> Iterator[str]:
    for index, each in enumerate(given):
        key = each.get("topologyKey", "")
        if key in DEPRECATED_LABELS:
            yield f"{path}[{index}].topologyKey: {key} is {_deprecated(key)}"
        if each.get("labelSelector") is None:
            yield f"{path}[{index}].labelSelector: {NO_SELECTOR}"


def _deprecated(label: str) -> str:
    since, instead = DEPRECATED_LABELS[label]
    return f'deprecated since {since}; use "{instead}" instead'


def _containers(spec: Json, path: str) -> Iterator[tuple[Json, str]]:
    for part in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(part) or []):
            yield container, f"{path}.{part}[{index}]"


def _node_affinity(given: Json, path: str) -> Iterator[str]:
    terms = [
        (term, f"{path}.{REQUIRED}.nodeSelectorTerms[{index}]")
        for index, term in enumerate((given.get(REQUIRED) or {}).get("nodeSelectorTerms") or [])
    ]
    terms += [
        (each.get("preference") or {}, f"{path}.{PREFERRED}[{index}].preference")
        for index, each in enumerate(given.get(PREFERRED) or [])
    ]
    for term, here in terms:
        for index, each in enumerate(term.get("matchExpressions") or []):
            key = each.get("key", "")
            if key in DEPRECATED_LABELS:
                yield f"{here}.matchExpressions[{index}].key: {key} is {_deprecated(key)}"


def _pod_affinity(given: Json, path: str) -> Iterator[str]:
    for name in ("podAffinity", "podAntiAffinity"):
        pods = given.get(name) or {}
        for index, term in enumerate(pods.get(REQUIRED) or []):
            if term.get("labelSelector") is None:
                yield f"{path}.{name}.{REQUIRED}[{index}].labelSelector: {NO_SELECTOR}"
        for index, each in enumerate(pods.get(PREFERRED) or []):
            if (each.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{path}.{name}.{PREFERRED}[{index}].podAffinityTerm.labelSelector: {NO_SELECTOR}"


def _repeated(spec: Json, name: str, key: str, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, each in enumerate(spec.get(name) or []):
        value = each.get(key, "")
        if value in seen:
            yield f"{path}.{name}[{index}].{key}: duplicate {key} {show(value)}"
        seen.add(value)


def _fractions(resources: Json, path: str) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage"):
        for part in ("limits", "requests"):
            amount = (resources.get(part) or {}).get(name)
            if amount is not None and quantities.value(amount) % 1:
                why = f"fractional byte value {show(amount)} is invalid, must be an integer"
                yield f"{path}.{part}[{name}]: {why}"


def _hidden(variables: list[Json], path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, each in enumerate(variables):
        name, value = each.get("name", ""), each.get("value", "")
        reference = f"$({name})"
        kept = "valueFrom" not in each and value != reference and reference in value
        if name in seen and not kept:
            why = f"hides previous definition of {show(name)}, which may be dropped when using apply"
            yield f"{path}[{index}]: {why}"
        seen.add(name)


def _ports(spec: Json, path: str) -> Iterator[str]:
    seen: dict[tuple[Any, Any], list[tuple[str, Json]]] = {}
    for container, here in _containers(spec, path):
        for index, port in enumerate(container.get("ports") or []):
            where = f"{here}.ports[{index}]"
            others = seen.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for other_where, other in others:
                words = _overlap(port, other)
                if words:
                    yield f"{where}: {words} port definition with {other_where}"
            others.append((where, port))


def _overlap(port: Json, other: Json) -> str:
    host, address = port.get("hostPort") or 0, port.get("hostIP", "")
    other_host, other_address = other.get("hostPort") or 0, other.get("hostIP", "")
    if (host, address) == (other_host, other_address):
        return "duplicate"
    if not host or not other_host:
        return "overlapping"
    return "dangerously ambiguous" if host == other_host and bool(address) != bool(other_address) else ""


def _service(service: Json) -> Iterator[str]:
    spec, annotations = service.get("spec") or {}, service["metadata"].get("annotations") or {}
    external = spec.get("type") == "ExternalName"
    if HINTS in annotations:
        yield f"annotation {HINTS} is deprecated, please use {MODE} instead"
    if spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None":
        for name in ("loadBalancerIP", "externalIPs"):
            if spec.get(name):
                yield f"spec.{name} is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    elif spec.get("externalIPs") and not external:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if external and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not external and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _ingress(ingress: Json) -> Iterator[str]:
    annotations = ingress["metadata"].get("annotations") or {}
    name = "kubernetes.io/ingress.class"
    if name in annotations and "ingressClassName" not in (ingress.get("spec") or {}):
        yield f"annotation \"{name}\" is deprecated, please use 'spec.ingressClassName' instead"


def _claim(claim: Json) -> Iterator[str]:
    spec, annotations = claim.get("spec") or {}, claim["metadata"].get("annotations") or {}
    name = "volume.beta.kubernetes.io/storage-class"
    if name in annotations:
        yield (
            f'metadata.annotations[{name}]: deprecated since v1.8; use "storageClassName" attribute instead'
        )
    for part in ("requests", "limits"):
        amount = ((spec.get("resources") or {}).get(part) or {}).get("storage")
        if amount is not None and quantities.value(amount) % 1:
            why = f"fractional byte value {show(amount)} is invalid, must be an integer"
            yield f"spec.resources.{part}[storage]: {why}"


OF_A_KIND: dict[str, Callable[[Json], Iterator[str]]] = {
    "Ingress": _ingress,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
}
