"""The objects of a document as kubectl takes it apart: lists by their items, metadata by its types."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from noxgate.errors import NoxgateError

Json = Mapping[str, Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)", re.ASCII)
_OWNER = {
    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), "text"),
    **dict.fromkeys(("controller", "blockOwnerDeletion"), "bool"),
}
_WRITER = {
    **dict.fromkeys(("manager", "operation", "apiVersion", "fieldsType", "subresource"), "text"),
    "time": "time",
}
# What kubectl's own types want of metadata; what is not named here may be anything.
_METADATA: Mapping[str, Any] = {
    **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), "text"),
    **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), "whole number"),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), "time"),
    **dict.fromkeys(("labels", "annotations"), "texts by key"),
    "finalizers": ["text"],
    "ownerReferences": [_OWNER],
    "managedFields": [_WRITER],
}


class ManifestError(NoxgateError, AssertionError):
    """A manifest cannot be read: one line that names the file, and the line in it."""


def objects(where: str, content: Any) -> Iterator[Json]:
    """The object, or each of its items if it has some. Raises ManifestError if one is not an object."""
    if not isinstance(content, dict):
        raise ManifestError(f"{where}: expected an object with a kind, saw {_seen(content)}")
    kind = _kind(content)
    if not kind:
        raise ManifestError(f"{where}: expected an object with a kind, saw {_seen(content)}")
    wanted = {"apiVersion": "text", "metadata": _METADATA}
    for path, expected, seen in _misfits("", content, wanted):
        raise ManifestError(f"{where}: expected {path} of {kind} as {expected}, saw {seen}")
    if "items" in content:
        yield from _items(where, kind, content)
    else:
        yield content


def _items(where: str, kind: str, content: Json) -> Iterator[Json]:
    items = [] if content["items"] is None else content["items"]
    if not isinstance(items, list):
        raise ManifestError(f"{where}: expected a list of items in {kind}, saw {_seen(items)}")
    for item in items:
        if item is not None and not isinstance(item, dict):
            raise ManifestError(f"{where}: expected an object with a kind, saw {_seen(item)}")
        each = item or {}
        if not _text(each, "kind") and not _text(each, "apiVersion"):  # a list says it for all
            each = {**each, "kind": kind.removesuffix("List"), "apiVersion": content.get("apiVersion")}
        if not _kind(each) or not _text(each, "apiVersion"):
            raise ManifestError(f"{where}: expected a kind and apiVersion of each item, saw {_seen(item)}")
        if "items" in each:
            raise ManifestError(f"{where}: expected no list within a list, saw {each['kind']}")
        yield each


def _kind(content: Json) -> str:
    """None, as for kubectl, where apiVersion is not one of group/version."""
    return "" if _text(content, "apiVersion").count("/") > 1 else _text(content, "kind")


def _text(content: Json, key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _misfits(path: str, value: Any, wanted: Any) -> Iterator[tuple[str, str, str]]:
    """Where something is not of the type that is wanted, and what stands there; null is of every type."""
    if value is None:
        return
    if isinstance(wanted, str) and wanted != "texts by key":
        if not _fits(value, wanted):
            yield (
                path,
                wanted,
                _shown(value) + (", which is not text without quotes" if wanted == "text" else ""),
            )
    elif isinstance(wanted, list):
        if not isinstance(value, list):
            yield path, "a list", _seen(value)
            return
        for number, each in enumerate(value):
            yield from _misfits(f"{path}[{number}]", each, wanted[0])
    elif not isinstance(value, dict):
        yield path, "a mapping", _seen(value)
    else:
        for key, each in value.items():
            inner = "text" if wanted == "texts by key" else wanted.get(key)
            if inner is not None:
                yield from _misfits(f"{path}.{key}".lstrip("."), each, inner)


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "text":
        return isinstance(value, str)
    if wanted == "bool":
        return isinstance(value, bool)
    if wanted == "time":
        return isinstance(value, str) and _TIME.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int | float) else _seen(value)


def _seen(content: Any) -> str:
    if isinstance(content, dict):
        return f"the keys {', '.join(map(str, content)) or '(none)'}"
    return type(content).__name__
