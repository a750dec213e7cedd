"""Deleting: preconditions, grace, finalizers, dependents, and everything in a namespace that goes."""

from kube_standin.cluster import Cluster, now
from kube_standin.objects.kinds import Kind
from kube_standin.objects.store import Resource, resource_of
from kube_standin.wire import answers, syntax
from kube_standin.wire.answers import Json
from kube_standin.wire.call import Call, is_true, number
from kube_standin.wire.options import check_deleting

# propagation -> the finalizer that holds the object until its dependents are dealt with
COLLECTING = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
DEFAULT_GRACE = 30


class Remover:
    """Deletes objects of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def delete(self, call: Call) -> Json:
        """Delete one object; the answer is a Status, or the object where it stays for a while."""
        found = self._cluster.store.get(call.kind, call.namespace, call.name)
        if found is None:
            raise answers.not_found(call.kind.group, call.kind.plural, call.name)
        options = read_options(call)
        self._check_preconditions(call.kind, found, options)
        left = self.remove(call.kind, found, options)
        if left is not None:
            return left
        if call.kind.returns_deleted:
            return found
        meta = found["metadata"]
        about = answers.details(call.kind.group, call.kind.plural, meta["name"], uid=meta["uid"])
        return answers.success(about)

    def remove(self, kind: Kind, obj: Json, options: Json) -> Json | None:
        """Remove an object; or mark it as going, where something must happen first, and return it."""
        if kind.name == "Namespace":
            return self._namespace(kind, obj, options)
        meta = obj["metadata"]
        grace = _grace(kind, obj, options)
        finalizers = self._finalizers(meta, options)
        if finalizers or grace > 0:
            if meta.get("deletionTimestamp") and finalizers == meta.get("finalizers", []):
                return obj
            going = obj | {
                "metadata": {"deletionTimestamp": now()} | meta | {"deletionGracePeriodSeconds": grace}
            }
            if finalizers:
                going["metadata"]["finalizers"] = finalizers
            return going if options.get("dryRun") else self._cluster.store.put(kind, going)
        if options.get("dryRun"):
            return None
        self._cluster.store.remove(resource_of(kind), obj)
        if kind.name == "CustomResourceDefinition":
            self._all_of(obj)
        self._dependents(obj, options)
        return None

    def _finalizers(self, meta: Json, options: Json) -> list[str]:
        """What must happen first: the collector of dependents comes before the end of some deletions."""
        found: list[str] = [each for each in meta.get("finalizers", []) if each not in COLLECTING.values()]
        policy = options.get("propagationPolicy")
        if options.get("orphanDependents"):
            policy = "Orphan"
        if policy in COLLECTING and not self._cluster.controllers:
            return [*found, COLLECTING[policy]]
        kept = [each for each in meta.get("finalizers", []) if each in COLLECTING.values()]
        return found + (kept if policy is None else [])

    def _all_of(self, definition: Json) -> None:
        """The objects of a custom kind go with its definition."""
        resource = (definition["spec"]["group"], definition["spec"]["names"]["plural"])
        for found, obj in list(self._cluster.store.everything()):
            if found == resource:
                self._cluster.store.remove(resource, obj)

    def _check_preconditions(self, kind: Kind, found: Json, options: Json) -> None:
        meta = found["metadata"]
        wanted = options.get("preconditions") or {}
        for field, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(field) and wanted[field] != meta[field]:
                why = (
                    f"Precondition failed: {name} in precondition: {wanted[field]}, "
                    f"{name} in object meta: {meta[field]}"
                )
                raise answers.conflict(kind.group, kind.plural, meta["name"], why)

    def _namespace(self, kind: Kind, namespace: Json, options: Json) -> Json | None:
        """A namespace is marked as going; its controller, if there is one, takes all that is in it."""
        store, finalizers = self._cluster.store, (namespace.get("spec") or {}).get("finalizers")
        if not finalizers:
            if not options.get("dryRun"):
                store.remove(resource_of(kind), namespace)
            return None
        meta = {"deletionTimestamp": now()} | namespace["metadata"]
        going = namespace | {"metadata": meta, "status": {"phase": "Terminating"}}
        if options.get("dryRun") or namespace["metadata"].get("deletionTimestamp"):
            return going
        going = store.put(kind, going)
        if not self._cluster.controllers:
            return going
        name = namespace["metadata"]["name"]
        for resource, obj in list(store.everything()):
            if obj["metadata"].get("namespace") == name:
                store.remove(resource, obj)
        store.remove(resource_of(kind), going)
        return going

    def _dependents(self, owner: Json, options: Json) -> None:
        """What the deleted object owned goes too, or is left without it: the garbage collector's work."""
        if not self._cluster.controllers:
            return
        uid = owner["metadata"]["uid"]
        for resource, obj in list(self._cluster.store.everything()):
            owners = obj["metadata"].get("ownerReferences", [])
            if all(each.get("uid") != uid for each in owners) or not self._is_stored(resource, obj):
                continue
            kind = self._cluster.kind_of(obj)
            if kind is None:
                continue
            others = [each for each in owners if each.get("uid") != uid]
            if others or options.get("propagationPolicy") == "Orphan":
                self._cluster.store.put(
                    kind, obj | {"metadata": obj["metadata"] | {"ownerReferences": others}}
                )
            else:
                self.remove(kind, obj, {})

    def _is_stored(self, resource: Resource, obj: Json) -> bool:
        """A dependent of a dependent may have gone in the meantime."""
        return any(each is obj for found, each in self._cluster.store.everything() if found == resource)


def read_options(call: Call) -> Json:
    """The DeleteOptions of a request, from its query and its body."""
    options: Json = {}
    if call.body.strip():
        try:
            given = syntax.parse(call.body, is_yaml=call.is_yaml)
        except ValueError as error:
            raise answers.bad_request(f"error decoding DeleteOptions: {error}") from None
        if not isinstance(given, dict):
            raise answers.bad_request("error decoding DeleteOptions: the body must be an object")
        options = {name: value for name, value in given.items() if value is not None}
    grace = number(call.query, "gracePeriodSeconds")
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    if "orphanDependents" in call.query:
        options["orphanDependents"] = is_true(call.query["orphanDependents"])
    if call.query.get("propagationPolicy"):
        options["propagationPolicy"] = call.query["propagationPolicy"]
    check_deleting(options)
    options["dryRun"] = call.dry_run or options.get("dryRun") == ["All"]
    return options


def _grace(kind: Kind, obj: Json, options: Json) -> int:
    """The seconds that a pod has to end. 0 for one that no node runs, and for one that is already over."""
    if kind.name != "Pod" or not obj["spec"].get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    given = options.get("gracePeriodSeconds")
    return int(obj["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE) if given is None else given)
