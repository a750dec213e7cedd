"""What the server fills in: the defaults of each type, and the empty values that Go always writes."""

from typing import Any

from kube_standin.changes.computed import COMPUTED, WHOLE
from kube_standin.changes.filled import ALWAYS, PLAIN
from kube_standin.objects.kinds import Kind
from kube_standin.objects.schema import Node
from kube_standin.wire.answers import Json


def fill(kind: Kind, node: Node, obj: Json) -> None:
    """Fill in an object of a built-in kind, or what a custom kind's schema says, in place."""
    if kind.custom is None:
        _fill(node, obj)
        if kind.name in WHOLE:
            WHOLE[kind.name](obj)
    else:
        _fill_custom(node, obj)


def _fill(node: Node, value: Any) -> None:
    if isinstance(value, dict):
        if node.type == "object":
            _fill_fields(node.model, value)
        for name, each in value.items():
            child = node.child(name)
            if child is not None:
                _fill(child, each)
    elif isinstance(value, list) and node.item is not None:
        for each in value:
            _fill(node.item, each)


def _fill_fields(model: str, value: Json) -> None:
    for table in (PLAIN, ALWAYS):
        for name, given in table.get(model, {}).items():
            if name not in value:
                value[name] = _fresh(given)
    if model in COMPUTED:
        COMPUTED[model](value)


def _fill_custom(node: Node, value: Any) -> None:
    if isinstance(value, dict):
        for name, child in node.fields.items():
            if name not in value and "default" in child.rules:
                value[name] = _fresh(child.rules["default"])
        for name, each in value.items():
            if (child_node := node.child(name)) is not None:
                _fill_custom(child_node, each)
    elif isinstance(value, list) and node.item is not None:
        for each in value:
            _fill_custom(node.item, each)


def _fresh(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _fresh(each) for name, each in value.items()}
    return [_fresh(each) for each in value] if isinstance(value, list) else value
