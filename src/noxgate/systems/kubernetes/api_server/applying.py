"""What `kubectl apply` sends, client side: it creates what is not there, and patches what is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.look.documents import of_json

Json = Mapping[str, Any]

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
    patch = _with_removals(configured, before, live)
    if group not in _BUILT_IN:
        return Change("PATCH", patch, MERGE)
    return Change("PATCH", _retaining("", patch), STRATEGIC)


def laid_over(live: Any, manifest: Any) -> Any:
    """The live object with all that the manifest says; the rest as it is."""
    if isinstance(live, Mapping) and isinstance(manifest, Mapping):
        return {**live, **{key: laid_over(live.get(key), each) for key, each in manifest.items()}}
    if isinstance(live, list) and isinstance(manifest, list) and len(live) == len(manifest):
        return [laid_over(*each) for each in zip(live, manifest, strict=True)]
    return manifest


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


def _with_removals(now: Json, before: Json, live: Json) -> dict[str, Any]:
    """The configuration, with null for each key that it had the last time and has no longer."""
    gone = {key: None for key in before if key not in now and key in live}
    inner = {
        key: _with_removals(value, before[key], live[key])
        for key, value in now.items()
        if all(isinstance(each, Mapping) for each in (value, before.get(key), live.get(key)))
    }
    return {**now, **inner, **gone}


def _retaining(key: str, value: Any) -> Any:
    """A Deployment's strategy and a volume's source are one thing at a time: kubectl lets the others go."""
    if isinstance(value, Mapping):
        inner = {name: _retaining(name, each) for name, each in value.items()}
        return {**inner, "$retainKeys": sorted(value)} if key in {"strategy", "volumes[]"} else inner
    if isinstance(value, list):
        return [_retaining(f"{key}[]", each) for each in value]
    return value
