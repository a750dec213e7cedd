"""What may not change once it is stored."""

from collections.abc import Callable, Iterator
from typing import Any

from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.causes import Cause, forbidden, invalid, show
from noxgate.rehearsal.kubernetes.kinds import Kind

IMMUTABLE = "field is immutable"


POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


CLAIM_RULE = (
    "spec is immutable after creation except resources.requests "
    "and volumeAttributesClassName for bound claims"
)


def check_update(kind: Kind, old: Json, new: Json) -> list[Cause]:
    """The changes that the server refuses."""
    found = []
    if kind.name in RULES:
        found += list(RULES[kind.name](old, new))
    for name in FIXED.get(kind.name, ()):
        before, after = _at(old, name), _at(new, name)
        if before != after:
            found.append(invalid(name, show(after), IMMUTABLE))
    return found


def _secret_or_map(old: Json, new: Json) -> Iterator[Cause]:
    if old.get("immutable"):
        if not new.get("immutable"):
            yield forbidden("immutable", "field is immutable when `immutable` is set")
        for name in ("data", "binaryData"):
            if old.get(name) != new.get(name):
                yield forbidden(name, "field is immutable when `immutable` is set")


def _service(old: Json, new: Json) -> Iterator[Cause]:
    before, after = old["spec"], new.get("spec", {})
    types = {before.get("type"), after.get("type")}
    if "ExternalName" in types or before.get("clusterIP") == after.get("clusterIP"):
        return
    yield invalid("spec.clusterIPs[0]", show(after.get("clusterIPs")), "may not change once set")


def _role_binding(old: Json, new: Json) -> Iterator[Cause]:
    if old["roleRef"] != new.get("roleRef"):
        yield invalid("roleRef", show(new.get("roleRef")), "cannot change roleRef")


def _pod(old: Json, new: Json) -> Iterator[Cause]:
    if _without_images(old["spec"]) != _without_images(new.get("spec", {})):
        yield forbidden("spec", POD_RULE)


def _without_images(spec: Json) -> Json:
    kept = {
        name: value for name, value in spec.items() if name not in {"activeDeadlineSeconds", "tolerations"}
    }
    for name in ("containers", "initContainers"):
        if name in kept:
            kept[name] = [
                {field: value for field, value in container.items() if field != "image"}
                for container in kept[name]
            ]
    return kept


def _claim(old: Json, new: Json) -> Iterator[Cause]:
    if _without_requests(old["spec"]) != _without_requests(new.get("spec", {})):
        yield forbidden("spec", CLAIM_RULE)


def _without_requests(spec: Json) -> Json:
    return {
        name: value for name, value in spec.items() if name not in {"resources", "volumeAttributesClassName"}
    }


def _at(obj: Json, path: str) -> Any:
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


FIXED = {
    "CustomResourceDefinition": ("spec.group", "spec.names.plural", "spec.scope"),
    "Deployment": ("spec.selector",),
    "EndpointSlice": ("addressType",),
    "Job": ("spec.selector", "spec.template", "spec.completionMode"),
    "ReplicaSet": ("spec.selector",),
    "Secret": ("type",),
}


RULES: dict[str, Callable[[Json, Json], Iterator[Cause]]] = {
    "ClusterRoleBinding": _role_binding,
    "ConfigMap": _secret_or_map,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "RoleBinding": _role_binding,
    "Secret": _secret_or_map,
    "Service": _service,
}
