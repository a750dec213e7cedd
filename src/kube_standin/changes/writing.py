"""Creating and updating: from what was sent to what is stored, or would be by a dry run."""

import copy
from collections.abc import Callable
from typing import Any

from kube_standin.changes import owners
from kube_standin.changes.defaults import fill
from kube_standin.changes.owners import Manager
from kube_standin.cluster import Cluster, now
from kube_standin.objects.conversions import from_stored, stored_kind, to_stored
from kube_standin.objects.kinds import Kind
from kube_standin.objects.store import resource_of
from kube_standin.validation import addresses, admission, bounds, conforming, pod_security
from kube_standin.validation.conforming import Reading, TypeMismatchError
from kube_standin.validation.immutable import check_update
from kube_standin.validation.rules import check
from kube_standin.validation.warnings import warnings
from kube_standin.wire import answers, decoding
from kube_standin.wire.answers import Json
from kube_standin.wire.call import Call
from kube_standin.wire.causes import Cause

Managers = list[Manager]
SYSTEM = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
    "namespace",
)


class Writer:
    """Creates and updates objects of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def create(self, call: Call) -> Json:
        """Create the object in a request's body."""
        given = decoding.parse_object(call.body, call.kind, is_yaml=call.is_yaml)
        return self.create_object(call, self.read(call, given))

    def update(self, call: Call) -> Json:
        """Replace an object, or its status, by the one in a request's body."""
        given = decoding.parse_object(call.body, call.kind, is_yaml=call.is_yaml)
        new = self.read(call, given)
        self._check_identity(call, new)
        return self.replace(call, self.existing(call), new)

    def creates(self, call: Call) -> bool:
        """Whether an update finds nothing to replace, and is of a kind that is then created."""
        found = self._cluster.store.get(call.kind, call.namespace, call.name)
        return found is None and call.kind.created_by_update and not call.part

    def read(self, call: Call, given: Json) -> Json:
        """The object as its structure allows; unknown fields are refused or warned of."""
        reading = Reading()
        try:
            obj = conforming.conform(self._cluster.schemas.of(call.kind), given, reading)
        except TypeMismatchError as error:
            raise decoding.cannot_be_handled(call.kind, str(error)) from None
        call.warnings.extend(decoding.refuse_unknown(call.kind, reading, call.directive))
        return _object_with_meta(call.kind, obj)

    def existing(self, call: Call) -> Json:
        found = self._cluster.store.get(call.kind, call.namespace, call.name)
        if found is None:
            raise answers.not_found(call.kind.group, call.kind.plural, call.name)
        return from_stored(call.kind, found)

    def create_object(self, call: Call, obj: Json, managers: Managers | None = None) -> Json:
        """Store a new object, unless the call is a dry run."""
        kind, cluster = stored_kind(call.kind), self._cluster
        obj = to_stored(call.kind, obj)
        meta = obj["metadata"]
        if meta.get("resourceVersion") and not call.dry_run:  # what a dry run of the real server does not see
            raise answers.bad_request("resourceVersion should not be set on objects to be created")
        _check_namespace_field(call, meta)
        obj["metadata"] = admission.new_metadata(kind, meta, call.namespace)
        name = obj["metadata"].get("name", "")
        admission.check_namespace(cluster, kind, call.namespace, name)
        admission.new_status(kind, obj)
        fill(kind, cluster.schemas.of(kind), obj)
        bounds.limit(cluster, kind, obj, call.namespace)
        self._complete(call, obj)
        said = pod_security.admit(cluster, kind, obj, call.namespace)
        bounds.count(cluster, kind, obj, call.namespace)
        if kind.name == "Service":
            addresses.allocate(cluster, obj, dry_run=call.dry_run)
        if cluster.store.get(kind, call.namespace, name) is not None:
            raise answers.already_exists(kind.group, kind.plural, name)
        call.warnings.extend([*warnings(kind.name, obj), *said])
        if managers is None:
            managers = owners.after_update(cluster.schemas.of(kind), None, obj, self.manager(call))
        obj["metadata"]["managedFields"] = owners.write(managers)
        if call.dry_run:
            return from_stored(call.kind, obj)
        stored = cluster.store.put(kind, obj)
        if kind.name == "CustomResourceDefinition":
            stored = cluster.store.put(kind, stored | {"status": admission.definition_status(stored)})
        return from_stored(call.kind, stored)

    def replace(self, call: Call, old: Json, new: Json, managers: Managers | None = None) -> Json:
        """Store the new state of an object, unless nothing changes or the call is a dry run."""
        kind, cluster = stored_kind(call.kind), self._cluster
        if kind is not call.kind:
            old, new = cluster.store.get(kind, call.namespace, call.name) or old, to_stored(call.kind, new)
        self._check_preconditions(kind, old, new)
        said = owners.read(new)
        new["metadata"] = _kept_metadata(old, new["metadata"])
        new = _only_part(kind, call.part, old, new)
        if kind.name == "Service" and not call.part:
            addresses.keep(old, new)
        self._complete(call, new, old=old)
        if kind.name == "Service" and not call.part:
            addresses.allocate(cluster, new, dry_run=call.dry_run)
        if kind.counts_generation:
            new["metadata"]["generation"] = admission.counted(kind, old, new)
        if not call.part:
            call.warnings.extend(warnings(kind.name, new, old))
            call.warnings.extend(pod_security.admit(cluster, kind, new, call.namespace, old))
        if managers is None:
            managers = owners.after_update(cluster.schemas.of(kind), old, new, self.manager(call), said)
        new["metadata"]["managedFields"] = owners.write(managers)
        if call.dry_run or new == old:
            return from_stored(call.kind, new)
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            cluster.store.put(kind, new)
            return cluster.store.remove(resource_of(kind), new)
        return from_stored(call.kind, cluster.store.put(kind, new))

    def change(self, call: Call, changed: Callable[[Json], Any]) -> Json:
        """Store an object as `changed` leaves a copy of it: for parts that are not objects."""
        old = self.existing(call)
        new = copy.deepcopy(old)
        changed(new)
        return self.replace(call, old, new)

    def manager(self, call: Call, operation: str = "Update") -> Manager:
        return Manager(call.manager, operation, call.kind.api_version, call.part, now())

    def _complete(self, call: Call, obj: Json, old: Json | None = None) -> None:
        """Fill in defaults and check what came of it."""
        kind = stored_kind(call.kind)
        node = self._cluster.schemas.of(kind)
        if kind.name == "Service":
            addresses.synchronize(obj.get("spec") or {})
        fill(kind, node, obj)
        causes = check(kind, node, obj, old, call.part)
        if old is not None and call.part != "status":
            causes += check_update(kind, old, obj)
        if causes:
            raise answers.invalid(kind.group, kind.name, obj["metadata"].get("name", ""), causes)

    def _check_identity(self, call: Call, new: Json) -> None:
        meta = new["metadata"]
        name = meta.setdefault("name", call.name)
        if name != call.name:
            raise answers.bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({call.name})"
            )
        _check_namespace_field(call, meta)

    def _check_preconditions(self, kind: Kind, old: Json, new: Json) -> None:
        before, meta = old["metadata"], new["metadata"]
        version = meta.get("resourceVersion")
        if not version and kind.custom is not None:
            cause = Cause(
                "FieldValueInvalid",
                "Invalid value: 0x0: must be specified for an update",
                "metadata.resourceVersion",
            )
            raise answers.invalid(kind.group, kind.name, before["name"], [cause])
        uid = meta.get("uid")
        if uid and uid != before["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before['uid']}"
            raise answers.conflict(kind.group, kind.plural, before["name"], why)
        if version and version != before["resourceVersion"]:
            raise answers.modified(kind.group, kind.plural, before["name"])


def _object_with_meta(kind: Kind, obj: Json) -> Json:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {}} | obj


def _check_namespace_field(call: Call, meta: Json) -> None:
    if not call.kind.namespaced:
        meta.pop("namespace", None)
    elif meta.setdefault("namespace", call.namespace) != call.namespace:
        raise answers.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _kept_metadata(old: Json, given: Json) -> Json:
    """What the client may change of the metadata, and the rest as it was."""
    before = old["metadata"]
    kept = {name: given[name] for name in ("labels", "annotations", "ownerReferences") if given.get(name)}
    if given.get("finalizers"):
        kept["finalizers"] = given["finalizers"]
    fixed = {name: before[name] for name in SYSTEM if name in before}
    return kept | fixed | {"name": before["name"], "resourceVersion": before["resourceVersion"]}


def _only_part(kind: Kind, part: str, old: Json, new: Json) -> Json:
    """Of an update, what its subresource may touch: the status alone, or all but the status."""
    if part == "status":
        result = dict(copy.deepcopy(old))
        result.pop("status", None)
        return result | ({"status": new["status"]} if "status" in new else {})
    if not kind.has_status:
        return new
    new.pop("status", None)
    return new | ({"status": copy.deepcopy(old["status"])} if "status" in old else {})
