"""Deployments: their ReplicaSets and pods, and what their status says."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from noxgate.rehearsal.cluster.pod_status import conditions
from noxgate.rehearsal.cluster.processes import Slot

Json = dict[str, Any]
NODE = "rehearsal-node"
HASH = "pod-template-hash"


def template_hash(deployment: Mapping[str, Any]) -> str:
    """The same for the same template, as Kubernetes' is."""
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def replica_set(deployment: Mapping[str, Any]) -> Json:
    """The ReplicaSet of the Deployment's present template."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    name, digest = metadata["name"], template_hash(deployment)
    template = spec["template"]
    labels = {**template["metadata"]["labels"], HASH: digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-{digest}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [_owner("apps/v1", "Deployment", metadata)],
        },
        "spec": {
            "replicas": spec.get("replicas", 1),
            "selector": {"matchLabels": {**spec["selector"].get("matchLabels", {}), HASH: digest}},
            "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
        },
    }


def pod(owner: Mapping[str, Any], slot: Slot) -> Json:
    """The pod of a ReplicaSet that stands for a process."""
    template = owner["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": slot.name,
            "namespace": slot.namespace,
            "labels": template["metadata"]["labels"],
            "ownerReferences": [_owner("apps/v1", "ReplicaSet", owner["metadata"])],
        },
        "spec": {**template["spec"], "nodeName": NODE},
    }


def wished(deployment: Mapping[str, Any], slots: Iterable[Slot]) -> list[Slot]:
    """The processes that the Deployment's pods stand for: as many as it wants, and there are."""
    metadata = deployment["metadata"]
    own = [
        slot
        for slot in slots
        if (slot.namespace, slot.deployment) == (metadata["namespace"], metadata["name"])
    ]
    return own[: deployment["spec"].get("replicas", 1)]


def probe_path(pod_: Mapping[str, Any]) -> str:
    """The path of the readiness probe."""
    probe = pod_["spec"]["containers"][0].get("readinessProbe") or {}
    return str((probe.get("httpGet") or {}).get("path", "/"))


def deployment_status(deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], now: str) -> Json:
    """The status of a Deployment with these pods; None takes a field away."""
    digest, wanted = template_hash(deployment), deployment["spec"].get("replicas", 1)
    ready = sum(1 for each in pods if ready_of(each))
    available = ready >= wanted
    updated = sum(1 for each in pods if each["metadata"].get("labels", {}).get(HASH) == digest)
    before = (deployment.get("status") or {}).get("conditions") or []
    found = conditions(
        before,
        [
            (
                "Available",
                available,
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            ),
            ("Progressing", True, "", ""),
        ],
        now,
    )
    for each, reason in zip(found, ("MinimumReplicasAvailable", "NewReplicaSetAvailable"), strict=True):
        each.setdefault("reason", reason)
        each["lastUpdateTime"] = each["lastTransitionTime"]
        each.setdefault("message", "Deployment has minimum availability." if available else "")
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": len(pods) or None,
        "updatedReplicas": updated or None,
        "readyReplicas": ready or None,
        "availableReplicas": ready or None,
        "unavailableReplicas": (wanted - ready) if wanted > ready else None,
        "conditions": found,
    }


def replica_set_status(owner: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Json:
    ready = sum(1 for each in pods if ready_of(each))
    return {
        "observedGeneration": owner["metadata"]["generation"],
        "replicas": len(pods),
        "fullyLabeledReplicas": len(pods) or None,
        "readyReplicas": ready or None,
        "availableReplicas": ready or None,
    }


def ready_of(pod_: Mapping[str, Any]) -> bool:
    found = (pod_.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in found)


def autoscaler_status(
    hpa: Mapping[str, Any], deployment: Mapping[str, Any] | None, ready: int, now: str
) -> Json:
    """The status of an HPA: conditions in the order of the real one, AbleToScale first."""
    able = deployment is not None
    containers = [] if deployment is None else deployment["spec"]["template"]["spec"]["containers"]
    asks = all("cpu" in ((each.get("resources") or {}).get("requests") or {}) for each in containers)
    active = able and asks and ready > 0
    why = "missing request for cpu" if able and not asks else "no metrics returned from resource metrics API"
    current = 0 if deployment is None else deployment["spec"].get("replicas", 1)
    before = (hpa.get("status") or {}).get("conditions") or []
    found = conditions(
        before,
        [
            (
                "AbleToScale",
                able,
                "FailedGetScale",
                "the HPA controller was unable to get the target's scale",
            ),
            ("ScalingActive", active, "FailedGetResourceMetric", f"failed to get cpu utilization: {why}"),
            (
                "ScalingLimited",
                current <= hpa["spec"].get("minReplicas", 1),
                "DesiredWithinRange",
                "within range",
            ),
        ],
        now,
    )
    for each, reason in zip(found, ("ReadyForNewScale", "ValidMetricFound", "TooFewReplicas"), strict=True):
        each.setdefault("reason", reason)
    return {
        "observedGeneration": hpa["metadata"].get("generation"),
        "currentReplicas": current,
        "desiredReplicas": max(current, hpa["spec"].get("minReplicas", 1)),
        "conditions": found,
    }


def _owner(version: str, kind: str, metadata: Mapping[str, Any]) -> Json:
    return {
        "apiVersion": version,
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }
