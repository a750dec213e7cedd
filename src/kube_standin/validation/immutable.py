"""What may not change once it is stored."""

from collections.abc import Callable, Iterator
from typing import Any

from kube_standin.objects.kinds import Kind
from kube_standin.validation import internal
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, forbidden, invalid, show

IMMUTABLE = "field is immutable"


POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


MUTABLE_OF_A_SET = frozenset(
    {
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    }
)


SET_RULE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
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
    if "ExternalName" not in types and before.get("clusterIP") != after.get("clusterIP"):
        yield invalid("spec.clusterIPs[0]", show(after.get("clusterIPs")), "may not change once set")
    if types == {"LoadBalancer"} and before.get("loadBalancerClass") != after.get("loadBalancerClass"):
        yield invalid(
            "spec.loadBalancerClass", show(after.get("loadBalancerClass")), "may not change once set"
        )


def _role_binding(old: Json, new: Json) -> Iterator[Cause]:
    if old["roleRef"] != new.get("roleRef"):
        yield invalid("roleRef", show(new.get("roleRef")), "cannot change roleRef")


def _pod(old: Json, new: Json) -> Iterator[Cause]:
    if _without_images(old["spec"]) != _without_images(new.get("spec", {})):
        munged = new.get("spec", {}) | {"containers": old["spec"].get("containers")}
        yield forbidden("spec", f"{POD_RULE}\n{internal.difference('PodSpec', munged, old['spec'])}")


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
        changes = internal.difference("ClaimSpec", old["spec"], new.get("spec", {}))
        yield forbidden("spec", f"{CLAIM_RULE}\n{changes}")


def _job(old: Json, new: Json) -> Iterator[Cause]:
    before, after = old["spec"], new.get("spec", {})
    if before.get("completions") != after.get("completions") and after.get("completionMode") != "Indexed":
        yield invalid("spec.completions", show(after.get("completions")), IMMUTABLE)
    if before.get("selector") != after.get("selector"):
        yield invalid("spec.selector", show(after.get("selector")), IMMUTABLE)
    if before.get("template") != after.get("template"):
        yield invalid("spec.template", internal.template(after.get("template") or {}), IMMUTABLE)
    if before.get("completionMode") != after.get("completionMode"):
        yield invalid("spec.completionMode", show(after.get("completionMode")), IMMUTABLE)


def _stateful_set(old: Json, new: Json) -> Iterator[Cause]:
    kept = [
        {name: value for name, value in each.get("spec", {}).items() if name not in MUTABLE_OF_A_SET}
        for each in (old, new)
    ]
    if kept[0] != kept[1]:
        yield forbidden("spec", SET_RULE)


def _priority_class(old: Json, new: Json) -> Iterator[Cause]:
    if (old.get("value") or 0) != (new.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")


def _quota(old: Json, new: Json) -> Iterator[Cause]:
    before, after = (each.get("spec", {}).get("scopes") or [] for each in (old, new))
    if set(before) != set(after):
        yield invalid("spec.scopes", show(after or None), IMMUTABLE)


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
    "DaemonSet": ("spec.selector",),
    "Deployment": ("spec.selector",),
    "EndpointSlice": ("addressType",),
    "ReplicaSet": ("spec.selector",),
    "Secret": ("type",),
}


RULES: dict[str, Callable[[Json, Json], Iterator[Cause]]] = {
    "ClusterRoleBinding": _role_binding,
    "ConfigMap": _secret_or_map,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "PriorityClass": _priority_class,
    "ResourceQuota": _quota,
    "RoleBinding": _role_binding,
    "Secret": _secret_or_map,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
