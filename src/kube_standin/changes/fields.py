"""Sets of fields, as managedFields writes them: an object flattened to paths, and paths taken apart again.

A path is a tuple of parts: `f:replicas` a field, `k:{"name":"nox-api"}` an item of a list by its keys,
`v:"a"` an item of a set. The path of a list's item stands for the item being there at all.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kube_standin.objects.lists import KEY_DEFAULTS
from kube_standin.objects.schema import ANY, Node
from kube_standin.wire.answers import Json

Path = tuple[str, ...]

PRESENT = object()  # the value of an item's own path
UNMANAGED = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
        "generateName",
    }
)


def flatten(node: Node, obj: Json) -> dict[Path, Any]:
    """Path -> value of every field of an object that somebody may own."""
    body = {name: value for name, value in obj.items() if name not in {"apiVersion", "kind"}}
    meta = {name: value for name, value in body.get("metadata", {}).items() if name not in UNMANAGED}
    body = {**body, "metadata": meta} if meta else {k: v for k, v in body.items() if k != "metadata"}
    return dict(_flatten(node, body, ()))


def item_part(node: Node, item: Any) -> str:
    """The part of a path that names an item of a list."""
    if node.is_set or not isinstance(item, dict):
        return "v:" + _compact(item)
    keys = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in node.apply_keys}
    return "k:" + _compact({key: value for key, value in keys.items() if value is not None})


def pack(paths: Iterable[Path]) -> Json:
    """The nested form that is stored."""
    packed: Json = {}
    owned = set(paths)
    for path in sorted(owned):
        place = packed
        for part in path:
            place = place.setdefault(part, {})
    for path in owned:
        place = packed
        for part in path:
            place = place[part]
        if place:
            place["."] = {}
    return packed


def unpack(packed: Mapping[str, Any]) -> set[Path]:
    return set(_unpack(packed, ()))


def describe(path: Path) -> str:
    """A path as messages name it: .spec.containers[name="nox-api"].image."""
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            text += (
                "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(rest).items()) + "]"
            )
        else:
            text += f"[={rest}]"
    return text


def merge(node: Node, live: Any, config: Any) -> Any:
    """What an apply makes of a live value: maps and keyed lists merge, the rest is replaced."""
    if node.atomic or node.type not in {"object", "map", "list"}:
        return config
    if isinstance(config, dict) and isinstance(live, dict):
        merged = dict(live)
        for name, value in config.items():
            merged[name] = merge(node.child(name) or ANY, live[name], value) if name in live else value
        return merged
    if isinstance(config, list) and isinstance(live, list):
        return _merge_items(node, live, config)
    return config


def without(node: Node, value: Any, path: Path) -> Any:
    """The value without the field or item at a path."""
    part, rest = path[0], path[1:]
    if isinstance(value, dict) and part.startswith("f:"):
        name = part[2:]
        if name not in value:
            return value
        if not rest:
            return {each: kept for each, kept in value.items() if each != name}
        return value | {name: without(node.child(name) or ANY, value[name], rest)}
    if isinstance(value, list):
        kept = [item for item in value if rest or item_part(node, item) != part]
        return [
            without(node.item or ANY, item, rest) if rest and item_part(node, item) == part else item
            for item in kept
        ]
    return value


def _flatten(node: Node, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    mergeable = node.type in {"object", "map", "list"} and not node.atomic
    if not mergeable or not value or not isinstance(value, dict | list):
        if path:
            yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _flatten(node.child(name) or ANY, each, (*path, f"f:{name}"))
    else:
        for item in value:
            here = (*path, item_part(node, item))
            yield here, PRESENT
            if not node.is_set:
                yield from _flatten(node.item or ANY, item, here)


def _unpack(packed: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for part, inner in packed.items():
        if part == ".":
            yield path
        elif inner:
            yield from _unpack(inner, (*path, part))
        else:
            yield (*path, part)


def _merge_items(node: Node, live: list[Any], config: list[Any]) -> list[Any]:
    """In the order of the live list, new items at its end; an order that the config changes wins."""
    wanted = {item_part(node, item): item for item in config}
    merged, seen = [], set()
    for item in live:
        part = item_part(node, item)
        seen.add(part)
        merged.append(merge(node.item or ANY, item, wanted[part]) if part in wanted else item)
    return merged + [item for part, item in wanted.items() if part not in seen]


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
