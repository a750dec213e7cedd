"""The structure of objects: from the official client's models, or from a custom kind's definition."""

import importlib
import re
import threading
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kube_standin.objects import lists
from kube_standin.objects.builtin import BUILT_IN
from kube_standin.objects.kinds import Kind

MODELS = "kubernetes.client.models"
SCALARS = {str: "string", int: "integer", bool: "boolean", float: "number", datetime: "time"}


@dataclass
class Node:
    """What one place in an object may hold, and how it merges."""

    type: str  # object list map string integer boolean number time quantity bytes int-or-string any
    model: str = ""  # the Go type, as messages name it
    fields: dict[str, "Node"] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    item: "Node | None" = None
    merge_key: str | None = None  # a list that strategic merge merges: by this key, or "" by value
    apply_keys: tuple[str, ...] = ()  # a list that apply merges by these keys
    is_set: bool = False  # a list that apply merges by value
    atomic: bool = False  # replaced whole by apply
    retain_keys: bool = False
    keeps_unknown: bool = False
    rules: Mapping[str, Any] = field(default_factory=dict)  # of a custom kind: its OpenAPI schema

    def child(self, name: str) -> "Node | None":
        """The node of a field, or of a map's or list's item."""
        return self.fields.get(name) if self.type == "object" else self.item


ANY = Node("any", keeps_unknown=True)


class Schemas:
    """Nodes by kind, made when first asked for: the client's models take a second to import."""

    def __init__(self) -> None:
        self._types: dict[Any, Node] = {}
        self._lock = threading.RLock()  # a node is in the table before it is whole
        self._custom: dict[tuple[str, str, str], tuple[Any, Node]] = {}

    def of(self, kind: Kind) -> Node:
        if kind.custom is None:
            return self.of_model(kind.model)
        key = (kind.group, kind.version, kind.plural)
        known = self._custom.get(key)
        if known is None or known[0] is not kind.custom:
            known = (kind.custom, self._custom_root(kind))
            self._custom[key] = known
        return known[1]

    def of_model(self, name: str) -> Node:
        """The node of one of the client's models, by its class name."""
        with self._lock:
            module = importlib.import_module(f"{MODELS}.{_snake(name)}")
            return self._from_type(getattr(module, name), ("", ""))

    def warm_up(self) -> None:
        """Make all of them, so that no request has to wait for an import."""
        for kind in BUILT_IN:
            self.of(kind)

    def _custom_root(self, kind: Kind) -> Node:
        root = from_openapi(kind.custom.get("schema", {}).get("openAPIV3Schema", {}))
        root.model = kind.name
        root.fields |= {
            "apiVersion": Node("string"),
            "kind": Node("string"),
            "metadata": self.of_model("V1ObjectMeta"),
        }
        return root

    def _from_type(self, annotation: Any, place: tuple[str, str]) -> Node:
        """A node for a model's annotation; `place` is the type and field where it stands."""
        if typing.get_origin(annotation) is typing.Annotated:
            return self._from_type(typing.get_args(annotation)[0], place)
        if annotation in SCALARS:
            return Node("quantity" if place in lists.QUANTITIES else SCALARS[annotation])
        if hasattr(annotation, "model_fields"):
            return self._model(annotation)
        return self._composed(annotation, place)

    def _composed(self, annotation: Any, place: tuple[str, str]) -> Node:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in {typing.Union, types.UnionType}:
            return self._union([each for each in arguments if each is not type(None)], place)
        if origin is list:
            return self._list(self._from_type(arguments[0], place), place)
        return self._map(arguments[1], place) if origin is dict else ANY

    def _map(self, annotation: Any, place: tuple[str, str]) -> Node:
        item = Node("bytes") if place in lists.BYTES else self._from_type(annotation, place)
        return Node("map", item=item, atomic=place in lists.ATOMIC_MAPS)

    def _union(self, members: list[Any], place: tuple[str, str]) -> Node:
        if len(members) == 1:
            return self._from_type(members[0], place)
        found = {self._from_type(member, place).type for member in members}
        return Node("int-or-string") if found == {"integer", "string"} else ANY

    def _list(self, item: Node, place: tuple[str, str]) -> Node:
        merge_key = lists.STRATEGIC.get(place)
        keys = lists.APPLY.get(place, (merge_key,) if merge_key else ())
        whole = place in lists.ATOMIC_FOR_APPLY
        return Node(
            "list",
            item=item,
            merge_key=merge_key,
            apply_keys=() if whole else keys,
            is_set=merge_key == "",
            atomic=whole or (not keys and merge_key != ""),
            retain_keys=place in lists.RETAIN_KEYS,
        )

    def _model(self, model: Any) -> Node:
        if model in self._types:
            return self._types[model]
        name = re.sub(r"^[A-Z][a-z]*?(?=V\d)", "", model.__name__)
        name = re.sub(r"^V\d+((alpha|beta)\d+)?", "", name)
        node = Node("object", model=name, atomic=name in lists.ATOMIC_TYPES)
        self._types[model] = node  # before its fields: some types hold themselves
        required = set()
        for python_name, info in model.model_fields.items():
            alias = info.validation_alias or python_name
            json_name = alias if isinstance(alias, str) else alias.choices[0]
            child = self._from_type(info.annotation, (name, json_name))
            if (name, json_name) in lists.RETAIN_KEYS and child.type == "object":
                child.retain_keys = True
            node.fields[json_name] = child
            if info.is_required():
                required.add(json_name)
        node.required = frozenset(required)
        return node


def from_openapi(schema: Mapping[str, Any]) -> Node:
    """The node of a custom kind's OpenAPI schema."""
    if schema.get("x-kubernetes-int-or-string"):
        return Node("int-or-string", rules=schema)
    keeps = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    kind = schema.get("type", "")
    if kind == "array":
        list_type = schema.get("x-kubernetes-list-type", "atomic")
        return Node(
            "list",
            item=from_openapi(schema.get("items", {})),
            apply_keys=tuple(schema.get("x-kubernetes-list-map-keys", ())) if list_type == "map" else (),
            is_set=list_type == "set",
            atomic=list_type == "atomic",
            rules=schema,
        )
    values = schema.get("additionalProperties")
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    if kind == "object" and values:
        item = from_openapi(values) if isinstance(values, Mapping) else ANY
        return Node("map", item=item, atomic=atomic, rules=schema)
    if kind == "object" or "properties" in schema:
        return Node(
            "object",
            fields={name: from_openapi(value) for name, value in schema.get("properties", {}).items()},
            required=frozenset(schema.get("required", ())),
            atomic=atomic,
            keeps_unknown=keeps,
            rules=schema,
        )
    if kind in {"string", "integer", "boolean", "number"}:
        return Node(kind, rules=schema)
    return Node("any", keeps_unknown=True, rules=schema)


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", "_", words).lower()
