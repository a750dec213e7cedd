"""The rollback manifests: what was saved of a namespace, beside what it has."""

import shlex
from collections.abc import Mapping
from typing import Any

from noxgate.clients import saved
from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document, read_file
from noxgate.clients.observation import Observation, Observe
from noxgate.target import Target, UnreachableError

Json = Mapping[str, Any]

PATTERN = "rollback_manifests_*.yaml"
# What a namespace may hold that a person, or a pipeline, has put there. Secrets stay in the secret store.
KINDS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Service",
    "Ingress",
    "ConfigMap",
    "PersistentVolumeClaim",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "ServiceAccount",
    "Role",
    "RoleBinding",
)
# Whoever may write these may give themselves anything, so the gate may not, not even as a dry run.
RIGHTS = {"Role", "RoleBinding"}
# What the cluster makes in each namespace by itself.
_MADE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_SERVERS = (
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "managedFields",
    "generation",
    "selfLink",
    "ownerReferences",
)


class RollbackManifests:
    """Looks at the newest file for one check."""

    def __init__(self, target: Target, kube: Kube, observe: Observe) -> None:
        self._target = target
        self._kube = kube
        self._observe = observe

    def documents(self) -> tuple[Document, ...]:
        """What the newest file holds; AssertionError where there is none, or it cannot be read."""
        repeat = saved.listing(self._target, PATTERN)
        try:
            file = saved.newest(self._target, PATTERN)
            repeat = f"grep -c '^- apiVersion' {shlex.quote(str(file))}"
            found = read_file(file)
        except (UnreachableError, AssertionError) as error:
            self._observe(Observation(str(error), repeat))
            raise
        self._observe(Observation(f"{file.name}: {len(found)} objects: {_names(found)}", repeat))
        return found

    def lacking(self, documents: tuple[Document, ...]) -> list[str]:
        """Every object of the namespace that was not saved."""
        namespace = self._target.namespace
        known = {(each.kind, each.name) for each in documents if each.namespace in {None, namespace}}
        return [f"{kind} {name}" for kind, name in self._there(namespace) if (kind, name) not in known]

    def refused(self, documents: tuple[Document, ...]) -> dict[str, str]:
        """What a server-side dry run of applying them refuses; rights are not tried."""
        tried = [each for each in documents if each.kind not in RIGHTS]
        untried = [each for each in documents if each.kind in RIGHTS]
        if untried:
            self._observe(
                Observation(
                    f"not tried, since the gate may write no rights: {_names(untried)}",
                    "kubectl auth can-i --list",
                )
            )
        return self._kube.refusals(tried, self._target.namespace)

    def _there(self, namespace: str) -> list[tuple[str, str]]:
        """Kind and name of what the namespace holds, less what follows from other objects."""
        found = [
            (kind, str(each["metadata"]["name"]))
            for kind in KINDS
            if self._kube.knows(kind)
            for each in self._kube.list(kind, namespace)
            if not any(owner.get("controller") for owner in each["metadata"].get("ownerReferences") or [])
        ]
        return [each for each in found if each not in _MADE]


def servers_fields(documents: tuple[Document, ...]) -> dict[str, list[str]]:
    """Object -> the fields in it that the API server owns: replaying them is refused, or does harm."""
    found = {}
    for each in documents:
        metadata = each.content["metadata"]
        fields = [field for field in _SERVERS if field in metadata]
        fields += ["status"] if each.content.get("status") else []
        if fields:
            found[f"{each.kind} {each.name}"] = fields
    return found


def _names(documents: tuple[Document, ...] | list[Document]) -> str:
    return ", ".join(f"{each.kind} {each.name}" for each in documents)
