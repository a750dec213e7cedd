"""What happens to an object before it is stored: system metadata, addresses, status, generation."""

import secrets
import uuid
from typing import Any

from kube_standin.cluster import Cluster, built_in, now
from kube_standin.objects import quantities
from kube_standin.objects.kinds import Kind
from kube_standin.wire import answers
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause

GIVEN = frozenset(
    {"name", "generateName", "labels", "annotations", "ownerReferences", "finalizers", "resourceVersion"}
)
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # what generateName adds: no vowels, so no words


def new_metadata(kind: Kind, given: Json, namespace: str) -> Json:
    """The metadata of an object that is being created."""
    kept = {name: value for name, value in given.items() if name in GIVEN}
    if not kept.get("name") and kept.get("generateName"):
        kept["name"] = kept["generateName"] + "".join(secrets.choice(SUFFIX) for _ in range(5))
    if kind.namespaced:
        kept["namespace"] = namespace
    if kind.counts_generation:
        kept["generation"] = 1
    return kept | {"uid": str(uuid.uuid4()), "creationTimestamp": now()}


def new_status(kind: Kind, obj: Json) -> None:
    """A new object has the status that its kind begins with; a status that was sent is ignored."""
    if not kind.has_status:
        return
    obj.pop("status", None)
    if kind.name == "Pod":
        obj["status"] = {"phase": "Pending", "qosClass": quality(obj.get("spec", {}))}


def check_namespace(cluster: Cluster, kind: Kind, namespace: str, name: str) -> None:
    """Nothing can be created in a namespace that does not exist or is going."""
    if not kind.namespaced:
        return
    found = cluster.store.get(built_in("Namespace"), "", namespace)
    if found is None:
        raise answers.not_found("", "namespaces", namespace)
    if found["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = Cause(
            "NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace"
        )
        raise answers.forbidden(kind.group, kind.plural, name, why, [cause])


def definition_status(definition: Json) -> Json:
    """What the definitions' controller says of one that it has accepted."""
    names, moment = definition["spec"]["names"], now()
    stored = [version["name"] for version in definition["spec"]["versions"] if version.get("storage")]
    return {
        "conditions": [
            {
                "type": "NamesAccepted",
                "status": "True",
                "lastTransitionTime": moment,
                "reason": "NoConflicts",
                "message": "no conflicts found",
            },
            {
                "type": "Established",
                "status": "True",
                "lastTransitionTime": moment,
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ],
        "acceptedNames": names,
        "storedVersions": stored,
    }


def counted(kind: Kind, old: Json, new: Json) -> int:
    """The generation of an updated object: one more where more than metadata and status has changed."""
    generation = int(old["metadata"].get("generation", 1))
    changed = _body(old) != _body(new)
    if kind.annotations_count:
        changed = changed or old["metadata"].get("annotations") != new["metadata"].get("annotations")
    return generation + 1 if changed else generation


def quality(spec: Json) -> str:
    """The quality of service class of a pod."""
    found: list[tuple[Any, Any]] = []
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        resources = container.get("resources", {})
        limits, asked = resources.get("limits", {}), resources.get("requests", {})
        found += [(limits.get(name), asked.get(name, limits.get(name))) for name in ("cpu", "memory")]
    if all(limit is None and asked is None for limit, asked in found):
        return "BestEffort"
    same = all(
        limit and asked and quantities.value(limit) == quantities.value(asked) for limit, asked in found
    )
    return "Guaranteed" if same else "Burstable"


def _body(obj: Json) -> Json:
    return {name: value for name, value in obj.items() if name not in {"metadata", "status", "apiVersion"}}
