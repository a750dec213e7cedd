"""A pod of a workload's template, and what tells whether the server would let one start."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_TEMPLATES = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}
_NEVER_AGAIN = {"Job", "CronJob"}
_VIOLATED = re.compile(r'would violate PodSecurity "(\w+):([\w.]+)"')
_LEVELS = ("privileged", "baseline", "restricted")  # from lax to strict
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


def refuses(namespace: Json | None, warnings: Sequence[str]) -> bool:
    """Whether a namespace's enforced level refuses what the server warns of.

    A level holds all that a laxer one of the same version does; of another version nothing is known.
    """
    level, version = enforced(namespace)
    warned = [match for each in warnings if (match := _VIOLATED.search(each))]
    return any(
        level in _LEVELS[_LEVELS.index(match[1]) :] and version == match[2]
        for match in warned
        if match[1] in _LEVELS
    )


def enforced(namespace: Json | None) -> tuple[str, str]:
    """The level that a namespace enforces, and does not only warn of, and its version."""
    labels = ((namespace or {}).get("metadata") or {}).get("labels") or {}
    return str(labels.get(_ENFORCE, "privileged")), str(labels.get(f"{_ENFORCE}-version", "latest"))


def may_change(message: str) -> bool:
    """Whether a refusal may be over when the pod is really made: no fault of the template."""
    return _PASSING.search(message) is not None
