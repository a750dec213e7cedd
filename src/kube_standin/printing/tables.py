"""Server-side printing: lists and objects as Tables or as metadata only, for clients that ask that way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kube_standin.objects.kinds import Kind
from kube_standin.printing.ages import age
from kube_standin.printing.columns import COLUMNS, NAME_AND_AGE, Column
from kube_standin.printing.jsonpath import find
from kube_standin.wire.answers import Json

OFFERED = ("application/json", "application/yaml")
GROUP = "meta.k8s.io"


@dataclass(frozen=True)
class Wanted:
    """How the client wants its answer."""

    media_type: str = "application/json"
    shape: str = ""  # "", Table, PartialObjectMetadata, PartialObjectMetadataList, APIGroupDiscoveryList
    version: str = "v1"


def negotiate(accept: str) -> Wanted | None:
    """The first thing in an Accept header that this server can give."""
    for part in (accept or "*/*").split(","):
        media_type, *parameters = [each.strip() for each in part.split(";")]
        found = dict(each.split("=", 1) for each in parameters if "=" in each)
        chosen = {"*/*": OFFERED[0], "application/*": OFFERED[0]}.get(media_type, media_type)
        if chosen in OFFERED:
            shape = found.get("as", "") if found.get("g") in {GROUP, "apidiscovery.k8s.io"} else ""
            if shape == "APIGroupDiscoveryList" and found.get("v") != "v2":
                continue
            return Wanted(chosen, shape, found.get("v", "v1"))
    return None


def shaped(kind: Kind, body: Json, wanted: Wanted, include: str) -> Json:
    """A body in the shape that the client wants."""
    if body.get("kind") == "Status":
        return body
    items = body.get("items")
    match wanted.shape:
        case "Table":
            return table(kind, body, include)
        case "PartialObjectMetadata" if items is None:
            return _partial(body)
        case "PartialObjectMetadataList" if items is not None:
            return {
                "kind": "PartialObjectMetadataList",
                "apiVersion": f"{GROUP}/v1",
                "metadata": body["metadata"],
                "items": [_partial(item) for item in items],
            }
    if items is not None and kind.custom is None:
        bare = [
            {key: value for key, value in item.items() if key not in {"kind", "apiVersion"}} for item in items
        ]
        return body | {"items": bare}
    return body


def table(kind: Kind, body: Json, include: str = "Metadata") -> Json:
    """A list or an object as a Table."""
    columns = columns_of(kind)
    items: Sequence[Json] = body.get("items", [body])
    metadata = {name: value for name, value in body["metadata"].items() if name in _LIST_METADATA}
    return {
        "kind": "Table",
        "apiVersion": f"{GROUP}/v1",
        "metadata": metadata,
        "columnDefinitions": [column.definition() for column in columns],
        "rows": [_row(columns, item, include or "Metadata") for item in items],
    }


def columns_of(kind: Kind) -> Sequence[Column]:
    """The columns of a kind: its own, what its definition says, or name and age."""
    if kind.custom is None:
        return COLUMNS.get(kind.name, NAME_AND_AGE)
    given = kind.custom.get("additionalPrinterColumns")
    if not given:
        return NAME_AND_AGE
    return [NAME_AND_AGE[0], *(_from_definition(column) for column in given)]


_LIST_METADATA = ("resourceVersion", "continue", "remainingItemCount")


def _from_definition(column: Json) -> Column:
    return Column(
        column["name"],
        _reader(column["jsonPath"], column["type"]),
        type=column["type"],
        format=column.get("format", ""),
        priority=column.get("priority", 0),
    )


def _reader(path: str, kind: str) -> Callable[[Json], Any]:
    def read(obj: Json) -> Any:
        found = find(obj, path)
        if not found:
            return None
        if kind == "date":
            return age(found[0])
        return found[0] if kind in {"integer", "number", "boolean"} else ",".join(str(each) for each in found)

    return read


def _row(columns: Sequence[Column], item: Json, include: str) -> Json:
    cells = [age(column.read(item)) if column.is_age else column.read(item) for column in columns]
    row: Json = {"cells": cells}
    if include == "Metadata":
        row["object"] = _partial(item)
    elif include == "Object":
        row["object"] = item
    return row


def _partial(item: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": f"{GROUP}/v1", "metadata": item["metadata"]}
