"""Libraries that are imported when something of them is first used.

Every run of pytest imports all clients and most look through few of them; each library takes its tenth of a
second. A module says so beside its imports, and is used as ever:

    if TYPE_CHECKING:
        import httpx
    else:
        httpx = late("httpx")
"""

import importlib
from typing import Any


class _Library:
    """Stands for a module; what Python itself asks of any object imports nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)


def late(name: str) -> Any:
    """The module of that name, imported at the first use."""
    return _Library(name)
