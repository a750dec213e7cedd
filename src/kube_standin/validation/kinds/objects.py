"""What the server checks of secrets, config maps, claims, definitions, events and what bounds a namespace."""

import base64
import binascii
import json
from collections.abc import Iterator

from kube_standin.objects import names, quantities
from kube_standin.validation.pods.affinity import selector
from kube_standin.validation.pods.containers import resource_name
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    required,
    show,
    too_long,
    unsupported,
)

LARGEST = 1024 * 1024
NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
BASIC = ("username", "password")
ACCOUNT = "kubernetes.io/service-account.name"
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
HIGHEST_PRIORITY = 1_000_000_000
LIMIT_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }
)
COMPUTED = frozenset(
    {
        "cpu",
        "memory",
        "ephemeral-storage",
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
        "requests.storage",
    }
)
SCOPES = frozenset(
    {
        "BestEffort",
        "CrossNamespacePodAffinity",
        "NotBestEffort",
        "NotTerminating",
        "PriorityClass",
        "Terminating",
        "VolumeAttributesClass",
    }
)


def secret(whole: Json, _: str = "") -> Iterator[Cause]:
    kind, data = whole.get("type", ""), whole.get("data") or {}
    for name in data:
        yield from names.key(name, f"data[{name}]")
    if sum(len(_decoded(value)) for value in data.values()) > LARGEST:
        yield too_long("data", LARGEST)
    if kind == "kubernetes.io/service-account-token":
        if not (whole["metadata"].get("annotations") or {}).get(ACCOUNT):
            yield required(f"metadata.annotations[{ACCOUNT}]")
    elif kind == "kubernetes.io/basic-auth" and not any(name in data for name in BASIC):
        for name in BASIC:
            yield required(f"data[{name}]")
    for name in NEEDED.get(kind, ()):
        if name not in data:
            yield required(f"data[{name}]")
        elif name.startswith(".docker"):
            yield from _docker(data[name], f"data[{name}]")


def _docker(value: str, path: str) -> Iterator[Cause]:
    try:
        good = isinstance(json.loads(_decoded(value)), dict)
        why = "json: cannot unmarshal value into Go value of type map[string]interface {}"
    except ValueError:
        good, why = False, "unexpected end of JSON input"
    if not good:
        yield invalid(path, '"<secret contents redacted>"', why)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except binascii.Error:
        return b""


def config_map(whole: Json, _: str = "") -> Iterator[Cause]:
    data, binary = whole.get("data") or {}, whole.get("binaryData") or {}
    for name in data:
        yield from names.key(name, f"data[{name}]")
        if name in binary:
            yield invalid(f"data[{name}]", show(name), "duplicate of key present in binaryData")
    for name in binary:
        yield from names.key(name, f"binaryData[{name}]")
    size = sum(len(value.encode()) for value in data.values())
    if size + sum(len(_decoded(value)) for value in binary.values()) > LARGEST:
        yield too_long("[]", LARGEST)


def claim(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from selector(spec.get("selector"), f"{path}.selector")
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield unsupported(f"{path}.accessModes", mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        yield forbidden(f"{path}.accessModes", why)
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        yield required(f"{path}.resources[storage]")
    elif quantities.value(size) <= 0:
        yield invalid(f"{path}.resources[storage]", show(size), "must be greater than zero")
    if spec.get("storageClassName"):
        yield from names.dns_subdomain(spec["storageClassName"], f"{path}.storageClassName")
    mode = spec.get("volumeMode")
    if mode and mode not in {"Block", "Filesystem"}:
        yield unsupported(f"{path}.volumeMode", mode, ("Block", "Filesystem"))


def priority_class(whole: Json, _: str = "") -> Iterator[Cause]:
    name, value = whole["metadata"].get("name", ""), whole.get("value") or 0
    if name.startswith("system-"):
        why = "priority class names with 'system-' prefix are reserved for system use only"
        yield forbidden("metadata.name", why)
    elif value > HIGHEST_PRIORITY:
        why = f"maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}"
        yield forbidden("value", why)
    policy = whole.get("preemptionPolicy")
    if policy and policy not in {"PreemptLowerPriority", "Never"}:
        yield unsupported("preemptionPolicy", policy, ("PreemptLowerPriority", "Never"))


def quota(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    for name, amount in (spec.get("hard") or {}).items():
        where = f"{path}.hard[{name}]"
        if "/" in name:
            yield from names.qualified(name, where)
        elif name not in COUNTED | COMPUTED and not name.startswith(("hugepages-", "requests.hugepages-")):
            yield invalid(where, show(name), "must be a standard resource type or fully qualified")
            yield invalid(where, show(name), "must be a standard resource for quota")
        if quantities.value(amount) < 0:
            yield invalid(where, show(amount), "must be greater than or equal to 0")
        elif name in COUNTED and quantities.value(amount) % 1:
            yield invalid(where, show(amount), "must be an integer")
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in SCOPES:
            yield invalid(f"{path}.scopes", show(scopes), "unsupported scope")
    for pair in ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}):
        if pair <= set(scopes):
            yield invalid(f"{path}.scopes", show(scopes), "conflicting scopes")


def limit_range(whole: Json, path: str = "spec") -> Iterator[Cause]:
    seen: set[str] = set()
    for index, limit in enumerate((whole.get("spec") or {}).get("limits") or []):
        here, kind = f"{path}.limits[{index}]", limit.get("type", "")
        if "/" in kind or not kind:
            yield from names.qualified(kind, f"{here}.type")
        elif kind not in LIMIT_TYPES:
            why = "must be a standard limit type or fully qualified"
            yield invalid(f"{here}.type", show(kind), why)
        if kind in seen:
            yield duplicate(f"{here}.type", kind)
        seen.add(kind)
        yield from _limit(limit, kind, here)


def _limit(limit: Json, kind: str, path: str) -> Iterator[Cause]:
    parts = ["max", "min"] if kind == "Pod" else ["max", "min", "default", "defaultRequest"]
    for part in ("default", "defaultRequest"):
        if kind == "Pod" and limit.get(part):
            yield forbidden(f"{path}.{part}", "may not be specified when `type` is 'Pod'")
    for part in (*parts, "maxLimitRequestRatio"):
        for name in limit.get(part) or {}:
            if kind in {"Container", "Pod"}:
                yield from resource_name(name, f"{path}.{part}[{name}]")
    if kind == "PersistentVolumeClaim" and not any(
        "storage" in (limit.get(part) or {}) for part in ("min", "max")
    ):
        why = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", why)
    found = {name for part in parts for name in limit.get(part) or {}}
    for name in sorted(found):
        yield from _ordered(limit, name, path)


def _ordered(limit: Json, name: str, path: str) -> Iterator[Cause]:
    """Min, default request, default and max of a resource do not contradict each other."""
    given = {part: (limit.get(part) or {}).get(name) for part in ("min", "max", "default", "defaultRequest")}
    for low, high, where, shown, words in ORDER:
        if _exceeds(given[low], given[high]):
            low_word, high_word = words
            why = f"{low_word} value {given[low]} is greater than {high_word} value {given[high]}"
            yield invalid(f"{path}.{where}[{name}]", show(given[shown]), why)


def _exceeds(low: str | None, high: str | None) -> bool:
    return low is not None and high is not None and quantities.value(low) > quantities.value(high)


# what must not be greater, than what; the field that is blamed, the value that is shown, their words
ORDER = (
    ("min", "max", "min", "min", ("min", "max")),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", ("min", "default request")),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", ("default request", "max")),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest", ("default request", "default limit")),
    ("min", "default", "default", "min", ("min", "default")),
    ("default", "max", "default", "max", ("default", "max")),
)


def definition(definition: Json, _: str) -> Iterator[Cause]:
    spec = definition.get("spec", {})
    expected = f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}"
    if definition["metadata"].get("name") != expected:
        shown = show(definition["metadata"].get("name", ""))
        yield invalid("metadata.name", shown, 'must be spec.names.plural+"."+spec.group')
    storage = [version for version in spec.get("versions", []) if version.get("storage")]
    if spec.get("versions") and len(storage) != 1:
        yield invalid(
            "spec.versions",
            show(spec["versions"]),
            "must have exactly one version marked as storage version",
        )
    for index, version in enumerate(spec.get("versions", [])):
        if not version.get("schema", {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")


def event(event: Json, _: str) -> Iterator[Cause]:
    namespace = event.get("involvedObject", {}).get("namespace", "")
    if namespace and namespace != event["metadata"].get("namespace"):
        yield invalid("involvedObject.namespace", show(namespace), "does not match event.namespace")
