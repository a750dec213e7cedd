"""The small part of JSONPath that printer columns use: .a.b, ['a'], [0], [*], [?(@.type=="Ready")]."""

import json
import re
from typing import Any

STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+)
    |\[\?\(@\.(?P<field>[^=!]+?)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[^)]+)\)\]
    |\[(?P<index>-?\d+)\]
    |\[(?P<all>\*)\]
    |\['(?P<quoted>[^']+)'\]""",
    re.VERBOSE,
)


def find(value: Any, path: str) -> list[Any]:
    """What a path leads to; empty if it leads nowhere."""
    found = [value]
    text = path.strip().strip("{}").replace("\\.", "\0")
    text = text if text.startswith((".", "[")) else f".{text}"
    while text:
        step = STEP.match(text)
        if step is None:
            return []
        found = [each for item in found for each in _next(item, step)]
        text = text[step.end() :]
    return [each for each in found if each is not None]


def _next(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] or step["quoted"]
    if name:
        name = name.replace("\0", ".")
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, list):
        return list(value.values()) if step["all"] and isinstance(value, dict) else []
    if step["index"]:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    if step["all"]:
        return value
    wanted = _literal(step["value"].strip())
    equal = step["operator"] == "=="
    return [each for each in value if isinstance(each, dict) and (each.get(step["field"]) == wanted) is equal]


def _literal(text: str) -> Any:
    if text[:1] in {"'", '"'}:
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text
