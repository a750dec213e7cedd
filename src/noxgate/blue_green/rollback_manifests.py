"""The rollback manifests: what was saved of a namespace, beside what it has."""

import shlex
from collections.abc import Mapping
from typing import Any

from noxgate.blue_green.routing import OF_ANOTHER
from noxgate.blue_green.saved_objects import ownerless, taken, too_large, unlike
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.project.saved import SavedManifests
from noxgate.project.service.names import Service
from noxgate.systems.kubernetes.kube import EVERYWHERE, Kube
from noxgate.systems.kubernetes.manifests import Document, read_file, read_otherwise

Json = Mapping[str, Any]

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
)


class RollbackManifests:
    """Looks at the newest file for one check."""

    def __init__(self, saved: SavedManifests, kube: Kube, service: Service, observe: Observe) -> None:
        self._namespace = saved.namespace
        self._saved = saved.files
        self._kube = kube
        self._service = service
        self._observe = observe
        self._seen: list[tuple[str, Json]] | None = None

    def documents(self) -> tuple[Document, ...]:
        """What the newest file holds. Raises AssertionError if it is missing or cannot be read."""
        pattern = self._service.files.rollback_manifests
        repeat = self._saved.listing(pattern)
        try:
            file = self._saved.newest(pattern)
            repeat = f"grep -c '^- apiVersion' {shlex.quote(str(file))}"
            found = read_file(file)
        except (UnreachableError, AssertionError) as error:
            self._observe(Observation(str(error), repeat))
            raise
        self._observe(Observation(f"{file.name}: {len(found)} objects: {_names(found)}", repeat))
        for said in read_otherwise(found):
            self._observe(Observation(said, repeat))
        return found

    def lacking(self, documents: tuple[Document, ...]) -> list[str]:
        """Every object of the namespace that was not saved."""
        namespace = self._namespace
        known = {(each.kind, each.name) for each in documents if each.namespace in {None, namespace}}
        return [f"{kind} {name}" for kind, name in self._there(namespace) if (kind, name) not in known]

    def outdated(self, documents: tuple[Document, ...]) -> dict[str, list[str]]:
        """Objects that are not what is live now, and where; what is gone since is to come back as it was."""
        namespace = self._namespace
        live = {(kind, each["metadata"]["name"]): each for kind, each in self._objects(namespace)}
        autoscalers = [each for (kind, _), each in live.items() if kind == "HorizontalPodAutoscaler"]
        found = {
            f"{each.kind} {each.name}": unlike(each, live[each.kind, each.name], self._service, autoscalers)
            for each in documents
            if each.namespace in {None, namespace} and (each.kind, each.name) in live
        }
        return {name: where for name, where in found.items() if where}

    def refused(self, documents: tuple[Document, ...]) -> dict[str, str]:
        """What `kubectl apply` would not get past, or would do harm: rights are not tried.

        Beside a dry run of the server: what that does not see, since it allocates nothing, follows no owner
        and no name, and needs no note.
        """
        tried = [each for each in documents if each.kind not in RIGHTS]
        untried = [each for each in documents if each.kind in RIGHTS]
        if untried:
            self._observe(
                Observation(
                    f"not tried, since the gate may write no rights: {_names(untried)}",
                    self._kube.again("auth", "can-i", "--list"),
                )
            )
        return self._kube.refusals(tried, self._namespace) | self._unseen(documents)

    def _unseen(self, documents: tuple[Document, ...]) -> dict[str, str]:
        namespace = self._namespace
        live = {(kind, each["metadata"]["name"]): each for kind, each in self._objects(namespace)}
        services = self._services([each for (kind, _), each in live.items() if kind == "Service"])
        found = {
            str(each): too_large(each)
            or ownerless(each, live.get((each.kind, each.name)))
            or taken(each, services, namespace)
            or self._astray(each)
            for each in documents
        }
        return {name: why for name, why in found.items() if why is not None}

    def _services(self, own: list[Json]) -> list[Json]:
        """Of all namespaces; of the target's own, which is said, where the credential sees no more."""
        try:
            return self._kube.list("Service", EVERYWHERE)
        except UnreachableError:
            said = f"not compared: the addresses of Services outside of {self._namespace}"
            self._observe(Observation(said, self._kube.again("get", "services", "--all-namespaces")))
            return own

    def _astray(self, document: Document) -> str | None:
        """A Service that stands for one of another namespace, which has to be there; green's is to come."""
        spec = document.content.get("spec") or {}
        to_come = document.name == self._service.green.service
        if document.kind != "Service" or spec.get("type") != "ExternalName" or to_come:
            return None
        match = OF_ANOTHER.fullmatch(str(spec.get("externalName", "")))
        if match is None or self._kube.get("Service", match[1], match[2]) is not None:
            return None
        return f"leads to Service {match[1]} in {match[2]}, which is not there"

    def _objects(self, namespace: str) -> list[tuple[str, Json]]:
        """Everything of these kinds that the namespace holds, seen once for a check."""
        if self._seen is None:
            self._seen = [
                (kind, each)
                for kind in KINDS
                if self._kube.knows(kind)
                for each in self._kube.list(kind, namespace)
            ]
        return self._seen

    def _there(self, namespace: str) -> list[tuple[str, str]]:
        """Kind and name of what the namespace holds, less what follows from other objects."""
        found = [
            (kind, str(each["metadata"]["name"]))
            for kind, each in self._objects(namespace)
            if not any(owner.get("controller") for owner in each["metadata"].get("ownerReferences") or [])
        ]
        return [each for each in found if each not in _MADE]


def servers_fields(documents: tuple[Document, ...]) -> dict[str, list[str]]:
    """Object -> the fields in it that the API server owns: replaying them is refused, or does harm."""
    found = {}
    for each in documents:
        metadata = each.content.get("metadata") or {}
        fields = [field for field in _SERVERS if field in metadata]
        fields += ["status"] if each.content.get("status") else []
        if fields:
            found[f"{each.kind} {each.name}"] = fields
    return found


def _names(documents: tuple[Document, ...] | list[Document]) -> str:
    return ", ".join(f"{each.kind} {each.name}" for each in documents)
