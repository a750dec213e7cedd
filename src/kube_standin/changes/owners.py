"""Who owns which field: managedFields kept on every write, and server-side apply with its conflicts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kube_standin.changes import fields
from kube_standin.changes.fields import Path
from kube_standin.objects.schema import Node
from kube_standin.wire import answers
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause


@dataclass(frozen=True)
class Manager:
    """One entry of managedFields."""

    name: str
    operation: str  # Apply or Update
    api_version: str
    part: str = ""  # the subresource that it wrote
    time: str = ""
    paths: frozenset[Path] = field(default_factory=frozenset)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return (self.name, self.operation, self.api_version, self.part)

    @property
    def shown(self) -> str:
        """As a conflict names it."""
        text = f'"{self.name}"'
        if self.part:
            text += f' with subresource "{self.part}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


def read(obj: Json | None) -> list[Manager]:
    """The managers of an object; entries that do not say what they must are left out."""
    entries = (obj or {}).get("metadata", {}).get("managedFields", [])
    return [
        Manager(
            entry["manager"],
            entry["operation"],
            entry["apiVersion"],
            entry.get("subresource", ""),
            entry.get("time", ""),
            frozenset(fields.unpack(entry.get("fieldsV1", {}))),
        )
        for entry in entries
        if {"manager", "operation", "apiVersion"} <= set(entry)
    ]


def write(managers: Sequence[Manager]) -> list[Json]:
    """The managers as managedFields has them."""
    entries = []
    for manager in sorted(managers, key=lambda each: (each.operation != "Apply", each.time, each.name)):
        entry = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": manager.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields.pack(manager.paths),
        }
        if manager.part:
            entry["subresource"] = manager.part
        entries.append(entry)
    return entries


def after_update(
    node: Node, old: Json | None, new: Json, writer: Manager, said: list[Manager] | None = None
) -> list[Manager]:
    """The managers when `writer` has changed an object: it owns what it changed; what is gone has no owner.

    `said` is what the writer says of the managers before: kubectl rewrites them when it begins to apply
    on the server.
    """
    before = fields.flatten(node, old) if old else {}
    after = fields.flatten(node, new)
    mine = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = set(before) - set(after)
    managers = []
    known = False
    for manager in said or read(old):
        if manager.identity == writer.identity:
            known = True
            if mine or manager.paths & gone:
                manager = replace(manager, paths=(manager.paths | mine) - gone, time=writer.time)  # noqa: PLW2901
        else:
            manager = replace(manager, paths=manager.paths - gone - mine)  # noqa: PLW2901
        if manager.paths:
            managers.append(manager)
    if mine and not known:
        managers.append(replace(writer, paths=frozenset(mine)))
    return managers


def apply(
    node: Node, live: Json | None, config: Json, applier: Manager, *, force: bool
) -> tuple[Json, list[Manager]]:
    """The object and its managers when `applier` applies a configuration. Raises RefusedError for conflicts.

    Fields that it applied before and no longer does are removed, unless somebody else owns them too.
    """
    wanted = fields.flatten(node, config)
    now = fields.flatten(node, live) if live else {}
    managers = read(live)
    others = [manager for manager in managers if manager.identity != applier.identity]
    before = next((manager for manager in managers if manager.identity == applier.identity), None)
    changed = {path for path, value in wanted.items() if path not in now or now[path] != value}
    conflicts = [(manager, path) for manager in others for path in manager.paths & changed]
    if conflicts and not force:
        raise _conflict(conflicts)
    others = [replace(manager, paths=manager.paths - changed) for manager in others]
    merged: Any = fields.merge(node, live, config) if live else config
    owned = {path for manager in others for path in manager.paths}
    for path in sorted((before.paths if before else set()) - set(wanted), key=len):
        if not any(other[: len(path)] == path for other in owned):
            merged = fields.without(node, merged, path)
    mine = frozenset(wanted)
    if before is not None and before.paths == mine and not changed:
        applier = before
    return merged, [manager for manager in [*others, replace(applier, paths=mine)] if manager.paths]


def _conflict(conflicts: list[tuple[Manager, Path]]) -> answers.RefusedError:
    found = sorted((manager.shown, fields.describe(path)) for manager, path in conflicts)
    causes = [Cause("FieldManagerConflict", f"conflict with {who}", where) for who, where in found]
    if len(found) == 1:
        who, where = found[0]
        return answers.apply_conflict(f"Apply failed with 1 conflict: conflict with {who}: {where}", causes)
    lines = []
    for who in dict.fromkeys(who for who, _ in found):
        lines.append(f"conflicts with {who}:")
        lines += [f"- {where}" for each, where in found if each == who]
    return answers.apply_conflict(f"Apply failed with {len(found)} conflicts: " + "\n".join(lines), causes)
