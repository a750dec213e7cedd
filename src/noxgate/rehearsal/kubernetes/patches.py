"""The PATCH requests: which kind of patch it is, what comes of it, and what is wrong with it."""

import copy
import json
from typing import Any

from noxgate.rehearsal.kubernetes import answers, conforming, decoding, owners, patching, syntax
from noxgate.rehearsal.kubernetes.access import Access
from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.call import APPLY, Call, is_true
from noxgate.rehearsal.kubernetes.causes import Cause
from noxgate.rehearsal.kubernetes.conforming import Reading, TypeMismatchError
from noxgate.rehearsal.kubernetes.schema import Node, Schemas
from noxgate.rehearsal.kubernetes.store import Store
from noxgate.rehearsal.kubernetes.strategic import strategic
from noxgate.rehearsal.kubernetes.writing import Writer

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class Patcher:
    """Patches objects of a cluster."""

    def __init__(self, writer: Writer, store: Store, schemas: Schemas, access: Access) -> None:
        self._writer = writer
        self._store = store
        self._schemas = schemas
        self._access = access

    def patch(self, call: Call) -> tuple[Json, bool]:
        """The object as patched, and whether an apply has created it."""
        if call.content_type in {APPLY, "application/apply-patch+cbor"}:
            return self._apply(call)
        old = self._writer.existing(call)
        node = self._schemas.of(call.kind)
        patched = self.patched(call, node, old)
        self._check_fixed(call, old, patched)
        return self._writer.replace(call, old, patched), False

    def patched(self, call: Call, node: Node, old: Json) -> Json:
        """An object with the request's patch applied, as its structure allows."""
        check_type(call)
        try:
            patch = syntax.parse(call.body)
        except ValueError as error:
            raise answers.bad_request(f"error decoding patch: {error}") from None
        shown = json.dumps(patch, separators=(",", ":"))
        if call.content_type == JSON_PATCH:
            result: Any = patching.json_patch(old, patch)
            shown = json.dumps(result, separators=(",", ":"))
        elif not isinstance(patch, dict):
            raise answers.bad_request(
                "error decoding patch: json: cannot unmarshal array into Go value of type map"
            )
        elif call.content_type == MERGE:
            result = patching.merge(old, patch)
            shown = json.dumps(result, separators=(",", ":"))
        else:
            result = strategic(node, old, patch)
            shown = decoding.as_go_prints(patch)
        return self._conform(call, node, result, shown)

    def _conform(self, call: Call, node: Node, result: Any, shown: str) -> Json:
        reading = Reading()
        try:
            obj: Json = conforming.conform(node, result, reading)
        except TypeMismatchError as error:
            raise _bad_patch(shown, str(error)) from None
        errors = reading.errors()
        if errors and call.directive == "Strict":
            raise _bad_patch(shown, f"strict decoding error: {', '.join(errors)}")
        if call.directive == "Warn":
            call.warnings.extend(errors)
        if not isinstance(obj.get("metadata"), dict):
            obj["metadata"] = {}
        return obj

    def _check_fixed(self, call: Call, old: Json, patched: Json) -> None:
        """A patch cannot make another object of it."""
        for name in ("apiVersion", "kind"):
            if patched.get(name, old[name]) != old[name]:
                given = patched[name]
                raise answers.bad_request(
                    f"{call.kind.name} in version {call.kind.version!r} cannot be handled as a {given}"
                )
            patched[name] = old[name]
        meta, before = patched["metadata"], old["metadata"]
        if meta.get("name", before["name"]) != before["name"]:
            raise answers.bad_request(
                f"the name of the object ({meta['name']}) does not match the name on the URL ({call.name})"
            )
        if meta.get("namespace", before.get("namespace")) != before.get("namespace"):
            raise answers.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if "resourceVersion" in before:
            meta.setdefault("resourceVersion", before["resourceVersion"])

    def _apply(self, call: Call) -> tuple[Json, bool]:
        kind, node = call.kind, self._schemas.of(call.kind)
        if not call.query.get("fieldManager"):
            cause = Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
            raise answers.invalid("meta.k8s.io", "PatchOptions", "", [cause])
        config = self._configuration(call, node)
        live = self._store.get(kind, call.namespace, call.name)
        if live is None:
            if call.part:
                raise answers.not_found(kind.group, kind.plural, call.name)
            self._access.require(call.user, call.target.action("create"))
        version = config["metadata"].get("resourceVersion")
        if live is not None and version and version != live["metadata"]["resourceVersion"]:
            raise answers.modified(kind.group, kind.plural, call.name)
        if call.part == "status":
            config = {
                name: config[name] for name in ("apiVersion", "kind", "metadata", "status") if name in config
            }
        elif kind.has_status:
            config.pop("status", None)
        force = is_true(call.query.get("force", ""))
        applier = self._writer.manager(call, "Apply")
        merged, managers = owners.apply(node, live, copy.deepcopy(config), applier, force=force)
        if live is None:
            return self._writer.create_object(call, merged, managers), True
        merged = copy.deepcopy(merged)
        merged["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        merged["metadata"]["uid"] = config["metadata"].get("uid", live["metadata"]["uid"])
        return self._writer.replace(call, live, merged, managers), False

    def _configuration(self, call: Call, node: Node) -> Json:
        try:
            given = syntax.parse(call.body, is_yaml=True)
        except ValueError as error:
            raise answers.bad_request(f"error decoding YAML: {error}") from None
        if not isinstance(given, dict):
            raise answers.bad_request("error decoding YAML: the configuration must be an object")
        for name, expected in (("apiVersion", call.kind.api_version), ("kind", call.kind.name)):
            if not given.get(name):
                raise answers.bad_request(f"Object '{name.title()}' is missing in the applied configuration")
            if given[name] != expected:
                raise answers.bad_request(
                    f"{given.get('apiVersion')}, Kind={given.get('kind')} cannot be applied as "
                    f"{call.kind.api_version}, Kind={call.kind.name}"
                )
        reading = Reading()
        try:
            config: Json = conforming.conform(node, given, reading)
        except TypeMismatchError as error:
            raise self._untyped(call, str(error)) from None
        if reading.unknown:
            raise self._untyped(
                call, "".join(f".{path}: field not declared in schema" for path in reading.unknown[:1])
            )
        meta = config.setdefault("metadata", {})
        if meta.get("managedFields"):
            raise answers.bad_request("metadata.managedFields must be nil")
        name = meta.setdefault("name", call.name)
        if name != call.name:
            raise answers.bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({call.name})"
            )
        return config

    def _untyped(self, call: Call, why: str) -> answers.RefusedError:
        name = f"{call.namespace}/{call.name}" if call.namespace else f"/{call.name}"
        what = f"({name}; {call.kind.api_version}, Kind={call.kind.name})"
        return answers.RefusedError(500, "", f"failed to create typed patch object {what}: {why}")


def check_type(call: Call) -> None:
    """A patch must say which kind it is; strategic merge is for built-in kinds."""
    known = {JSON_PATCH, MERGE, APPLY}
    if call.kind.custom is None:
        known.add(STRATEGIC)
    if call.content_type not in known:
        raise answers.unsupported_media_type()


def _bad_patch(shown: str, why: str) -> answers.RefusedError:
    cause = Cause("FieldValueInvalid", f'Invalid value: "{shown}": {why}', "patch")
    return answers.invalid("", "", "", [cause])
