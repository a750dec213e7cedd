"""The patches of release day: the files that the profile names, else made from the live Ingress."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.clients.ingress_meaning import switch_patch
from noxgate.target import Target, UnreachableError

JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"  # what `kubectl patch` sends unless told otherwise


@dataclass(frozen=True)
class Patch:
    """The body of a PATCH, and how the server is to read it."""

    content: Any
    media_type: str


def planned(target: Target, ingress: Mapping[str, Any], old: str, new: str, file: str | None) -> Patch:
    """The patch that will lead from Service `old` to `new`; AssertionError for a file that is no patch."""
    if file is None:
        return Patch(switch_patch(ingress, old, new), JSON_PATCH)
    if target.source is None:
        raise UnreachableError(f"{target.path.name} names no source, below which {file} would be")
    path = target.source / file
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssertionError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise AssertionError(f"{file}: expected a patch in JSON: {error}") from None
    if new not in json.dumps(content):
        raise AssertionError(f"{file}: expected a patch that leads to {new}, which it does not name")
    return Patch(content, JSON_PATCH if isinstance(content, list) else STRATEGIC)


def together(first: Patch, second: Patch) -> Patch:
    """Both, one after the other, in one request: a dry run leaves nothing behind for a second to start from.

    Where one of them is not a JSON patch, the second alone: it says by itself what is to be.
    """
    if first.media_type == second.media_type == JSON_PATCH:
        return Patch([*first.content, *second.content], JSON_PATCH)
    return second


def runbooks(service: str) -> Patch:
    """The patch as the runbook has it; an API server refuses it."""
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return Patch({"spec": {"rules": [{"http": {"paths": [{"backend": backend}]}}]}}, STRATEGIC)
