"""How a live object differs from its manifest: what an apply would change, and what people added by hand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

# What the server writes itself, and what an apply by another tool leaves behind.
_SERVERS = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# `kubectl rollout restart` leaves an annotation: restarting pods is not editing them.
_NO_EDIT = {"kubectl-client-side-apply", "kubectl-create", "kubectl-rollout"}


def drift(manifest: Json, live: Json, wished: Json) -> list[str]:
    """The differences, one line each; `wished` is what a dry run of applying the manifest would leave."""
    changed = [
        f"{path}: is {_shown(path, now)}, the manifest says {_shown(path, then)}"
        for path, now, then in _differences("", _plain(live), _plain(wished))
    ]
    return changed + list(_by_hand(manifest, live))


def _plain(thing: Json) -> Json:
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _SERVERS}
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED
    }
    content = {key: value for key, value in thing.items() if key != "status"}
    return {**content, "metadata": {**metadata, "annotations": annotations}}


def _differences(path: str, now: Any, then: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        for key in sorted({*now, *then}):
            yield from _differences(f"{path}.{key}".lstrip("."), now.get(key), then.get(key))
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for index, (one, other) in enumerate(zip(now, then, strict=True)):
            yield from _differences(f"{path}[{_key(one, index)}]", one, other)
    elif now != then:
        yield path, now, then


def _by_hand(manifest: Json, live: Json) -> Iterator[str]:
    """Fields that an edit or an earlier apply owns and the manifest does not have: an apply keeps those."""
    for entry in live["metadata"].get("managedFields") or []:
        manager = str(entry.get("manager", ""))
        is_apply = entry.get("operation") == "Apply"
        is_edit = manager.startswith("kubectl-") and manager not in _NO_EDIT
        if entry.get("subresource") or not (is_apply or is_edit):
            continue
        for path, found in _owned("", entry.get("fieldsV1") or {}, [manifest]):
            if not found:
                yield f"{path}: set by {manager} at {entry.get('time')}, not in the manifest"


def _owned(path: str, fields: Json, here: Sequence[Any]) -> Iterator[tuple[str, bool]]:
    """The leaves of a field set (fieldsV1 of structured-merge-diff), and whether `here` has each."""
    children = {key: value for key, value in fields.items() if key != "."}
    if not children:
        yield path, bool(here)
    for key, below in children.items():
        kind, _, text = key.partition(":")
        match kind:
            case "f":
                name = f"{path}.{text}".lstrip(".")
                found = [each[text] for each in here if isinstance(each, Mapping) and text in each]
            case "k":
                wanted = json.loads(text)
                name = f"{path}[{', '.join(str(value) for value in wanted.values())}]"
                found = [
                    item for each in here if isinstance(each, list) for item in each if _has(item, wanted)
                ]
            case _:
                wanted = json.loads(text) if kind == "v" else text
                name = f"{path}[{wanted}]"
                found = [item for item in _items(here) if item == wanted]
        yield from _owned(name, below, found)


def _items(here: Sequence[Any]) -> list[Any]:
    return [item for each in here if isinstance(each, list) for item in each]


def _has(item: Any, wanted: Json) -> bool:
    """Whether a list's item has these keys; one left to the server's default may differ."""
    return isinstance(item, Mapping) and all(item.get(key, value) == value for key, value in wanted.items())


def _key(item: Any, index: int) -> object:
    return item.get("name", index) if isinstance(item, Mapping) else index


def _shown(path: str, value: Any) -> str:
    if value is None:
        return "absent"
    # what somebody typed into a live object may be a secret
    return (
        "another value" if ".env[" in path and path.endswith(".value") else json.dumps(value, sort_keys=True)
    )
