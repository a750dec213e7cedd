"""What the server says that it serves."""

from collections.abc import Iterable
from typing import Any

from kube_standin.objects.kinds import Kind, Part
from kube_standin.wire.answers import Json

VERSION: Json = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v0.0.0-master+$Format:%H$",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.27.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}
CHECKS = ("/healthz", "/livez", "/readyz")


def core_versions(address: str) -> Json:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups(kinds: Iterable[Kind]) -> Json:
    """Every group but the core one."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(_groups(kinds).values())}


def group(kinds: Iterable[Kind], name: str) -> Json | None:
    """One group."""
    found = _groups(kinds).get(name)
    return None if found is None else {"kind": "APIGroup", "apiVersion": "v1", **found}


def resources(kinds: Iterable[Kind], group_name: str, version: str) -> Json | None:
    """The resources of one group and version; the core group's list does not say its own apiVersion."""
    served = [kind for kind in kinds if (kind.group, kind.version) == (group_name, version)]
    if not served:
        return None
    listed: Json = {"kind": "APIResourceList"}
    if group_name:
        listed["apiVersion"] = "v1"
    entries = [entry for kind in served for entry in _entries(kind)]
    return listed | {
        "groupVersion": served[0].api_version,
        "resources": sorted(entries, key=lambda each: each["name"]),
    }


def aggregated(kinds: Iterable[Kind], *, core: bool) -> Json:
    """All groups, versions and resources in one document, as newer clients ask."""
    found: dict[str, dict[str, list[Kind]]] = {}
    for kind in kinds:
        if (kind.group == "") is core:
            found.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name, "creationTimestamp": None}
                if name
                else {"creationTimestamp": None},
                "versions": [
                    {
                        "version": version,
                        "resources": [_discovered(kind) for kind in served],
                        "freshness": "Current",
                    }
                    for version, served in versions.items()
                ],
            }
            for name, versions in found.items()
        ],
    }


def _groups(kinds: Iterable[Kind]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for kind in kinds:
        if not kind.group:
            continue
        version = {"groupVersion": kind.api_version, "version": kind.version}
        known = found.setdefault(
            kind.group, {"name": kind.group, "versions": [], "preferredVersion": version}
        )
        if version not in known["versions"]:
            known["versions"].append(version)
    return found


def _entries(kind: Kind) -> Iterable[Json]:
    entry: Json = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    yield entry
    for part in kind.parts:
        yield _part_entry(kind, part)


def _part_entry(kind: Kind, part: Part) -> Json:
    entry: Json = {"name": f"{kind.plural}/{part.name}", "singularName": "", "namespaced": kind.namespaced}
    if part.group:
        entry |= {"group": part.group, "version": part.version}
    return entry | {"kind": part.kind or kind.name, "verbs": list(part.verbs)}


def _discovered(kind: Kind) -> Json:
    found: Json = {
        "resource": kind.plural,
        "responseKind": _response_kind(kind.group, kind.version, kind.name),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        found["shortNames"] = list(kind.short)
    if kind.categories:
        found["categories"] = list(kind.categories)
    if kind.parts:
        found["subresources"] = [
            {
                "subresource": part.name,
                "responseKind": _response_kind(
                    part.group or kind.group, part.version or kind.version, part.kind or kind.name
                ),
                "verbs": list(part.verbs),
            }
            for part in kind.parts
        ]
    return found


def _response_kind(group_name: str, version: str, name: str) -> dict[str, Any]:
    return {"group": group_name, "version": version, "kind": name}
