"""The OpenAPI v2 document, in the protobuf that kubectl reads: only what it looks for.

kubectl asks for it before it sends a v1 List, to learn that the server checks fields itself.
"""

import json
from collections.abc import Iterable

from kube_standin.objects.kinds import Kind

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")

# The numbers of fields in gnostic's OpenAPIv2.proto
_SWAGGER, _INFO, _PATHS = 1, 2, 8
_PATH = 2
_NAME, _VALUE = 1, 2
_PATCH = 8
_PARAMETERS, _EXTENSION = 8, 13
_PARAMETER, _NON_BODY, _QUERY = 1, 2, 3
_QUERY_IN, _QUERY_NAME, _QUERY_TYPE = 2, 4, 6
_YAML = 2


def document(kinds: Iterable[Kind]) -> bytes:
    """The document for these kinds."""
    paths = b"".join(_field(_PATH, _path(kind)) for kind in kinds if kind.stored)
    info = _field(_NAME, b"Kubernetes") + _field(_VALUE, b"v1.36.0")
    return _field(_SWAGGER, b"2.0") + _field(_INFO, info) + _field(_PATHS, paths)


def _path(kind: Kind) -> bytes:
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    namespaced = "namespaces/{namespace}/" if kind.namespaced else ""
    about = {"group": kind.group, "version": kind.version, "kind": kind.name}
    extension = _field(_NAME, b"x-kubernetes-group-version-kind")
    extension += _field(_VALUE, _field(_YAML, json.dumps(about).encode()))
    operation = b"".join(_field(_PARAMETERS, _parameter(name)) for name in PARAMETERS)
    operation += _field(_EXTENSION, extension)
    path = f"{root}/{namespaced}{kind.plural}/{{name}}"
    return _field(_NAME, path.encode()) + _field(_VALUE, _field(_PATCH, operation))


def _parameter(name: str) -> bytes:
    query = _field(_QUERY_IN, b"query") + _field(_QUERY_NAME, name.encode()) + _field(_QUERY_TYPE, b"string")
    return _field(_PARAMETER, _field(_NON_BODY, _field(_QUERY, query)))


def _field(number: int, content: bytes) -> bytes:
    """A field of text, bytes or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = b""
    while number > 0x7F:  # noqa: PLR2004 (seven bits a byte)
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])
