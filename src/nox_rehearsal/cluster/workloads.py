"""Deployments: their ReplicaSets and pods, and what their status says."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nox_rehearsal.cluster.pod_status import Condition, conditions
from nox_rehearsal.cluster.processes import Slot

Json = dict[str, Any]
NODE = "rehearsal-node"
HASH = "pod-template-hash"


def template_hash(deployment: Mapping[str, Any]) -> str:
    """The same for the same template, as Kubernetes' is."""
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def replicas_of(deployment: Mapping[str, Any]) -> int:
    return int(deployment["spec"].get("replicas", 1))


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
            "replicas": replicas_of(deployment),
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
    return own[: replicas_of(deployment)]


def deployment_status(deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], now: str) -> Json:
    """The status of a Deployment with these pods; None takes a field away."""
    digest, wanted = template_hash(deployment), replicas_of(deployment)
    ready = sum(map(ready_of, pods))
    updated = sum(each["metadata"].get("labels", {}).get(HASH) == digest for each in pods)
    before = (deployment.get("status") or {}).get("conditions") or []
    name = f"{deployment['metadata']['name']}-{digest}"
    is_complete = updated == len(pods) == ready == wanted
    found = conditions(
        before,
        [
            _available(is_true=ready >= wanted - _may_be_missing(deployment)),
            _progressing(name, before, is_complete=is_complete),
        ],
        now,
    )
    known = {each["type"]: each for each in before}
    for each in found:
        old = known.get(each["type"], {})
        same = all(old.get(key) == value for key, value in each.items())
        each["lastUpdateTime"] = old.get("lastUpdateTime", now) if same else now
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": len(pods) or None,
        "updatedReplicas": updated or None,
        "readyReplicas": ready or None,
        "availableReplicas": ready or None,
        "unavailableReplicas": (wanted - ready) if wanted > ready else None,
        "conditions": found,
    }


def _available(*, is_true: bool) -> Condition:
    if is_true:
        return Condition(
            "Available",
            is_true=True,
            reason="MinimumReplicasAvailable",
            message="Deployment has minimum availability.",
        )
    return Condition(
        "Available",
        is_true=False,
        reason="MinimumReplicasUnavailable",
        message="Deployment does not have minimum availability.",
    )


def _progressing(name: str, before: Sequence[Mapping[str, Any]], *, is_complete: bool) -> Condition:
    """A rollout that was complete once stays so, even if its pods end."""
    done = Condition(
        "Progressing",
        is_true=True,
        reason="NewReplicaSetAvailable",
        message=f'ReplicaSet "{name}" has successfully progressed.',
    )
    if is_complete or any(each.get("message") == done.message for each in before):
        return done
    return Condition(
        "Progressing",
        is_true=True,
        reason="ReplicaSetUpdated",
        message=f'ReplicaSet "{name}" is progressing.',
    )


def _may_be_missing(deployment: Mapping[str, Any]) -> int:
    """The pods that an update may be without; a part of a pod does not count."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return 0
    said = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", "25%")
    if isinstance(said, int):
        return said
    return replicas_of(deployment) * int(said.rstrip("%")) // 100


def replica_set_status(owner: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Json:
    ready = sum(map(ready_of, pods))
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


def _owner(version: str, kind: str, metadata: Mapping[str, Any]) -> Json:
    return {
        "apiVersion": version,
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }
