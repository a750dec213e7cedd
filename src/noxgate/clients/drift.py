"""How a live object differs from its manifest: what an apply would change, and what it would leave."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document

Json = Mapping[str, Any]

# What the server writes itself, and what an apply by another tool leaves behind.
_SERVERS = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# What the server or a controller chooses for each object, where the manifest leaves it open.
_CHOSEN = {
    *("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "nodePort", "healthCheckNodePort"),
    *("replicas", "volumeName", "kubectl.kubernetes.io/restartedAt"),
}
# Texts that are shown; any other may be a secret that somebody typed into the live object.
_SHOWN = {"image", "name", "host", "path", "pathType", "type", "kind", "port", "targetPort", "externalName"}


def drifted(kube: Kube, manifests: Sequence[Document], namespace: str) -> dict[str, list[str]]:
    """How the live objects differ from their manifests, of those that do, by manifest."""
    found = {}
    for document in manifests:
        where = document.namespace or namespace
        live = kube.get(document.kind, document.name, where)
        if live is None:
            found[str(document)] = ["is not there"]
            continue
        wished = kube.dry_run_apply(document.content, where)
        found[str(document)] = drift(document.content, live, wished, kube.fresh(document.content, where))
    return {document: differences for document, differences in found.items() if differences}


def drift(manifest: Json, live: Json, wished: Json, fresh: Json | None) -> list[str]:
    """The differences, one line each.

    `wished` is what applying the manifest would leave, `fresh` what it would make where nothing is yet: the
    manifest with every default. What only the live object has was added by hand, or by an earlier manifest.
    """
    changed = list(_differences("", _plain(live), _plain(wished)))
    if fresh is not None:
        known = {path for path, _, _ in changed}
        more = _differences("", _content(live), _content(fresh))
        changed += [
            (path, now, then)
            for path, now, then in more
            if path not in known and not _is_left_open(path, manifest)
        ]
    return [
        f"{path}: is {_shown(path, now)}, the manifest says {_shown(path, then)}"
        for path, now, then in changed
    ]


def _plain(thing: Json) -> Json:
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _SERVERS}
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED
    }
    content = {key: value for key, value in thing.items() if key != "status"}
    return {**content, "metadata": {**metadata, "annotations": annotations}}


def _content(thing: Json) -> Json:
    return {key: value for key, value in thing.items() if key not in {"metadata", "status"}}


def _differences(path: str, now: Any, then: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        for key in sorted({*now, *then}):
            yield from _differences(f"{path}.{key}".lstrip("."), now.get(key), then.get(key))
    elif isinstance(now, list) and isinstance(then, list):
        ours, theirs = _by_key(now), _by_key(then)
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            yield from _differences(f"{path}[{key}]", ours.get(key), theirs.get(key))
    elif now != then:
        yield path, now, then


def _by_key(items: list[Any]) -> dict[object, Any]:
    """The items by name, where they have names that differ; else by position."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    if None not in names and len(set(names)) == len(names):
        return dict(zip(names, items, strict=True))
    return dict(enumerate(items))


def _is_left_open(path: str, manifest: Json) -> bool:
    """Whether somebody else chooses this, and the manifest does not say it."""
    last = path.rpartition(".")[2].partition("[")[0]
    if path.endswith("annotations.kubectl.kubernetes.io/restartedAt"):
        return True
    return last in _CHOSEN and last not in (manifest.get("spec") or {})


def _shown(path: str, value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, Mapping | list):
        return f"{len(value)} entries" if value else "empty"
    return repr(value) if path.rpartition(".")[2] in _SHOWN else "another text"
