"""What is said of one key of a profile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

VARIABLE = r"[A-Z][A-Z0-9_]*"  # of the environment
NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # a label of DNS, as Kubernetes names namespaces and containers
NOT_BLANK = {"pattern": r"\S"}


@dataclass(frozen=True)
class ValueForm:
    """`words` are what a message expects; `schema` is the same as JSON Schema says it."""

    words: str
    python: type
    schema: Mapping[str, Any]
    whole_too: bool = False  # a whole number is one of these

    def fits(self, value: object) -> bool:
        """Exactly: true does not pass for a number, nor a time of a day for a day."""
        return self.python is object or type(value) is self.python or (self.whole_too and type(value) is int)


TEXT = ValueForm("text", str, {"type": "string"})
YES_OR_NO = ValueForm("true or false", bool, {"type": "boolean"})
NUMBER = ValueForm("a number", float, {"type": "number"}, whole_too=True)
WHOLE = ValueForm("a whole number", int, {"type": "integer"})
LIST = ValueForm("a list", list, {"type": "array", "items": {"type": "string"}})
TABLE = ValueForm("a table", dict, {"type": "object"})


@dataclass(frozen=True)
class Key:
    """One key, or a table of keys.

    `without`: what holds if the profile does not say it and the key has no default.
    `waits`: the systems that are looked at by it, as noxgate.doctor.needs calls them, such as
    token:test_token; without them, the lines that need it are those whose checks read it.
    """

    name: str
    form: ValueForm
    meaning: str
    example: Any = None
    default: Any = None
    without: str = ""
    required: bool = False
    rehearsal: bool = False  # only a rehearsal may say it
    waits: tuple[str, ...] = ()
    keys: tuple["Key", ...] = ()  # all that a table may have
    limits: Mapping[str, Any] = field(default_factory=dict)  # what else JSON Schema says of it

    def inside(self) -> Iterator["Key"]:
        """The keys of a table, and of the tables in it, by their whole names."""
        for key in self.keys:
            whole = replace(key, name=f"{self.name}.{key.name}")
            yield whole
            yield from whole.inside()


@dataclass(frozen=True)
class Topic:
    """Keys that belong together."""

    title: str
    keys: tuple[Key, ...]


def names(keys: Sequence[Key]) -> tuple[str, ...]:
    return tuple(key.name for key in keys)


def pattern(whole: str) -> Mapping[str, Any]:
    """What a text must match from its start to its end."""
    return {"pattern": f"^(?:{whole})$"}
