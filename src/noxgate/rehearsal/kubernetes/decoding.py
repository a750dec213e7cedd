"""From a request's bytes to an object: syntax, the kind it says it is, types, and fields that nobody knows."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import yaml

from noxgate.rehearsal.kubernetes import quantities
from noxgate.rehearsal.kubernetes.answers import Json, RefusedError, bad_request
from noxgate.rehearsal.kubernetes.kinds import Kind
from noxgate.rehearsal.kubernetes.schema import Node

DEEPEST = 200  # the real server reads 10 000 levels, and knows a field on few of them
SHOWN = 30  # bytes of a bad body in the message
DEFAULT_DIRECTIVE = "Warn"

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
}


class TypeMismatchError(Exception):
    """A value is of the wrong type; the message is the server's."""


class Repeating(dict[str, Any]):
    """A JSON object that said some key more than once."""

    repeated: tuple[str, ...] = ()


@dataclass
class Reading:
    """What was noticed while an object was read: fields that are not in its structure, or came twice."""

    unknown: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    def errors(self) -> list[str]:
        return [f'unknown field "{path}"' for path in self.unknown] + [
            f'duplicate field "{path}"' for path in self.twice
        ]


class _Loader(yaml.SafeLoader):
    """YAML as the server reads it: a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(body: bytes, *, is_yaml: bool = False) -> Any:
    """The value of a JSON or YAML text; ValueError with the server's words about its syntax."""
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if not is_yaml:
            raise ValueError(_as_go_says(error)) from None
        value = _parse_yaml(text)
    except RecursionError:
        raise ValueError("exceeded max depth") from None
    if _depth(value) > DEEPEST:
        raise ValueError("exceeded max depth")
    return value


def parse_object(body: bytes, kind: Kind, *, is_yaml: bool = False) -> Json:
    """The object in a body that must be of this kind; what it leaves out of apiVersion and kind is filled in."""
    try:
        value = parse(body, is_yaml=is_yaml)
    except ValueError as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise _unrecognized(kind, why, body) from None
    if not isinstance(value, dict):
        kind_of = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
        why = (
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind_of} into Go value of type "
            "struct { APIVersion string; Kind string }"
        )
        raise _unrecognized(kind, why, body)
    name, version = value.get("kind") or kind.name, value.get("apiVersion") or kind.api_version
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})"
        )
    if name != kind.name:
        raise bad_request(
            f'{name} in version "{kind.version}" cannot be handled as a {kind.name}: '
            f'no kind "{name}" is registered for the internal version of group "{kind.group}"'
        )
    value["kind"], value["apiVersion"] = name, version
    return value


def conform(node: Node, value: Any, reading: Reading, path: str = "") -> Any:
    """A copy of `value` as its structure allows it: what Go would read and write again.

    Unknown fields are noted and left out, empty values dropped, quantities shortened. TypeMismatchError names the
    first value of the wrong type.
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


def refuse_unknown(kind: Kind, reading: Reading, directive: str) -> list[str]:
    """The warnings to send, or the refusal, for what `fieldValidation` says about unknown fields."""
    errors = reading.errors()
    if not errors or directive == "Ignore":
        return []
    if directive == "Strict":
        raise cannot_be_handled(kind, f"strict decoding error: {', '.join(errors)}")
    return errors


def cannot_be_handled(kind: Kind, why: str) -> RefusedError:
    return bad_request(f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}')


def as_go_prints(value: Any) -> str:
    """A value as Go's %+v prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{as_go_prints(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(as_go_prints(each) for each in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


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
        raise _mismatch(value, f"[]{item.model and 'v1.' + item.model or item.type}", path)
    return [conform(item, given, reading, f"{path}[{index}]") for index, given in enumerate(value)]


def _scalar(node: Node, value: Any, _: Reading, path: str) -> Any:
    name = path.rpartition(".")[2].partition("[")[0]
    match node.type:
        case "quantity":
            return _quantity(value, path)
        case "int-or-string":
            if isinstance(value, bool) or not isinstance(value, int | str):
                raise _mismatch(value, "intstr.IntOrString", path)
            return value
        case "integer":
            if isinstance(value, float) and value.is_integer():
                return int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                raise _mismatch(value, "int64" if name in INT64 else "int32", path)
            return value
        case "boolean":
            fits = isinstance(value, bool)
        case "number":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            fits = isinstance(value, str)
    if not fits:
        raise _mismatch(value, GO_TYPES[node.type], path)
    if node.type == "bytes":
        _check_base64(value)
    if node.type == "time":
        _check_time(value)
    return value


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


def _unrecognized(kind: Kind, why: str, body: bytes) -> RefusedError:
    if not body:
        shown = "<empty>"
    else:
        start, more = body[:SHOWN], " ..." if len(body) > SHOWN else ""
        shown = (start.decode("utf-8", errors="replace") if body[:1] == b"{" else start.hex()) + more
    return bad_request(f"the object provided is unrecognized (must be of type {kind.name}): {why} ({shown})")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    repeating = Repeating(made)
    repeating.repeated = tuple(name for name, _ in pairs if name in seen or seen.add(name))
    return repeating


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError("Expecting value", name, 0)


def _parse_yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (derived from SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"error converting YAML to JSON: {' '.join(str(error).split())}") from None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        level = [child for each in level for child in _children(each)]
        depth += 1
    return depth


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _as_go_says(error: json.JSONDecodeError) -> str:
    where = {
        "Expecting value": "looking for beginning of value",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after object key:value pair",
        "Extra data": "after top-level value",
        "Invalid control character at": "in string literal",
        "Invalid \\escape": "in string escape code",
    }
    found = error.doc[error.pos : error.pos + 1]
    said = next((words for start, words in where.items() if error.msg.startswith(start)), "")
    if not found or not said or not error.doc[error.pos :].strip():
        return "unexpected end of JSON input"
    return f"invalid character {found!r} {said}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


READERS = {"object": _object, "map": _map, "list": _list}
