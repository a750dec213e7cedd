"""What `kubectl apply` sends, client side: it creates what is not there, and patches what is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.look.documents import of_json

Json = Mapping[str, Any]
Items = Mapping[str, Sequence[str]]
Named = dict[tuple[str, Any], Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl-client-side-apply"
STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"
# The groups whose types kubectl has itself; objects of any other are patched as plain JSON.
_BUILT_IN = frozenset(
    {
        *("core", "apps", "autoscaling", "batch", "policy"),
        *(
            f"{name}.k8s.io"
            for name in (
                *("admissionregistration", "certificates", "coordination", "discovery", "events"),
                *("networking", "node", "rbac.authorization", "resource", "scheduling", "storage"),
            )
        ),
    }
)
# By what a strategic merge tells the items of a list apart (patchMergeKey of the API's types).
_ITEMS: Items = {
    **dict.fromkeys(("containers", "initContainers", "env", "volumes"), ("name",)),
    **dict.fromkeys(("imagePullSecrets", "secrets"), ("name",)),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "ports": ("containerPort", "port"),  # a container's, a Service's
}
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}  # as Go writes JSON


@dataclass(frozen=True)
class Change:
    """A request of kubectl's: POST of the whole, or PATCH of what is there."""

    method: str
    body: Json
    media_type: str
    manager: str = MANAGER


def change(manifest: Json, namespace: str | None, group: str, live: Json | None) -> Change:
    """The request that applies a manifest. `namespace` is where it goes, of what lives in one."""
    configured = _configured(manifest, namespace)
    if live is None:
        return Change("POST", configured, "application/json")
    before = _last_applied(live)
    if group not in _BUILT_IN:
        return Change("PATCH", _with_removals(configured, before, live, {}), MERGE)
    return Change("PATCH", _retaining("", _with_removals(configured, before, live, _ITEMS)), STRATEGIC)


def laid_over(live: Any, manifest: Any) -> Any:
    """The live object with all that the manifest says; the rest as it is."""
    if isinstance(live, Mapping) and isinstance(manifest, Mapping):
        return {**live, **{key: laid_over(live.get(key), each) for key, each in manifest.items()}}
    if isinstance(live, list) and isinstance(manifest, list) and len(live) == len(manifest):
        return [laid_over(*each) for each in zip(live, manifest, strict=True)]
    return manifest


def said_rights(manifest: Json) -> Json:
    """What a manifest of rights says itself: the rules of a role that gathers others' are the cluster's."""
    if not manifest.get("aggregationRule"):
        return manifest
    return {key: each for key, each in manifest.items() if key != "rules"}


def _configured(manifest: Json, namespace: str | None) -> dict[str, Any]:
    """The manifest with kubectl's own note of it, which counts for the limit of annotations."""
    metadata = dict(manifest.get("metadata") or {})
    notes = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    if namespace is not None:
        metadata["namespace"] = namespace
    content = {**manifest, "metadata": {**metadata, "annotations": notes}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    notes = {**notes, LAST_APPLIED: text.translate(_ESCAPED) + "\n"}
    return {**manifest, "metadata": {**metadata, "annotations": notes}}


def _last_applied(live: Json) -> Json:
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "{}")
    try:
        found = of_json(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _with_removals(now: Json, before: Json, live: Json, items: Items) -> dict[str, Any]:
    """The configuration, with null for each key that it had the last time and has no longer.

    `items` says by what the items of a list are told apart, of which those that are gone are deleted.
    """
    gone = {key: None for key in before if key not in now and key in live}
    inner: dict[str, Any] = {}
    for key, value in now.items():
        old, there = before.get(key), live.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping) and isinstance(there, Mapping):
            inner[key] = _with_removals(value, old, there, items)
        elif isinstance(value, list) and isinstance(old, list) and isinstance(there, list) and key in items:
            named = [_by_name(each, items[key]) for each in (value, old, there)]
            inner[key] = _without_gone(named[0], named[1], named[2], items)
    return {**now, **inner, **gone}


def _without_gone(now: Named, before: Named, live: Named, items: Items) -> list[Any]:
    kept = [
        _with_removals(each, before[name], live[name], items) if name in before and name in live else each
        for name, each in now.items()
    ]
    gone = [name for name in before if name not in now and name in live]
    return [*kept, *({"$patch": "delete", key: value} for key, value in gone)]


def _by_name(items: Sequence[Json], names: Sequence[str]) -> Named:
    """By the first of these fields that an item has; an item without one, or with another's, by its place."""
    found: Named = {}
    for place, each in enumerate(items):
        key = next((name for name in names if isinstance(each, Mapping) and name in each), "")
        name = (key, each[key]) if key else ("", place)
        found[name if name not in found else ("", place)] = each
    return found


def _retaining(key: str, value: Any) -> Any:
    """A Deployment's strategy and a volume's source are one thing at a time: kubectl lets the others go."""
    if isinstance(value, Mapping):
        inner = {name: _retaining(name, each) for name, each in value.items()}
        return {**inner, "$retainKeys": sorted(value)} if key in {"strategy", "volumes[]"} else inner
    if isinstance(value, list):
        return [_retaining(f"{key}[]", each) for each in value]
    return value
