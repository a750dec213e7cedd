"""Who wrote which field of a live object: managedFields, by the paths in which differences are told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.systems.kubernetes.api_server.applying import LAST_APPLIED

Json = Mapping[str, Any]

# Those that may write into an object that somebody else applied; docs/ROLES.md has the same list.
CONTROLLERS = frozenset(
    {
        *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"),
        *("cloud-controller-manager", "cluster-autoscaler", "vpa-recommender", "vpa-updater"),
        *("openshift-controller-manager", "openshift-apiserver", "cluster-policy-controller"),
        *("service-ca-operator", "cainjector", "cert-manager-cainjector"),
        *("cert-manager-certificates-trigger", "cert-manager-ingress-shim"),
        *("nginx-ingress-controller", "glbc", "neg-controller", "aws-load-balancer-controller"),
        *("external-dns", "external-secrets", "keda", "keda-operator", "rollouts-controller"),
        *("istiod", "pilot-discovery", "PrometheusOperator", "prometheus-operator", "Reloader"),
    }
)
# Annotations that programs write of themselves into objects of others. GKE and Rancher say where an Ingress
# leads, which a switch changes, Rancher's agent under the name of its binary; the others what they applied.
NOTES = frozenset(
    {
        *(LAST_APPLIED, "field.cattle.io/publicEndpoints", "objectset.rio.cattle.io/applied"),
        *("kapp.k14s.io/original", "kapp.k14s.io/original-diff-md5"),
        *(f"ingress.kubernetes.io/{each}" for each in ("backends", "url-map", "redirect-url-map")),
        *(f"ingress.kubernetes.io/{each}" for each in ("forwarding-rule", "https-forwarding-rule")),
        *(f"ingress.kubernetes.io/{each}" for each in ("target-proxy", "https-target-proxy", "ssl-cert")),
    }
)
# What people type: such a manager never owns a default that the server filled in.
HANDS = frozenset(
    f"kubectl-{word}" for word in ("edit", "patch", "annotate", "label", "set", "scale", "taint", "rollout")
)


@dataclass(frozen=True)
class Writer:
    """A field manager, and the fields that are its own."""

    name: str
    paths: frozenset[str]

    def wrote(self, path: str) -> bool:
        """Whether it wrote the field, something in it, or the whole that it is a part of."""
        return any(_is_at(own, path) or _is_at(path, own) for own in self.paths)


def writers(live: Json) -> list[Writer] | None:
    """Everybody who wrote into an object, less into its status; None if the server does not say."""
    entries = live["metadata"].get("managedFields")
    if not entries:
        return None
    return [
        Writer(str(entry.get("manager")), frozenset(_paths("", entry.get("fieldsV1") or {}, live)))
        for entry in entries
        if entry.get("subresource") != "status"
    ]


def by_key(items: Sequence[Any]) -> dict[object, Any]:
    """The items by name, where they have names that differ; else by position."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    if None not in names and len(set(names)) == len(names):
        return dict(zip(names, items, strict=True))
    return dict(enumerate(items))


def _is_at(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def _paths(path: str, fields: Json, value: Any) -> Iterator[str]:
    for key, inner in fields.items():
        if key == ".":  # the map or the item itself, without what others put into it
            continue
        for name, part in _parts(key, value):
            where = f"{path}{name}".lstrip(".")
            if set(inner) - {"."}:
                yield from _paths(where, inner, part)
            else:
                yield where


def _parts(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The part of a value that a key of fieldsV1 means; empty if it is gone."""
    form, _, name = key.partition(":")
    if form == "f":
        if isinstance(value, Mapping) and name in value:
            yield f".{name}", value[name]
        return
    for label, item in by_key(value if isinstance(value, list) else []).items():
        wanted = json.loads(name)
        if form == "v" and item == wanted:
            yield f"[{label}]", item
        if form == "k" and isinstance(item, Mapping) and all(item.get(k) == v for k, v in wanted.items()):
            yield f"[{label}]", item
        if form == "i" and label == wanted:
            yield f"[{label}]", item
