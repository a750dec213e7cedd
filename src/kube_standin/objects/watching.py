"""Watches: what there is, then what changes, one JSON object a line, until the time is up."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from kube_standin.objects import reading
from kube_standin.objects.store import Change, Store, resource_of
from kube_standin.wire.answers import Json, RefusedError, expired, version_too_large
from kube_standin.wire.call import Call, is_true, number
from kube_standin.wire.options import check_reading

LONGEST = 1800  # seconds, when the client does not say; up to twice as long, as in the real server
BOOKMARK_EVERY = 60.0
BOOKMARK_BEFORE_END = 2.0

Shape = Callable[[Json], Any]


async def events(store: Store, call: Call, shape: Shape) -> AsyncIterator[Json]:
    """The events of one watch; what is wrong with the request has been refused by `check` before."""
    watch = _Watch(store, call, shape)
    try:
        for event in watch.beginning():
            yield event
        async for event in watch.following():
            yield event
    except RefusedError as error:
        yield {"type": "ERROR", "object": error.status()}


def check(store: Store, call: Call) -> None:
    """Refuse a watch that cannot be begun."""
    reading.chosen(call.kind, call.query)
    number(call.query, "timeoutSeconds")
    version = reading.asked_version(call.query)
    check_reading(call.query, watches=True)
    if version and store.changes_after(version) is None:
        raise expired(f"too old resource version: {version} ({store.version})")


class _Watch:
    def __init__(self, store: Store, call: Call, shape: Shape) -> None:
        self._store = store
        self._kind = call.kind
        self._query = call.query
        self._shape = shape
        self._namespace = call.namespace if call.kind.namespaced else ""
        self._wanted = reading.chosen(call.kind, call.query)
        self._bookmarks = is_true(call.query.get("allowWatchBookmarks", ""))
        seconds = number(call.query, "timeoutSeconds")
        self._seconds = seconds if seconds is not None else LONGEST * (1 + random.random())  # noqa: S311
        self._seen = store.version

    def beginning(self) -> list[Json]:
        """What there is already, unless the client says what it has seen."""
        version = reading.asked_version(self._query)
        if version is not None and version > self._store.version:
            raise version_too_large(version, self._store.version)
        initial = is_true(self._query.get("sendInitialEvents", ""))
        if version and not initial:
            self._seen = version
            return []
        there = self._store.all(self._kind, self._namespace)
        found = [self._event("ADDED", each) for each in there if self._wanted(each)]
        if initial and self._bookmarks:
            found.append(self._bookmark(end_of_initial=True))
        return found

    async def following(self) -> AsyncIterator[Json]:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        bookmark = min(loop.time() + BOOKMARK_EVERY, max(loop.time(), end - BOOKMARK_BEFORE_END))
        while True:
            changed = self._store.next_change()
            for event in self._news():
                yield event
            wait = min(end, bookmark if self._bookmarks else end) - loop.time()
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), timeout=max(wait, 0))
            if loop.time() >= end:
                return
            if self._bookmarks and loop.time() >= bookmark:
                bookmark += BOOKMARK_EVERY
                yield self._bookmark()

    def _news(self) -> list[Json]:
        changes = self._store.changes_after(self._seen)
        if changes is None:
            raise expired(f"too old resource version: {self._seen} ({self._store.version})")
        self._seen = self._store.version
        mine = resource_of(self._kind)
        found = [
            self._change(change)
            for change in changes
            if change.resource == mine and (not self._namespace or change.namespace == self._namespace)
        ]
        return [event for event in found if event is not None]

    def _change(self, change: Change) -> Json | None:
        """A change as this watch sees it: what no longer matches is gone, what now does is new."""
        was = change.before is not None and self._wanted(change.before)
        now_matches = change.after is not None and self._wanted(change.after)
        if now_matches:
            return self._event("MODIFIED" if was else "ADDED", change.shown)
        if not was:
            return None
        assert change.before is not None
        version = {"resourceVersion": str(change.version)}
        gone = change.before | {"metadata": change.before["metadata"] | version}
        return self._event("DELETED", gone)

    def _event(self, kind: str, obj: Json) -> Json:
        return {"type": kind, "object": self._shape(reading.in_version(self._kind, obj))}

    def _bookmark(self, *, end_of_initial: bool = False) -> Json:
        metadata: Json = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        if end_of_initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        bare = {"kind": self._kind.name, "apiVersion": self._kind.api_version, "metadata": metadata}
        return {"type": "BOOKMARK", "object": bare}
