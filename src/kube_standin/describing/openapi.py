"""The OpenAPI v3 documents that kubectl insists on: the structure of each kind, and how its lists merge."""

import hashlib
import json
from collections.abc import Iterable

from kube_standin.objects.kinds import Kind
from kube_standin.objects.schema import Node, Schemas
from kube_standin.wire.answers import Json

PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
SCALARS: dict[str, Json] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "number": {"type": "number"},
    "time": {"type": "string", "format": "date-time"},
    "bytes": {"type": "string", "format": "byte"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int-or-string": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
}


def index(kinds: Iterable[Kind]) -> Json:
    """Where the document of each group and version is; the hash lets clients keep it."""
    paths = {}
    listed = list(kinds)
    for kind in listed:
        place = f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"
        same = [each for each in listed if each.api_version == kind.api_version]
        mark = hashlib.sha256(repr(same).encode()).hexdigest().upper()
        paths[place] = {"serverRelativeURL": f"/openapi/v3/{place}?hash={mark}"}
    return {"paths": paths}


def document(kinds: Iterable[Kind], schemas: Schemas, place: str) -> Json | None:
    """The document of one group and version, by its path in the index."""
    served = [
        kind
        for kind in kinds
        if place == (f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}")
    ]
    if not served:
        return None
    components: Json = {}
    paths: Json = {}
    for kind in served:
        name = _add(components, schemas.of(kind), kind)
        gvk = {"group": kind.group, "version": kind.version, "kind": kind.name}
        components[name]["x-kubernetes-group-version-kind"] = [gvk]
        paths[_path(kind, place)] = _operations(kind, name, gvk)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": paths,
        "components": {"schemas": components},
    }


def _path(kind: Kind, place: str) -> str:
    namespaced = "namespaces/{namespace}/" if kind.namespaced else ""
    return f"/{place}/{namespaced}{kind.plural}/{{name}}"


def _operations(kind: Kind, name: str, gvk: Json) -> Json:
    schema = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    answer = {"200": {"description": "OK", "content": {"application/json": schema}}}
    query = [
        {"name": each, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for each in ("dryRun", "fieldManager", "fieldValidation", "force")
    ]
    types = PATCHES if kind.custom is None else PATCHES[:3]
    operations: Json = {"get": {"x-kubernetes-action": "get", "responses": answer}}
    for method, action, accepted in (("put", "put", ("*/*",)), ("patch", "patch", types)):
        operations[method] = {
            "x-kubernetes-action": action,
            "parameters": query,
            "requestBody": {"content": dict.fromkeys(accepted, schema), "required": True},
            "responses": answer,
        }
    for operation in operations.values():
        operation["x-kubernetes-group-version-kind"] = gvk
    return operations


def _add(components: Json, node: Node, kind: Kind) -> str:
    """Add a structure and all that it holds; returns its name."""
    name = f"io.k8s.api.{kind.group.split('.')[0] or 'core'}.{kind.version}.{node.model}"
    if name not in components:
        components[name] = {}  # before its fields: some structures hold themselves
        components[name] |= _structure(components, node, kind)
    return name


def _structure(components: Json, node: Node, kind: Kind) -> Json:
    schema: Json = {
        "type": "object",
        "properties": {field: _field(components, child, kind) for field, child in node.fields.items()},
    }
    if node.required:
        schema["required"] = sorted(node.required)
    if node.atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    return schema


def _field(components: Json, node: Node, kind: Kind) -> Json:
    schema: Json
    match node.type:
        case "object" if node.model:
            schema = {
                "allOf": [{"$ref": f"#/components/schemas/{_add(components, node, kind)}"}],
                "default": {},
            }
            if node.retain_keys:
                schema["x-kubernetes-patch-strategy"] = "retainKeys"
            return schema
        case "object":
            return _structure(components, node, kind)
        case "map":
            values = _field(components, node.item, kind) if node.item else {}
            return {"type": "object", "additionalProperties": values}
        case "list":
            items = _field(components, node.item, kind) if node.item else {}
            return {"type": "array", "items": items, **_merging(node)}
        case _:
            copied: Json = json.loads(json.dumps(SCALARS[node.type]))
            return copied


def _merging(node: Node) -> Json:
    found: Json = {}
    if node.merge_key is not None:
        found["x-kubernetes-patch-strategy"] = "merge,retainKeys" if node.retain_keys else "merge"
        if node.merge_key:
            found["x-kubernetes-patch-merge-key"] = node.merge_key
    if node.apply_keys:
        found |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(node.apply_keys)}
    else:
        found["x-kubernetes-list-type"] = "set" if node.is_set else "atomic"
    return found
