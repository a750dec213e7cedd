"""A pod of a workload's template, and what tells whether the server would let one start."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_TEMPLATES = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}
_NEVER_AGAIN = {"Job", "CronJob"}
_VIOLATED = re.compile(r'would violate PodSecurity "(\w+)')
_ENFORCE = "pod-security.kubernetes.io/enforce"
# What the manifests beside this one, or the end of a rollout, may still change.
_PASSING = re.compile(
    r"exceeded quota|failed quota|error looking up service account|no PriorityClass with name"
    r"|does not support dry run"
)


def of_template(manifest: Json) -> Json | None:
    """The pod that a workload would start first; None for what starts none."""
    kind, spec = manifest["kind"], manifest.get("spec") or {}
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    elif kind not in _TEMPLATES:
        return None
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    noted = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    name = f"{manifest['metadata']['name'][:50]}-noxgate"
    content = dict(template.get("spec") or {})
    if kind in _NEVER_AGAIN:
        content.setdefault("restartPolicy", "Never")
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**noted, "name": name}, "spec": content}


def violated(warnings: Sequence[str]) -> str | None:
    """The level of pod security that the template is warned to violate."""
    found = next((match for each in warnings if (match := _VIOLATED.search(each))), None)
    return None if found is None else found[1]


def enforced(namespace: Json | None) -> str | None:
    """The level that a namespace enforces, and does not only warn of."""
    labels = ((namespace or {}).get("metadata") or {}).get("labels") or {}
    level = labels.get(_ENFORCE)
    return None if level is None else str(level)


def may_change(message: str) -> bool:
    """Whether a refusal may be over when the pod is really made: no fault of the template."""
    return _PASSING.search(message) is not None
