"""The syntax of a body: JSON or YAML, read as Go reads it and refused in its words."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

DEEPEST = 200  # the real server reads 10 000 levels, and knows a field on few of them


NO_JSON = "error converting YAML to JSON: "
# how PyYAML begins its words, in which place it found it, what libyaml says of the same
YAML_WORDS = (
    ("expected the node content", "", "did not find expected node content"),
    ("expected ',' or '}'", "", "did not find expected ',' or '}'"),
    ("expected ',' or ']'", "", "did not find expected ',' or ']'"),
    ("expected <block end>", "block mapping", "did not find expected key"),
    ("expected <block end>", "block collection", "did not find expected '-' indicator"),
    ("expected '<document start>'", "", "did not find expected <document start>"),
    ("mapping values are not allowed", "", "mapping values are not allowed in this context"),
    ("found character", "", "found character that cannot start any token"),
    ("found undefined alias", "", "unknown anchor referenced"),
)


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


def check_keys(body: bytes) -> None:
    """ValueError, in the server's words, where a mapping of a YAML text says a key twice."""
    try:
        root = yaml.compose(body.decode("utf-8", errors="replace"), Loader=_Loader)
    except yaml.YAMLError:
        return
    lines = [f"  line {line}: key {json.dumps(key)} already set in map" for line, key in _repeated(root)]
    if lines:
        raise ValueError("\n".join([f"{NO_JSON}yaml: unmarshal errors:", *lines]))


def _repeated(root: Any) -> Iterator[tuple[int, str]]:
    left = [root]
    while left:
        node = left.pop()
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen and isinstance(key, yaml.ScalarNode):
                    yield key.start_mark.line + 1, key.value
                seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
                left.append(value)
        elif isinstance(node, yaml.SequenceNode):
            left.extend(node.value)


def _parse_yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (derived from SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"{NO_JSON}{_as_libyaml_says(error, text)}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{NO_JSON}yaml: {' '.join(str(error).split())}") from None


def _as_libyaml_says(error: yaml.MarkedYAMLError, text: str) -> str:
    problem, context = error.problem or "", error.context or ""
    said = next(
        (words for start, of, words in YAML_WORDS if problem.startswith(start) and of in context), problem
    )
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    if mark is not None and mark.index >= len(text.rstrip("\0")) and mark.column:
        line += 1  # libyaml takes the end of the text for the start of one more line
    if isinstance(error, yaml.scanner.ScannerError):
        line += 1
    return f"yaml: line {line}: {said}" if line else f"yaml: {said}"


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
