"""Saved objects beside the live ones: whether going back with them would bring back what is there now."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noxgate.blue_green.ingress_meaning import routes
from noxgate.blue_green.switching import colours, different_routes, kept_fields, wished_routes
from noxgate.project.service.names import Service
from noxgate.systems.kubernetes.api_server.applying import LAST_APPLIED
from noxgate.systems.kubernetes.manifests import Document

Json = Mapping[str, Any]

LARGEST_NOTE = 262_144  # bytes of annotations: kubectl apply keeps the whole object in one
BESIDE = frozenset({"apiVersion", "kind", "metadata", "status"})
SCALED = frozenset({"Deployment", "StatefulSet"})


def twice(documents: Sequence[Document], namespace: str) -> list[str]:
    """Objects that the file holds more than once: kubectl would keep the last one."""
    found = Counter(each.of(namespace) for each in documents)
    return [f"{kind} {name}" for (_, kind, _, name), times in found.items() if times > 1]


def unlike(document: Document, live: Json, service: Service, autoscalers: Sequence[Json] = ()) -> list[str]:
    """Where a saved object says something else than the live one; of a ConfigMap the keys, never a value."""
    saved = document.content
    match document.kind:
        case "ConfigMap":
            return [
                f"{part}.{key}"
                for part in ("data", "binaryData")
                for mine, theirs in [(saved.get(part) or {}, live.get(part) or {})]
                for key in sorted(mine.keys() | theirs.keys())
                if mine.get(key) != theirs.get(key)
            ]
        case "Ingress":
            return _unlike_ingress(document, live, service)
    found = list(_differing({key: saved[key] for key in saved if key not in BESIDE}, live, ""))
    if document.kind in SCALED and any(_scales(each, document) for each in autoscalers):
        found = [each for each in found if each != "spec.replicas"]  # an autoscaler's, and not the file's
    return found


def _unlike_ingress(document: Document, live: Json, service: Service) -> list[str]:
    """By meaning, as it was before the switch: every route, class, certificate and annotation."""
    ours = document.name == service.ingress and colours(live, service)
    wished = wished_routes(live, service, service.blue.service) if ours else routes(live)
    said = [f"{route} leads to {what}" for route, what in different_routes(document.content, wished).items()]
    mine, theirs = kept_fields(document.content), kept_fields(live)
    return said + [field for field in theirs if mine[field] != theirs[field]]


def _differing(saved: Any, live: Any, path: str) -> Iterator[str]:
    """What is saved has to be there; the server may have filled in more."""
    if isinstance(saved, Mapping) and isinstance(live, Mapping):
        for key, value in saved.items():
            yield from _differing(value, live.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(saved, list) and isinstance(live, list) and len(saved) == len(live):
        for index, (mine, theirs) in enumerate(zip(saved, live, strict=True)):
            yield from _differing(mine, theirs, f"{path}[{index}]")
    elif saved != live and not (live is None and saved in ({}, [], "", None)):
        yield path


def _scales(autoscaler: Json, document: Document) -> bool:
    target = autoscaler["spec"]["scaleTargetRef"]
    return (target.get("kind"), target.get("name")) == (document.kind, document.name)


def too_large(document: Document) -> str | None:
    """Kubectl notes what it applies in an annotation, whose limit a dry run of the server does not meet."""
    content = json.loads(json.dumps(document.content))
    annotations = (content.get("metadata") or {}).get("annotations") or {}
    annotations.pop(LAST_APPLIED, None)
    rest = sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
    note = len(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()) + 1
    size = rest + note + len(LAST_APPLIED)
    if size <= LARGEST_NOTE:
        return None
    return (
        f"metadata.annotations: Too long: kubectl apply notes the object in an annotation, {size} bytes, and "
        f"may not have more than {LARGEST_NOTE}: kubectl create, or apply --server-side"
    )


def ownerless(document: Document, live: Json | None) -> str | None:
    """An object whose owner is not the one that it was saved with is collected when it is made."""
    owners = document.content["metadata"].get("ownerReferences") or []
    there = {each.get("uid") for each in ((live or {}).get("metadata") or {}).get("ownerReferences") or []}
    gone = [f"{each.get('kind')} {each.get('name')}" for each in owners if each.get("uid") not in there]
    return (
        f"its owner, {', '.join(gone)}, is not its owner now: the cluster would delete it" if gone else None
    )


def taken(document: Document, services: Sequence[Json], namespace: str) -> str | None:
    """An address or a node port that another Service has by now: a dry run looks at none."""
    if document.kind != "Service":
        return None
    spec, own = document.content["spec"], (document.namespace or namespace, document.name)
    address = spec.get("clusterIP")
    ports = {port["nodePort"] for port in spec.get("ports") or [] if port.get("nodePort")}
    for each in services:
        other = (each["metadata"]["namespace"], each["metadata"]["name"])
        if other == own:
            continue
        if address not in {None, "", "None"} and each["spec"].get("clusterIP") == address:
            return f"clusterIP {address} is that of Service {'/'.join(other)} now"
        both = ports & {port.get("nodePort") for port in each["spec"].get("ports") or []}
        if both:
            return f"nodePort {min(both)} is that of Service {'/'.join(other)} now"
    return None
