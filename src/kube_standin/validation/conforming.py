"""An object as its structure allows it: types checked, unknown fields noted, empty values dropped."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kube_standin.objects import quantities
from kube_standin.objects.schema import Node
from kube_standin.wire.answers import Json
from kube_standin.wire.syntax import Repeating

# What Go does not write when it is empty: pointers are written, values are not
KEPT_EMPTY = frozenset({"storageClassName", "ingressClassName", "name", "type", "key", "operator", "status"})


KEPT_LISTS = frozenset({"rules", "currentMetrics", "template"})


DROPPED_FALSE = frozenset(
    {"hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "paused", "unschedulable"}
)


DROPPED_ZERO = frozenset({"minReadySeconds", "initialDelaySeconds", "hostPort", "nodePort"})


KEPT_COUNTS = frozenset({"collisionCount"})


INT64 = frozenset(
    {
        "activeDeadlineSeconds",
        "fsGroup",
        "generation",
        "observedGeneration",
        "runAsGroup",
        "runAsUser",
        "terminationGracePeriodSeconds",
        "tolerationSeconds",
    }
)


GO_TYPES = {
    "string": "string",
    "boolean": "bool",
    "number": "float64",
    "time": "string",
    "bytes": "[]uint8",
    "int-or-string": "intstr.IntOrString",
}
PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": int | float,
    "time": str,
    "bytes": str,
    "int-or-string": int | str,
}


class TypeMismatchError(Exception):
    """A value is of the wrong type; the message is the server's."""


@dataclass
class Reading:
    """What was noticed while an object was read: fields that are not in its structure, or came twice."""

    unknown: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    def errors(self) -> list[str]:
        return [f'unknown field "{path}"' for path in self.unknown] + [
            f'duplicate field "{path}"' for path in self.twice
        ]


def conform(node: Node, value: Any, reading: Reading, path: str = "") -> Any:
    """A copy of `value` as its structure allows it: what Go would read and write again.

    Unknown fields are noted and left out, empty values dropped, quantities shortened. TypeMismatchError
    names the first value of the wrong type.
    """
    if node.type == "any":
        return value
    read = READERS.get(node.type, _scalar)
    try:
        return read(node, value, reading, path)
    except TypeMismatchError:
        if node.rules:  # a custom object is read as it is: its schema says later what is wrong
            return value
        raise


def _object(node: Node, value: Any, reading: Reading, path: str) -> Json:
    if not isinstance(value, dict):
        raise _mismatch(value, f"v1.{node.model or 'object'}", path)
    reading.twice += [_join(path, name) for name in getattr(value, "repeated", ())]
    found: Json = {}
    for name, given in value.items():
        child = node.fields.get(name)
        here = _join(path, name)
        if child is None:
            if node.keeps_unknown:
                found[name] = given
            else:
                reading.unknown.append(here)
            continue
        if given is None:
            continue
        try:
            read = conform(child, given, reading, here)
        except TypeMismatchError as error:
            raise _with_struct(error, node) from None
        if not _is_dropped(node, name, read):
            found[name] = read
    return found


def _map(node: Node, value: Any, reading: Reading, path: str) -> Json:
    item = node.item or Node("any")
    if not isinstance(value, dict):
        raise _mismatch(value, f"map[string]{GO_TYPES.get(item.type, item.type)}", path)
    reading.twice += [_join(path, name) for name in getattr(value, "repeated", ())]
    empty = "" if item.type in {"string", "bytes"} else None
    return {
        name: empty if given is None else conform(item, given, reading, _join(path, name))
        for name, given in value.items()
        if given is not None or empty is not None
    }


def _list(node: Node, value: Any, reading: Reading, path: str) -> list[Any]:
    item = node.item or Node("any")
    if not isinstance(value, list):
        raise _mismatch(value, f"[]{f'v1.{item.model}' if item.model else item.type}", path)
    return [conform(item, given, reading, f"{path}[{index}]") for index, given in enumerate(value)]


def _scalar(node: Node, value: Any, _: Reading, path: str) -> Any:
    if node.type == "quantity":
        return _quantity(value, path)
    if node.type == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    fits = isinstance(value, PYTHON_TYPES[node.type])
    if not fits or (isinstance(value, bool) and node.type != "boolean"):
        raise _mismatch(value, _go_type(node, path), path)
    if node.type == "bytes":
        _check_base64(value)
    if node.type == "time":
        _check_time(value)
    return value


def _go_type(node: Node, path: str) -> str:
    if node.type == "integer":
        return "int64" if path.rpartition(".")[2] in INT64 else "int32"
    return GO_TYPES[node.type]


def _quantity(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _mismatch(value, "resource.Quantity", path)
    try:
        return quantities.canonical(value)
    except ValueError as error:
        raise TypeMismatchError(str(error)) from None


def _check_base64(value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        good = 0
        while good + 4 <= len(value) and _decodes(value[good : good + 4]):
            good += 4
        raise TypeMismatchError(f"illegal base64 data at input byte {good}") from None


def _decodes(group: str) -> bool:
    try:
        base64.b64decode(group, validate=True)
    except binascii.Error:
        return False
    return True


def _check_time(value: str) -> None:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise TypeMismatchError(
            f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        ) from None


def _is_dropped(node: Node, name: str, value: Any) -> bool:
    if node.rules:
        return False  # a custom object is stored as it is sent
    if value == "":
        return name not in KEPT_EMPTY and name not in node.required
    if value in ([], {}):
        child = node.fields[name]
        return child.type in {"list", "map"} and name not in KEPT_LISTS
    if value is False:
        return name in DROPPED_FALSE
    if value == 0:
        counts = node.model.endswith("Status") and name not in KEPT_COUNTS and name not in node.required
        return counts or name in DROPPED_ZERO
    return False


def _mismatch(value: Any, go_type: str, path: str) -> TypeMismatchError:
    kinds = {bool: "bool", str: "string", list: "array", dict: "object", Repeating: "object"}
    given = kinds.get(type(value), "number")
    names = ".".join(part.partition("[")[0] for part in path.split("."))
    return TypeMismatchError(
        f"json: cannot unmarshal {given} into Go struct field \0{names} of type {go_type}"
    )


def _with_struct(error: TypeMismatchError, node: Node) -> TypeMismatchError:
    """Name the innermost structure, which the value's place in its list or map does not know."""
    return TypeMismatchError(str(error).replace("\0", f"{node.model or 'object'}."))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


READERS = {"object": _object, "map": _map, "list": _list}
