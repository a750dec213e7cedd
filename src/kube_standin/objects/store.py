"""The objects, in memory, with the history that watches and pages of lists need."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from kube_standin.objects.kinds import Kind
from kube_standin.wire.answers import Json

REMEMBERED_CHANGES = 10_000
REMEMBERED_LISTS = 50

Key = tuple[str, str]  # namespace ("" without one), name
Resource = tuple[str, str]  # group, plural: the versions of a resource share their objects


@dataclass(frozen=True)
class Change:
    """One write: what an object was and is. A deleted one is shown with the version of its deletion."""

    version: int
    resource: Resource
    namespace: str
    before: Json | None
    after: Json | None
    shown: Json


class Store:
    """Objects by resource, namespace and name. Stored objects are never changed, only replaced."""

    def __init__(self) -> None:
        self.version = 1
        self._objects: dict[Resource, dict[Key, Json]] = {}
        self._changes: deque[Change] = deque(maxlen=REMEMBERED_CHANGES)
        self._lists: OrderedDict[int, dict[Resource, list[Json]]] = OrderedDict()
        self._changed = asyncio.Event()

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        return self._objects.get(resource_of(kind), {}).get((namespace if kind.namespaced else "", name))

    def all(self, kind: Kind, namespace: str = "") -> list[Json]:
        """In the order of etcd's keys: by namespace, then by name."""
        objects = self._objects.get(resource_of(kind), {})
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def everything(self) -> Iterator[tuple[Resource, Json]]:
        for resource, objects in list(self._objects.items()):
            for stored in list(objects.values()):
                yield resource, stored

    def put(self, kind: Kind, obj: Json) -> Json:
        """Store an object under its own namespace and name, with a new resourceVersion."""
        self.version += 1
        meta = obj["metadata"]
        stored = obj | {"metadata": meta | {"resourceVersion": str(self.version)}}
        key = (meta.get("namespace", ""), meta["name"])
        objects = self._objects.setdefault(resource_of(kind), {})
        before = objects.get(key)
        objects[key] = stored
        self._record(Change(self.version, resource_of(kind), key[0], before, stored, stored))
        return stored

    def remove(self, resource: Resource, obj: Json) -> Json:
        """Forget an object; the answer shows it with the version of its deletion."""
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        before = self._objects[resource].pop(key)
        self.version += 1
        shown = before | {"metadata": before["metadata"] | {"resourceVersion": str(self.version)}}
        self._record(Change(self.version, resource, key[0], before, None, shown))
        return shown

    def changes_after(self, version: int) -> list[Change] | None:
        """What happened since, oldest first; None if that is no longer remembered."""
        if version >= self.version:
            return []
        if (
            self._changes
            and self._changes[0].version > version + 1
            and len(self._changes) == REMEMBERED_CHANGES
        ):
            return None
        found: list[Change] = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            found.append(change)
        return found[::-1]

    def next_change(self) -> asyncio.Event:
        """What the next write sets. Take it before looking at the changes, or miss a write in between."""
        return self._changed

    def remember(self, resource: Resource, objects: list[Json]) -> None:
        """Keep a list as it is now, for the pages that follow."""
        self._lists.setdefault(self.version, {})[resource] = objects
        while len(self._lists) > REMEMBERED_LISTS:
            self._lists.popitem(last=False)

    def remembered(self, version: int, resource: Resource) -> list[Json] | None:
        return self._lists.get(version, {}).get(resource)

    def _record(self, change: Change) -> None:
        self._changes.append(change)
        self._changed.set()
        self._changed = asyncio.Event()


def resource_of(kind: Kind) -> Resource:
    return (kind.group, kind.plural)
