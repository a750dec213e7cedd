"""What answers of the API server, and manifests, are: an object, a list, a refusal, a right that lacks."""

import re
from collections.abc import Mapping
from typing import Any

from noxgate.errors import NoxgateError, UnreachableError
from noxgate.look.observation import shortened
from noxgate.systems.kubernetes.connection.answers import KubeAnswer

Json = Mapping[str, Any]


class RefusedError(NoxgateError, AssertionError):
    """The API server refuses a dry run: the change itself would be refused just so."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"the API server refuses it: {status} {reason}: {message}")
        self.status = status


class RightError(UnreachableError):
    """The credential lacks a right: what it would see with it is not known."""


class TakenError(NoxgateError, AssertionError):
    """What a manifest asks for, another object has: no dry run shows it."""


class UnnamedError(NoxgateError, AssertionError):
    """kubectl refuses to apply what has no name, before it asks the API server."""


def name_of(manifest: Json) -> str:
    metadata = manifest.get("metadata") or {}
    if not metadata.get("name"):
        generated = ": generateName is not for apply" if metadata.get("generateName") else ""
        raise UnnamedError(f"kubectl refuses it: expected a name, saw none{generated}")
    if not manifest.get("apiVersion"):
        raise UnnamedError("kubectl refuses it: expected an apiVersion, saw none")
    return str(metadata["name"])


def is_of_object(answer: KubeAnswer) -> bool:
    """Whether a 404 is of an object (or its namespace), and not of the whole kind."""
    return bool((answer.document.get("details") or {}).get("name"))


def lacks_right(answer: KubeAnswer) -> bool:
    """Whether a 403 is about our rights; quotas, webhooks and policies refuse a change with 403 as well."""
    return re.search(r'User ".*" cannot ', answer.message) is not None


def check_is(answer: KubeAnswer, kind: str, name: str) -> None:
    """Something between us and the API server may answer with another object, and with 200."""
    metadata = answer.document.get("metadata")
    if answer.document["kind"] != kind or not isinstance(metadata, dict) or metadata.get("name") != name:
        seen = shortened(str(answer.document["kind"]), 80)
        raise UnreachableError(f"the API server: expected {kind} {name}, saw another object: {seen}")


def items_of(answer: KubeAnswer, kind: str) -> list[Json]:
    items = answer.document.get("items") or []
    if (
        answer.document["kind"] != f"{kind}List"
        or not isinstance(items, list)
        or not all(isinstance(item, dict) and "name" in (item.get("metadata") or {}) for item in items)
    ):
        seen = shortened(str(answer.document["kind"]), 80)
        raise UnreachableError(f"the API server: expected {kind}List, saw something else: {seen}")
    return items


def summary(kind: str, found: Json) -> str:
    """One line of an object: what people look at first."""
    metadata, status = found["metadata"], found.get("status") or {}
    shown = {
        "generation": metadata.get("generation"),
        **{key: value for key, value in status.items() if isinstance(value, int | str)},
        **{each["type"]: each["status"] for each in status.get("conditions") or []},
    }
    said = ", ".join(f"{key} {value}" for key, value in shown.items() if value is not None)
    return f"{kind} {metadata['name']}" + (f": {said}" if said else " exists")
