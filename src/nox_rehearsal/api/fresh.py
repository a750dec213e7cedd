"""A value that may be a little old: answers many callers with one look."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")


class _Entry(NamedTuple, Generic[Value]):
    expires: float
    value: Value


class Fresh(Generic[Value]):
    """Keeps what `look` answered for `seconds` per key; callers at once share one look.

    `keep` says which answers are worth keeping (all of them, when left out). A look that raises
    is not kept: each of its callers gets the exception, the next one looks again.
    """

    def __init__(self, seconds: float, most: int = 1000, keep: Callable[[Value], bool] | None = None) -> None:
        self._seconds = seconds
        self._most = most
        self._keep = keep
        self._kept: dict[object, _Entry[Value]] = {}
        self._looking: dict[object, asyncio.Task[Value]] = {}

    async def get(self, key: object, look: Callable[[], Awaitable[Value]]) -> Value:
        entry = self._kept.get(key)
        if entry is not None and entry.expires > time.monotonic():
            return entry.value
        task = self._looking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._look(key, look))
            self._looking[key] = task
        # shielded: a caller that goes away must not take the look away from the others
        return await asyncio.shield(task)

    async def _look(self, key: object, look: Callable[[], Awaitable[Value]]) -> Value:
        try:
            value = await look()
            if self._keep is None or self._keep(value):
                if len(self._kept) >= self._most:
                    self._kept.clear()
                self._kept[key] = _Entry(time.monotonic() + self._seconds, value)
            return value
        finally:
            del self._looking[key]
