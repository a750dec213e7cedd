"""JSON and TOML that somebody else wrote: every fault of a text is a ValueError, its depth included.

Python's parsers follow a text into its depth by calling themselves: a few kilobytes of brackets end them with
a RecursionError, which callers do not expect. What is a little less deep they read, and it ends those who
go through it in the same way.
"""

import json
import tomllib
from collections.abc import Callable
from typing import Any

DEEPEST = 200  # of lists and tables in one another
_TOO_DEEP = "expected lists and tables in sensible depth, saw more"


def of_json(text: str | bytes | bytearray, constant: Callable[[str], object] | None = None) -> Any:
    """The document; `constant` is given NaN and Infinity, which JSON does not have."""
    try:
        document = json.loads(text, parse_constant=constant)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if is_too_deep(document):
        raise ValueError(_TOO_DEEP)
    return document


def is_too_deep(document: Any) -> bool:
    """Whether it has more lists and tables in one another than anybody means."""
    level = [document]
    for _ in range(DEEPEST + 1):
        level = [
            part
            for each in level
            if isinstance(each, dict | list)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def of_toml(text: str) -> dict[str, Any]:
    """The document. Raises ValueError if it is not valid."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
