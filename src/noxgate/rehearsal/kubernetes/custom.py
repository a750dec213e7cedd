"""Custom kinds: what a stored CustomResourceDefinition serves, and whether an object fits its schema."""

import json
import re
from collections.abc import Iterator
from typing import Any

from noxgate.rehearsal.kubernetes.answers import Cause, Json
from noxgate.rehearsal.kubernetes.kinds import SCALE, STATUS, Kind
from noxgate.rehearsal.kubernetes.names import invalid, required
from noxgate.rehearsal.kubernetes.schema import Node

VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


def kinds_of(definition: Json) -> list[Kind]:
    """The kinds that a stored definition serves, one for each served version."""
    spec = definition["spec"]
    names = spec["names"]
    return [
        Kind(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            name=names["kind"],
            namespaced=spec["scope"] == "Namespaced",
            short=tuple(names.get("shortNames", ())),
            categories=tuple(names.get("categories", ())),
            parts=tuple(_parts(version)),
            verbs=VERBS,
            counts_generation=True,
            custom=version,
            singular_name=names.get("singular", names["kind"].lower()),
            list_kind=names.get("listKind", f"{names['kind']}List"),
        )
        for version in spec["versions"]
        if version.get("served")
    ]


def check_custom(node: Node, obj: Json) -> Iterator[Cause]:
    """What does not fit the schema, apart from the metadata."""
    for name in sorted(node.required):
        if name not in obj:
            yield required(name)
    for name, value in obj.items():
        child = node.fields.get(name)
        if child is not None and name not in {"apiVersion", "kind", "metadata"}:
            yield from _walk(child, value, name)


def _parts(version: Json) -> Iterator[Any]:
    subresources = version.get("subresources", {})
    if "scale" in subresources:
        yield SCALE
    if "status" in subresources:
        yield STATUS


def _walk(node: Node, value: Any, path: str) -> Iterator[Cause]:
    if value is None and node.rules.get("nullable"):
        return
    if node.type in {"object", "map"} and isinstance(value, dict):
        for name in sorted(node.required - set(value)):
            yield required(f"{path}.{name}")
        for name, each in value.items():
            child = node.child(name)
            if child is not None:
                yield from _walk(
                    child, each, f"{path}.{name}" if node.type == "object" else f"{path}[{name}]"
                )
    elif node.type == "list" and isinstance(value, list) and node.item is not None:
        for index, each in enumerate(value):
            yield from _walk(node.item, each, f"{path}[{index}]")
    yield from _limits(node, value, path)


def _limits(node: Node, value: Any, path: str) -> Iterator[Cause]:
    rules = node.rules
    shown = json.dumps(value, separators=(",", ":"))
    if "enum" in rules and value not in rules["enum"]:
        choices = ", ".join(json.dumps(choice) for choice in rules["enum"])
        yield Cause(
            "FieldValueNotSupported", f"Unsupported value: {shown}: supported values: {choices}", path
        )
    if isinstance(value, str) and "pattern" in rules and not re.search(rules["pattern"], value):
        yield invalid(path, shown, f"{path} in body should match '{rules['pattern']}'")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in rules and value < rules["minimum"]:
            yield invalid(
                path, shown, f"{path} in body should be greater than or equal to {rules['minimum']}"
            )
        if "maximum" in rules and value > rules["maximum"]:
            yield invalid(path, shown, f"{path} in body should be less than or equal to {rules['maximum']}")
    for limit, words, too_much in (("minItems", "at least", False), ("maxItems", "at most", True)):
        if isinstance(value, list) and limit in rules and len(value) != rules[limit]:
            if (len(value) > rules[limit]) is too_much:
                yield invalid(path, shown, f"{path} in body should have {words} {rules[limit]} items")
    for limit, words, too_much in (("minLength", "at least", False), ("maxLength", "at most", True)):
        if isinstance(value, str) and limit in rules and len(value) != rules[limit]:
            if (len(value) > rules[limit]) is too_much:
                yield invalid(path, shown, f"{path} in body should be {words} {rules[limit]} chars long")
