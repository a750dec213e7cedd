"""Kinds that are served in two versions of different shape, and stored in one of them."""

import json
from typing import Any

from kube_standin.objects.builtin import BUILT_IN
from kube_standin.objects.kinds import Kind
from kube_standin.wire.answers import Json

AUTOSCALER = ("autoscaling", "horizontalpodautoscalers")
OLD = "v1"
PREFIX = "autoscaling.alpha.kubernetes.io/"
STORED = next(kind for kind in BUILT_IN if (kind.group, kind.plural) == AUTOSCALER and kind.version != OLD)
# what the old version keeps in annotations: annotation, part of the object, field of the new version
KEPT = (
    ("behavior", "spec", "behavior"),
    ("conditions", "status", "conditions"),
    ("current-metrics", "status", "currentMetrics"),
    ("metrics", "spec", "metrics"),
)


def stored_kind(kind: Kind) -> Kind:
    """The kind as which an object of this one is stored."""
    return STORED if _is_converted(kind) else kind


def to_stored(kind: Kind, obj: Json) -> Json:
    """An object as it is stored."""
    if not _is_converted(kind) or obj.get("apiVersion") == STORED.api_version:
        return obj
    meta, spec, status = dict(obj["metadata"]), dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(meta.get("annotations") or {})
    parts = {"spec": spec, "status": status}
    for name, part, field in KEPT:
        text = annotations.pop(PREFIX + name, None)
        if text is not None:
            parts[part][field] = _read(text)
    _percentages(spec, status)
    meta.pop("annotations", None)
    if annotations:
        meta["annotations"] = annotations
    found = obj | {"apiVersion": STORED.api_version, "metadata": meta, "spec": spec}
    return found | ({"status": status} if "status" in obj else {})


def from_stored(kind: Kind, obj: Json) -> Json:
    """A stored object in one of its versions."""
    if obj["apiVersion"] == kind.api_version:
        return obj
    if not _is_converted(kind):
        return obj | {"apiVersion": kind.api_version}
    meta, spec, status = dict(obj["metadata"]), dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(meta.get("annotations") or {})
    cpu = _of_cpu(spec.get("metrics"), "target")
    if cpu is not None:
        spec["targetCPUUtilizationPercentage"] = _utilization(cpu, "target")
        spec["metrics"] = [each for each in spec["metrics"] if each is not cpu]
    now = _of_cpu(status.get("currentMetrics"), "current")
    if now is not None:
        status["currentCPUUtilizationPercentage"] = _utilization(now, "current")
    status["currentReplicas"] = status.get("currentReplicas", 0)
    parts = {"spec": spec, "status": status}
    for name, part, field in KEPT:
        value = parts[part].pop(field, None)
        if value:
            annotations[PREFIX + name] = json.dumps(value, separators=(",", ":"))
    if annotations:
        meta["annotations"] = annotations
    return obj | {"apiVersion": kind.api_version, "metadata": meta, "spec": spec, "status": status}


def _is_converted(kind: Kind) -> bool:
    return (kind.group, kind.plural, kind.version) == (*AUTOSCALER, OLD)


def _percentages(spec: Json, status: Json) -> None:
    wanted = spec.pop("targetCPUUtilizationPercentage", None)
    if wanted is not None:
        target = {"type": "Utilization", "averageUtilization": wanted}
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        spec["metrics"] = [metric, *(spec.get("metrics") or [])]
    status.pop("currentCPUUtilizationPercentage", None)


def _of_cpu(metrics: Any, side: str) -> Json | None:
    return next((each for each in metrics or [] if _utilization(each, side) is not None), None)


def _utilization(metric: Json, side: str) -> Any:
    resource = metric.get("resource") or {}
    return (resource.get(side) or {}).get("averageUtilization") if resource.get("name") == "cpu" else None


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return []
