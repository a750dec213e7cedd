"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386)."""

import copy
import re
from typing import Any

from kube_standin.wire import answers
from kube_standin.wire.answers import Json

MOST_OPERATIONS = 10_000


def merge(target: Any, patch: Any) -> Any:
    """The target with a merge patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def json_patch(target: Json, operations: Any) -> Any:
    """The target with the operations applied; RefusedError as soon as one does not fit."""
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise answers.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    if len(operations) > MOST_OPERATIONS:
        raise answers.RefusedError(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, "
            f"got {len(operations)}",
        )
    document = copy.deepcopy(target)
    for operation in operations:
        document = _operate(document, operation)
    return document


def _operate(document: Any, operation: Json) -> Any:
    path = _pointer(operation.get("path"))
    match operation.get("op"):
        case "test":
            if _get(document, path, or_none="value" in operation and operation["value"] is None) != _value(
                operation
            ):
                raise answers.unpatchable()
            return document
        case "add":
            return _add(document, path, _value(operation))
        case "remove":
            return _remove(document, path)
        case "replace":
            return _replace(document, path, _value(operation))
        case "move":
            source = _pointer(operation.get("from"))
            moved = _get(document, source)
            return _add(_remove(document, source), path, moved)
        case "copy":
            return _add(document, path, copy.deepcopy(_get(document, _pointer(operation.get("from")))))
        case _:
            raise answers.unpatchable()


def _value(operation: Json) -> Any:
    if "value" not in operation:
        raise answers.unpatchable()
    return copy.deepcopy(operation["value"])


def _pointer(text: Any) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise answers.unpatchable()
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _get(document: Any, path: list[str], *, or_none: bool = False) -> Any:
    for name in path:
        if isinstance(document, dict) and name in document:
            document = document[name]
        elif isinstance(document, list):
            document = document[_index(document, name)]
        elif or_none and isinstance(document, dict):
            return None
        else:
            raise answers.unpatchable()
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, name = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[name] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if name == "-" else _index(parent, name, last=len(parent)), value)
    else:
        raise answers.unpatchable()
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, name = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent[_index(parent, name)] = value
    elif isinstance(parent, dict):
        parent[name] = value  # the server's library asks for no key that is there already
    else:
        raise answers.unpatchable()
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise answers.unpatchable()
    _get(document, path)
    parent, name = _get(document, path[:-1]), path[-1]
    del parent[_index(parent, name) if isinstance(parent, list) else name]
    return document


def _index(items: list[Any], name: str, last: int | None = None) -> int:
    """The index that a pointer's part names. Negative ones count from the end, as in the real server."""
    if not re.fullmatch(r"-?\d{1,9}", name):
        raise answers.unpatchable()
    index = int(name)
    limit = len(items) - 1 if last is None else last
    if index < 0:
        index += len(items)
    if not 0 <= index <= limit:
        raise answers.unpatchable()
    return index
