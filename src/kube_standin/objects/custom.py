"""Custom kinds: what a stored CustomResourceDefinition serves, and whether an object fits its schema."""

import json
import re
from collections.abc import Iterator
from typing import Any

from kube_standin.objects.kinds import SCALE, STATUS, Kind
from kube_standin.objects.schema import Node
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, invalid, required, show

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
    wanted = node.rules.get("type")
    if wanted and not _is_type(value, wanted):
        given = _type_of(value)
        yield invalid(path, f'"{given}"', f'{path} in body must be of type {wanted}: "{given}"')
        return
    if node.type in {"object", "map"} and isinstance(value, dict):
        for name in sorted(node.required - set(value)):
            yield required(f"{path}.{name}")
        for name, each in value.items():
            child = node.child(name)
            if child is not None:
                below = f"{path}.{name}" if node.type == "object" else f"{path}[{name}]"
                yield from _walk(child, each, below)
    elif node.type == "list" and isinstance(value, list) and node.item is not None:
        for index, each in enumerate(value):
            yield from _walk(node.item, each, f"{path}[{index}]")
    yield from _choice(node, value, path)
    yield from _bounds(node, value, path)


def _is_type(value: Any, wanted: str) -> bool:
    given = _type_of(value)
    return given == wanted or (wanted == "number" and given == "integer")


def _type_of(value: Any) -> str:
    names = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        type(None): "null",
    }
    return names.get(type(value), "object")


def _choice(node: Node, value: Any, path: str) -> Iterator[Cause]:
    rules = node.rules
    if "enum" in rules and value not in rules["enum"]:
        choices = ", ".join(json.dumps(choice) for choice in rules["enum"])
        message = f"Unsupported value: {show(value)}: supported values: {choices}"
        yield Cause("FieldValueNotSupported", message, path)
    if isinstance(value, str) and "pattern" in rules and not re.search(rules["pattern"], value):
        yield invalid(path, show(value), f"{path} in body should match '{rules['pattern']}'")


def _bounds(node: Node, value: Any, path: str) -> Iterator[Cause]:
    """Limits of a number, of a list's length and of a text's length."""
    for kind, lower, upper, unit in BOUNDS:
        if not isinstance(value, kind) or isinstance(value, bool):
            continue
        size = value if isinstance(value, int | float) else len(value)
        if lower in node.rules and size < node.rules[lower]:
            words = {"": "greater than or equal to", "chars": "at least"}.get(unit, "have at least")
            yield _out_of_bounds(path, value, words, node.rules[lower], unit)
        if upper in node.rules and size > node.rules[upper]:
            words = {"": "less than or equal to", "chars": "at most"}.get(unit, "have at most")
            yield _out_of_bounds(path, value, words, node.rules[upper], unit)


def _out_of_bounds(path: str, value: Any, words: str, limit: Any, unit: str) -> Cause:
    end = {"": "", "chars": " chars long"}.get(unit, f" {unit}")
    be = "" if unit == "items" else "be "
    return invalid(path, show(value), f"{path} in body should {be}{words} {limit}{end}")


# What is limited, the schema's names of its limits, and the unit in the message
BOUNDS: tuple[tuple[Any, str, str, str], ...] = (
    (int | float, "minimum", "maximum", ""),
    (list, "minItems", "maxItems", "items"),
    (str, "minLength", "maxLength", "chars"),
)
