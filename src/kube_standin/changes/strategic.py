"""Strategic merge patch: lists that merge by key, and the $ directives."""

import copy
from typing import Any

from kube_standin.objects.schema import ANY, Node
from kube_standin.wire import answers
from kube_standin.wire.answers import Json

PATCH = "$patch"
ORDER = "$setElementOrder/"
DELETE = "$deleteFromPrimitiveList/"
RETAIN = "$retainKeys"


def strategic(node: Node, target: Json, patch: Json) -> Json:
    """The target with a strategic merge patch applied; neither is changed."""
    return _map(node, copy.deepcopy(target), copy.deepcopy(patch))


def _map(node: Node, target: Json, patch: Json) -> Json:
    given = dict(patch)
    match patch.pop(PATCH, "merge"):
        case "delete":
            return {}
        case "replace":
            return patch
        case "merge":
            pass
        case other:
            raise answers.failed(f"unknown patch type: {other} in map: {answers_map(given)}")
    retained = patch.pop(RETAIN, None)
    if retained is not None:
        target = {name: value for name, value in target.items() if name in retained}
    for directive in [name for name in patch if name.startswith(DELETE)]:
        name = directive.removeprefix(DELETE)
        gone = patch.pop(directive)
        if name in target:
            target[name] = [value for value in target[name] if value not in gone]
    orders = {
        name.removeprefix(ORDER): patch.pop(name)
        for name in [each for each in patch if each.startswith(ORDER)]
    }
    for name, value in patch.items():
        child = (node.fields.get(name) if node.type == "object" else node.item) or ANY
        _merge_field(child, target, name, value)
    for name, order in orders.items():
        child = (node.fields.get(name) if node.type == "object" else node.item) or ANY
        if name in target and child.merge_key is not None:
            target[name] = _ordered(target[name], order, child.merge_key)
    return target


def _merge_field(node: Node, target: Json, name: str, value: Any) -> None:
    current = target.get(name)
    if value is None:
        target.pop(name, None)
    elif isinstance(value, dict):
        replaced = value.get(PATCH) in {"delete", "replace"}
        merged = _map(node, current if isinstance(current, dict) else {}, value)
        if value.get(PATCH) == "delete" or (replaced and not merged):
            target.pop(name, None)
        else:
            target[name] = merged
    elif isinstance(value, list) and node.merge_key is not None:
        target[name] = _list(node, current if isinstance(current, list) else [], value)
    else:
        target[name] = value


def _list(node: Node, current: list[Any], patch: list[Any]) -> list[Any]:
    key = node.merge_key
    if not key:
        return current + [value for value in patch if value not in current]
    if any(isinstance(each, dict) and each.get(PATCH) == "replace" for each in patch):
        return [each for each in patch if not (isinstance(each, dict) and PATCH in each)]
    merged = list(current)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise answers.failed(f"map: {answers_map(item)} does not contain declared merge key: {key}")
        found = [index for index, each in enumerate(merged) if each.get(key) == item[key]]
        if item.get(PATCH) == "delete":
            merged = [each for each in merged if each.get(key) != item[key]]
        elif found:
            merged[found[0]] = _map(node.item or ANY, merged[found[0]], item)
        else:
            merged.append(_map(node.item or ANY, {}, item))
    return merged


def answers_map(item: Any) -> str:
    """An item as Go prints it."""
    if isinstance(item, dict):
        return "map[" + " ".join(f"{name}:{answers_map(item[name])}" for name in sorted(item)) + "]"
    return str(item)


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """The items in the patch's order; those that it does not name stay after the one that they followed."""
    places = {_identity(each, key): index for index, each in enumerate(order)}
    ranked, last = [], -1
    for index, item in enumerate(items):
        last = places.get(_identity(item, key), last)
        known = _identity(item, key) in places
        ranked.append(((last, not known, index), item))
    return [item for _, item in sorted(ranked, key=lambda each: each[0])]


def _identity(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item
