"""JSON and TOML that somebody else wrote: whatever is wrong with a text is a ValueError, also its depth.

Python's parsers follow a text into its depth by calling themselves: a few kilobytes of brackets end them with
a RecursionError, which nobody expects of a text.
"""

import json
import tomllib
from collections.abc import Callable
from typing import Any

_TOO_DEEP = "expected lists and tables in sensible depth, saw more"


def of_json(text: str | bytes, constant: Callable[[str], object] | None = None) -> Any:
    """The document; `constant` is given NaN and Infinity, which are none of JSON's, where they matter."""
    try:
        return json.loads(text, parse_constant=constant)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def of_toml(text: str) -> dict[str, Any]:
    """The document; ValueError where it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
