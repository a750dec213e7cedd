"""What bounds a namespace: its LimitRanges and ResourceQuotas; and priority classes, as admission heeds them.

Heeded: the limits of containers, quotas that count objects. Anything else of them is refused as not known.
"""

from collections.abc import Iterator
from decimal import Decimal

from kube_standin.cluster import Cluster, built_in
from kube_standin.objects import quantities
from kube_standin.objects.kinds import Kind
from kube_standin.validation.kinds.objects import COUNTED
from kube_standin.wire import answers
from kube_standin.wire.answers import Json

RANGER = "kubernetes.io/limit-ranger"
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def limit(cluster: Cluster, kind: Kind, obj: Json, namespace: str) -> None:
    """Fill in what a LimitRange says by default, and refuse what it does not allow."""
    if kind.name == "Pod":
        _prioritize(cluster, obj)
    ranges = cluster.store.all(built_in("LimitRange"), namespace) if kind.namespaced else []
    for each in ranges:
        for item in (each.get("spec") or {}).get("limits") or []:
            bounds = {"Pod": ("Container", "Pod"), "PersistentVolumeClaim": ("PersistentVolumeClaim",)}
            if item.get("type") not in bounds.get(kind.name, ()):
                continue
            if item.get("type") != "Container" or item.get("maxLimitRequestRatio"):
                raise answers.unknown_here(f"LimitRanges of the type {item.get('type')} or with a ratio")
            _fill(item, obj)
            causes = list(_exceeded(item, obj))
            if causes:
                why = causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]"
                raise answers.forbidden(kind.group, kind.plural, obj["metadata"].get("name", ""), why)


def _prioritize(cluster: Cluster, pod: Json) -> None:
    """Its priority, as its class says; or the class that all pods have by default."""
    spec = pod.get("spec") or {}
    name = spec.get("priorityClassName")
    if not name:
        default = next(
            (each for each in cluster.store.all(built_in("PriorityClass")) if each.get("globalDefault")), None
        )
        if default is not None:
            spec["priorityClassName"], spec["priority"] = default["metadata"]["name"], default.get("value", 0)
        return
    found = cluster.store.get(built_in("PriorityClass"), "", name)
    if found is None and name not in SYSTEM_CLASSES:
        why = f"no PriorityClass with name {name} was found"
        raise answers.forbidden("", "pods", pod["metadata"].get("name", ""), why)
    spec["priority"] = SYSTEM_CLASSES[name] if found is None else found.get("value", 0)
    if found is not None:
        spec.setdefault("preemptionPolicy", found.get("preemptionPolicy", "PreemptLowerPriority"))


def _fill(item: Json, pod: Json) -> None:
    for container in (pod.get("spec") or {}).get("containers") or []:
        resources = container.setdefault("resources", {})
        for part, default in (("limits", "default"), ("requests", "defaultRequest")):
            given = resources.get(part) or {}
            missing = {name: value for name, value in (item.get(default) or {}).items() if name not in given}
            if missing:
                resources[part] = given | missing
                _note(pod, container, part, missing)


def _note(pod: Json, container: Json, part: str, missing: Json) -> None:
    annotations = pod["metadata"].setdefault("annotations", {})
    said = f"{', '.join(sorted(missing))} {part.removesuffix('s')} for container {container.get('name', '')}"
    before = annotations.get(RANGER)
    annotations[RANGER] = f"{before}; {said}" if before else f"LimitRanger plugin set: {said}"


def _exceeded(item: Json, pod: Json) -> Iterator[str]:
    for container in (pod.get("spec") or {}).get("containers") or []:
        resources = container.get("resources") or {}
        limits, asked = resources.get("limits") or {}, resources.get("requests") or {}
        for name, least in sorted((item.get("min") or {}).items()):
            start = f"minimum {name} usage per Container is {least}"
            if name not in asked:
                yield f"{start}.  No request is specified"
            elif _value(asked[name]) < _value(least):
                yield f"{start}, but request is {asked[name]}"
            if name in limits and _value(limits[name]) < _value(least):
                yield f"{start}, but limit is {limits[name]}"
        for name, most in sorted((item.get("max") or {}).items()):
            start = f"maximum {name} usage per Container is {most}"
            if name not in limits:
                yield f"{start}.  No limit is specified"
            elif _value(limits[name]) > _value(most):
                yield f"{start}, but limit is {limits[name]}"
            if name in asked and _value(asked[name]) > _value(most):
                yield f"{start}, but request is {asked[name]}"


def _value(amount: str) -> Decimal:
    return quantities.value(amount)


def count(cluster: Cluster, kind: Kind, obj: Json, namespace: str) -> None:
    """Refuse what a ResourceQuota has no room for. What is used is what the quota's status says."""
    quotas = cluster.store.all(built_in("ResourceQuota"), namespace) if kind.namespaced else []
    for quota in quotas:
        spec, status, name = quota.get("spec") or {}, quota.get("status") or {}, quota["metadata"]["name"]
        hard = spec.get("hard") or {}
        mine = sorted(each for each in hard if each in _names(kind))
        if kind.name in {"Pod", "PersistentVolumeClaim"} and _is_unknown(spec, hard):
            raise answers.unknown_here(f"ResourceQuota {name}, which bounds more than the number of objects")
        if not mine:
            continue
        plural, own = kind.plural, obj["metadata"].get("name", "")
        unknown = [each for each in mine if each not in (status.get("hard") or {})]
        if unknown:
            why = f"status unknown for quota: {name}, resources: {','.join(mine)}"
            raise answers.forbidden(kind.group, plural, own, why)
        used = {each: _value((status.get("used") or {}).get(each, "0")) for each in mine}
        over = [each for each in mine if used[each] + 1 > _value(hard[each])]
        if over:
            said = [",".join(f"{each}={value}" for each, value in pairs) for pairs in _told(over, used, hard)]
            why = f"exceeded quota: {name}, requested: {said[0]}, used: {said[1]}, limited: {said[2]}"
            raise answers.forbidden(kind.group, plural, own, why)


def _told(over: list[str], used: dict[str, Decimal], hard: Json) -> Iterator[list[tuple[str, str]]]:
    yield [(each, "1") for each in over]
    yield [(each, str(int(used[each]))) for each in over]
    yield [(each, hard[each]) for each in over]


def _names(kind: Kind) -> frozenset[str]:
    names = {f"count/{answers.qualified(kind.group, kind.plural)}"}
    return frozenset(names | ({kind.plural} & COUNTED if not kind.group else set()))


def _is_unknown(spec: Json, hard: Json) -> bool:
    plain = all(each in COUNTED or each.startswith("count/") for each in hard)
    return not plain or bool(spec.get("scopes") or spec.get("scopeSelector"))
