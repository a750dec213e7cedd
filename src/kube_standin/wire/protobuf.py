"""The protobuf bodies of kubectl's small requests: `auth can-i`, `create token`, `create namespace`.

Only the kinds of the table are read: whoever sends another kind this way is told that the type is not
supported, and has to send JSON.
"""

import base64
from collections.abc import Iterator
from typing import Any

from kube_standin.wire.answers import Json

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

# A message's fields by number: name and type. "[x]" is a list of x, "{x}" a map of text to x.
Message = dict[int, tuple[str, str]]

META: Message = {
    1: ("name", "string"),
    2: ("generateName", "string"),
    3: ("namespace", "string"),
    11: ("labels", "{string}"),
    12: ("annotations", "{string}"),
}
MESSAGES: dict[str, Message] = {
    "meta": META,
    "resource": {
        1: ("namespace", "string"),
        2: ("verb", "string"),
        3: ("group", "string"),
        4: ("version", "string"),
        5: ("resource", "string"),
        6: ("subresource", "string"),
        7: ("name", "string"),
    },
    "path": {1: ("path", "string"), 2: ("verb", "string")},
    "access": {1: ("resourceAttributes", "resource"), 2: ("nonResourceAttributes", "path")},
    "rules": {1: ("namespace", "string")},
    "token": {1: ("audiences", "[string]"), 4: ("expirationSeconds", "int")},
    # kinds
    "ConfigMap": {1: ("metadata", "meta"), 2: ("data", "{string}"), 3: ("binaryData", "{bytes}")},
    "Namespace": {1: ("metadata", "meta")},
    "Secret": {
        1: ("metadata", "meta"),
        2: ("data", "{bytes}"),
        3: ("type", "string"),
        4: ("stringData", "{string}"),
    },
    "SelfSubjectAccessReview": {1: ("metadata", "meta"), 2: ("spec", "access")},
    "SelfSubjectReview": {1: ("metadata", "meta")},
    "SelfSubjectRulesReview": {1: ("metadata", "meta"), 2: ("spec", "rules")},
    "ServiceAccount": {1: ("metadata", "meta")},
    "TokenRequest": {1: ("metadata", "meta"), 2: ("spec", "token")},
}


def read(body: bytes) -> Json | None:
    """The object in a protobuf body; None if its kind is unknown. Raises ValueError for nonsense."""
    if not body.startswith(MAGIC):
        raise ValueError(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    envelope = dict(_fields(body[len(MAGIC) :]))
    about = dict(_fields(_bytes(envelope.get(1, b""))))
    kind = _bytes(about.get(2, b"")).decode()
    if kind not in MESSAGES or not kind[:1].isupper():
        return None
    read_object = _message(MESSAGES[kind], _bytes(envelope.get(2, b"")))
    return {"apiVersion": _bytes(about.get(1, b"")).decode(), "kind": kind} | read_object


def _message(message: Message, data: bytes) -> Json:
    found: Json = {}
    for number, value in _fields(data):
        name, kind = message.get(number, ("", ""))
        if kind.startswith("{"):
            entry = dict(_fields(_bytes(value)))
            key = _bytes(entry.get(1, b"")).decode()
            found.setdefault(name, {})[key] = _value(kind[1:-1], entry.get(2, b""))
        elif kind.startswith("["):
            found.setdefault(name, []).append(_value(kind[1:-1], value))
        elif name and value != b"":
            found[name] = _value(kind, value)
    return found


def _value(kind: str, value: int | bytes) -> Any:
    match kind:
        case "int":
            return value
        case "string":
            return _bytes(value).decode()
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case _:
            return _message(MESSAGES[kind], _bytes(value))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                number, at = _varint(data, at)
                yield tag >> 3, number
                continue
            case 2:
                length, at = _varint(data, at)
            case 1:
                length = 8
            case 5:
                length = 4
            case wire:
                raise ValueError(f"proto: illegal wireType {wire}")
        if at + length > len(data):
            raise ValueError("unexpected EOF")
        yield tag >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(data):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 (the last byte of a number)
            return number, at
    raise ValueError("unexpected EOF")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("proto: wrong wireType")  # noqa: TRY004 (of the data, not of the program)
    return value
