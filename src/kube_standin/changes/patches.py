"""The PATCH requests: which kind of patch it is, what comes of it, and what is wrong with it."""

import copy
import json
from typing import Any

from kube_standin.changes import owners, patching, typed
from kube_standin.changes.strategic import strategic
from kube_standin.changes.writing import Writer
from kube_standin.objects.conversions import from_stored
from kube_standin.objects.schema import Node, Schemas
from kube_standin.objects.store import Store
from kube_standin.validation import conforming
from kube_standin.validation.conforming import Reading, TypeMismatchError
from kube_standin.wire import answers, decoding, syntax
from kube_standin.wire.access import Access
from kube_standin.wire.answers import Json
from kube_standin.wire.call import APPLY, Call, is_true
from kube_standin.wire.causes import Cause

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
            kind = {list: "array", str: "string", bool: "bool"}.get(type(patch), "number")
            why = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
            raise answers.bad_request(f"error decoding patch: {why}")
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
                    f'{call.kind.name} in version "{call.kind.version}" cannot be handled as a {given}'
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
        config = self._configuration(call, node)
        stored = self._store.get(kind, call.namespace, call.name)
        live = None if stored is None else from_stored(kind, stored)
        if live is None:
            if call.part:
                raise answers.not_found(kind.group, kind.plural, call.name)
            self._access.require(call.user, call.target.action("create"))
            uid = config["metadata"].get("uid")
            if uid:
                why = (
                    f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                )
                raise answers.conflict(kind.group, kind.plural, call.name, why)
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
            why = "error converting YAML to JSON" if given is None else "json: cannot unmarshal into a map"
            raise answers.bad_request(f"error decoding YAML: {why}")
        if call.directive == "Strict":
            try:
                syntax.check_keys(call.body)
            except ValueError as error:
                raise answers.bad_request(f"error strict decoding YAML: {error}") from None
        self._check_kind(call, given)
        errors = typed.errors(node, given, "")
        if errors:
            raise self._untyped(call, given, errors)
        reading = Reading()
        try:
            config: Json = conforming.conform(node, given, reading)
        except TypeMismatchError as error:
            raise self._untyped(call, given, [str(error)]) from None
        meta = config.setdefault("metadata", {})
        if meta.get("managedFields"):
            raise answers.bad_request("metadata.managedFields must be nil")
        name = meta.setdefault("name", call.name)
        if name != call.name:
            raise answers.bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({call.name})"
            )
        return config

    def _check_kind(self, call: Call, given: Json) -> None:
        kind, version = given.get("kind") or "", given.get("apiVersion") or ""
        if not kind or not version:
            raise answers.bad_request(f"invalid object type: {_full_name(version, kind)}")
        if (version, kind) != (call.kind.api_version, call.kind.name):
            wanted = _full_name(call.kind.api_version, call.kind.name)
            raise answers.bad_request(f"{_full_name(version, kind)} cannot be applied as {wanted}")

    def _untyped(self, call: Call, given: Json, errors: list[str]) -> answers.RefusedError:
        meta = given.get("metadata")
        namespace = meta.get("namespace", "") if isinstance(meta, dict) else ""
        name = meta.get("name", "") if isinstance(meta, dict) else ""
        what = f"({namespace}/{name}; {_full_name(call.kind.api_version, call.kind.name)})"
        why = errors[0] if len(errors) == 1 else "errors:" + "".join(f"\n  {each}" for each in errors)
        return answers.failed(f"failed to create typed patch object {what}: {why}")


def _full_name(api_version: str, kind: str) -> str:
    """A kind as the server's own messages write it."""
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


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
