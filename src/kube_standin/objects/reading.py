"""Getting and listing: selectors, pages, and which resourceVersion a client may ask for."""

import base64
import binascii
import json
from collections.abc import Mapping

from kube_standin.objects import selectors
from kube_standin.objects.conversions import from_stored
from kube_standin.objects.kinds import Kind
from kube_standin.objects.selectors import Matches
from kube_standin.objects.store import Store, resource_of
from kube_standin.wire import answers
from kube_standin.wire.answers import Json
from kube_standin.wire.call import Call, number
from kube_standin.wire.causes import Cause

CONTINUE = "meta.k8s.io/v1"
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a "
    "new list without "
    "the continue parameter."
)


def get(store: Store, call: Call) -> Json:
    """One object."""
    _check_version(store, call.query)
    found = store.get(call.kind, call.namespace, call.name)
    if found is None:
        raise answers.not_found(call.kind.group, call.kind.plural, call.name)
    return in_version(call.kind, found)


def listing(store: Store, call: Call) -> Json:
    """A list, or the next page of one."""
    kind, query = call.kind, call.query
    wanted = chosen(kind, query)
    limit = number(query, "limit") or 0
    version, after = store.version, ""
    if query.get("continue"):
        if query.get("resourceVersion", "0") not in {"", "0"}:
            raise answers.bad_request("specifying resource version is not allowed when using continue")
        version, after = _read_token(query["continue"])
        found = store.remembered(version, resource_of(kind))
        if found is None:
            raise answers.expired(TOO_OLD)
    else:
        _check_version(store, query)
        found = store.all(kind)
    namespace = call.namespace if kind.namespaced else ""
    left = [
        each
        for each in found
        if (not namespace or each["metadata"].get("namespace") == namespace)
        and _place(each, namespace) >= after
    ]
    matching = [each for each in left if wanted(each)]
    metadata: Json = {"resourceVersion": str(version)}
    if 0 < limit < len(matching):
        store.remember(resource_of(kind), found) if version == store.version else None
        metadata["continue"] = _token(version, _place(matching[limit - 1], namespace))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(matching) - limit
        matching = matching[:limit]
    return {
        "kind": kind.list_name,
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": [in_version(kind, each) for each in matching],
    }


def chosen(kind: Kind, query: Mapping[str, str]) -> Matches:
    """What the selectors of a request mean, together."""
    by_labels = selectors.by_labels(query.get("labelSelector", ""))
    by_fields = selectors.by_fields(query.get("fieldSelector", ""), kind)
    return lambda obj: by_labels(obj) and by_fields(obj)


def in_version(kind: Kind, obj: Json) -> Json:
    """A stored object as one of its versions."""
    return from_stored(kind, obj)


def asked_version(query: Mapping[str, str]) -> int | None:
    """The resourceVersion that a request names."""
    text = query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdigit():
        cause = Cause("FieldValueInvalid", f'Invalid value: "{text}": strconv.ParseUint', "resourceVersion")
        raise answers.invalid("", "", "", [cause])
    return int(text)


def _check_version(store: Store, query: Mapping[str, str]) -> None:
    version = asked_version(query)
    if version is not None and version > store.version:
        raise answers.version_too_large(version, store.version)


def _place(obj: Json, namespace: str) -> str:
    """Where an object stands in the list, as continue tokens write it."""
    meta = obj["metadata"]
    if namespace or "namespace" not in meta:
        return f"{meta['name']}"
    return f"{meta['namespace']}/{meta['name']}"


def _token(version: int, last: str) -> str:
    text = json.dumps({"v": CONTINUE, "rv": version, "start": f"{last}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        read = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except binascii.Error:
        raise _bad_token(": illegal base64 data at input byte 0") from None
    except ValueError:
        raise _bad_token(": invalid character in it") from None
    if not isinstance(read, dict) or read.get("v") != CONTINUE:
        version = read.get("v", "") if isinstance(read, dict) else ""
        raise _bad_token(f": server does not recognize this encoded version {version}")
    version, start = read.get("rv", 0), read.get("start", "")
    if not isinstance(version, int) or version == 0:
        raise _bad_token(f": incorrect encoded start resourceVersion (version {CONTINUE})")
    if not isinstance(start, str) or not start:
        raise _bad_token(f": encoded start key empty (version {CONTINUE})")
    if any(part in {".", ".."} for part in start.split("/")):
        raise _bad_token("")
    return version, start.removeprefix("/")


def _bad_token(why: str) -> Exception:
    return answers.bad_request(f"invalid continue token: continue key is not valid{why}")
