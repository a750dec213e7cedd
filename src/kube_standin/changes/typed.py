"""Whether a configuration that is applied has the types of its kind, in structured-merge-diff's words."""

import json
from collections.abc import Iterator
from typing import Any

from kube_standin.changes.fields import describe, item_part
from kube_standin.objects.schema import ANY, Node

TEXTS = frozenset({"string", "bytes", "time"})
NUMBERS = frozenset({"integer", "number"})


def errors(node: Node, value: Any, path: str) -> list[str]:
    """Every value of another type, every field that is not declared, every item that is there twice."""
    return list(_errors(node, value, path))


def _errors(node: Node, value: Any, path: str) -> Iterator[str]:
    if value is None or node.type == "any":
        return
    if node.type in {"object", "map"}:
        yield from _fields(node, value, path)
    elif node.type == "list":
        yield from _items(node, value, path)
    elif node.type in TEXTS:
        if not isinstance(value, str):
            yield f"{path}: expected string, got &value.valueUnstructured{{Value:{_go_value(value)}}}"
    elif node.type in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{path}: expected numeric (int or float), got {_go_type(value)}"
    elif node.type == "boolean" and not isinstance(value, bool):
        yield f"{path}: expected boolean, got {_go_type(value)}"


def _fields(node: Node, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected map, got &{{{_plain(value)}}}"
        return
    for name in sorted(value):
        child = node.child(name)
        if child is None and not node.keeps_unknown:
            yield f"{path}.{name}: field not declared in schema"
        else:
            yield from _errors(child or ANY, value[name], f"{path}.{name}")


def _items(node: Node, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: expected list, got &{{{_plain(value)}}}"
        return
    keyed = bool(node.apply_keys) or node.is_set
    seen: set[str] = set()
    for index, item in enumerate(value):
        if not keyed:
            yield from _errors(node.item or ANY, item, f"{path}[{index}]")
            continue
        if node.apply_keys and not isinstance(item, dict):
            yield f"{path}: element {index}: associative list with keys may not have non-map elements"
            continue
        missing = [
            key for key in node.apply_keys if key not in item and key not in {"protocol", "whenUnsatisfiable"}
        ]
        if missing:
            listed = ", ".join(f'"{key}"' for key in node.apply_keys)
            word = "keys" if len(node.apply_keys) > 1 else "key"
            why = f"associative list with {word} has an element that omits key field {json.dumps(missing[0])}"
            yield f"{path}: element {index}: {why} (and doesn't have default value)" if listed else ""
            continue
        part = item_part(node, item)
        shown = describe((part,))
        if part in seen:
            yield f"{path}: duplicate entries for key {shown}"
        seen.add(part)
        yield from _errors(node.item or ANY, item, f"{path}{shown}")


def _go_type(value: Any) -> str:
    names = {bool: "bool", str: "string", int: "int64", float: "float64", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")


def _go_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else json.dumps(value)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
