"""The syntax of a body: JSON or YAML, read as Go reads it and refused in its words."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

DEEPEST = 200  # the real server reads 10 000 levels, and knows a field on few of them


class Repeating(dict[str, Any]):
    """A JSON object that said some key more than once."""

    repeated: tuple[str, ...] = ()


class _Loader(yaml.SafeLoader):
    """YAML as the server reads it: a date stays text."""


def parse(body: bytes, *, is_yaml: bool = False) -> Any:
    """The value of a JSON or YAML text; ValueError with the server's words about its syntax."""
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if not is_yaml:
            raise ValueError(_as_go_says(error)) from None
        value = _parse_yaml(text)
    except RecursionError:
        raise ValueError("exceeded max depth") from None
    if _depth(value) > DEEPEST:
        raise ValueError("exceeded max depth")
    return value


def dump_yaml(value: Any) -> bytes:
    """A value as YAML."""
    text: str = yaml.safe_dump(value, sort_keys=False)
    return text.encode()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeating = Repeating(made)
    names = [name for name, _ in pairs]
    repeating.repeated = tuple(name for name in made if names.count(name) > 1)
    return repeating


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError("Expecting value", name, 0)


def _parse_yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (derived from SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"error converting YAML to JSON: {' '.join(str(error).split())}") from None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        level = [child for each in level for child in _children(each)]
        depth += 1
    return depth


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _as_go_says(error: json.JSONDecodeError) -> str:
    where = {
        "Expecting value": "looking for beginning of value",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after object key:value pair",
        "Extra data": "after top-level value",
        "Invalid control character at": "in string literal",
        "Invalid \\escape": "in string escape code",
    }
    found = error.doc[error.pos : error.pos + 1]
    said = next((words for start, words in where.items() if error.msg.startswith(start)), "")
    if not found or not said or not error.doc[error.pos :].strip():
        return "unexpected end of JSON input"
    return f"invalid character {found!r} {said}"


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
