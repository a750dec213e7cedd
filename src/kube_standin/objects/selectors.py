"""Which objects a request means: label and field selectors, and what is wrong with them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kube_standin.objects import names
from kube_standin.objects.kinds import Kind
from kube_standin.wire.answers import Json, bad_request

SYMBOLS = ("=", "==", "!=", "!", "(", ")", ",", ">", "<")
OPERATORS = {"=": "=", "==": "=", "!=": "!=", ">": ">", "<": "<", "in": "in", "notin": "notin"}

Matches = Callable[[Json], bool]


@dataclass(frozen=True)
class Requirement:
    """One requirement on one label. Without the label, only != and notin and ! hold."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "=" | "in":
                return value in self.values
            case "!=" | "notin":
                return value not in self.values
            case _:
                if value is None or not re.fullmatch(r"-?\d+", value):
                    return False
                limit = int(self.values[0])
                return int(value) > limit if self.operator == ">" else int(value) < limit


def by_labels(text: str) -> Matches:
    """What a `labelSelector` means."""
    requirements = parse(text)

    def matches(obj: Json) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(requirement.holds(labels) for requirement in requirements)

    return matches


def by_selector(selector: Mapping[str, Any] | None) -> Callable[[Mapping[str, str]], bool]:
    """What a LabelSelector in an object means: nothing for None, everything for {}."""
    if selector is None:
        return lambda _: False
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    requirements = [Requirement(key, "=", (value,)) for key, value in selector.get("matchLabels", {}).items()]
    requirements += [
        Requirement(each["key"], operators.get(each["operator"], "in"), tuple(each.get("values", ())))
        for each in selector.get("matchExpressions", [])
    ]
    return lambda labels: all(requirement.holds(labels) for requirement in requirements)


def as_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as one line, as the scale subresource shows it."""
    if not selector:
        return ""
    words = {"In": "in", "NotIn": "notin"}
    parts = [(key, f"{key}={value}") for key, value in selector.get("matchLabels", {}).items()]
    for each in selector.get("matchExpressions", []):
        key, operator = each["key"], each["operator"]
        values = ",".join(sorted(each.get("values", [])))
        text = f"{key} {words[operator]} ({values})" if operator in words else key
        parts.append((key, f"!{key}" if operator == "DoesNotExist" else text))
    return ",".join(text for _, text in sorted(parts))


def by_fields(text: str, kind: Kind) -> Matches:
    """What a `fieldSelector` means for this kind."""
    terms = []
    for term in filter(None, text.split(",")):
        match = re.fullmatch(r"([^=!]*)(==|!=|=)(.*)", term)
        if match is None:
            raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
        path, operator, value = match.groups()
        _check_known(kind, path)
        terms.append((path, operator == "!=", value))

    def matches(obj: Json) -> bool:
        return all((_field(kind, obj, path) == value) is not unequal for path, unequal, value in terms)

    return matches


def _check_known(kind: Kind, path: str) -> None:
    always = ("metadata.name", "metadata.namespace") if kind.namespaced else ("metadata.name",)
    selectable = kind.custom.get("selectableFields", ()) if kind.custom else ()
    if path in always or path in kind.fields or path in {each["jsonPath"].lstrip(".") for each in selectable}:
        return
    if kind.fields:
        raise bad_request(f"field label not supported: {path}")
    raise bad_request(f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"')


def _field(kind: Kind, obj: Json, path: str) -> str:
    if (kind.name, path) == ("Event", "source"):
        path = "source.component"
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path in {"spec.hostNetwork", "spec.unschedulable"} else ""
    return str(value)


def parse(text: str) -> list[Requirement]:
    """The requirements of a label selector, as apimachinery parses them."""
    return list(_Parser(text).requirements())


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ""]
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        if not self._next:
            return
        if not _starts(self._next):
            raise bad_request(f"found '{self._next}', expected: !, identifier, or 'end of string'")
        while True:
            yield self._requirement()
            separator = self._take()
            if not separator:
                return
            if separator != ",":
                raise bad_request(f"found '{separator}', expected: ',' or 'end of string'")
            if not _starts(self._next):
                raise bad_request(f"found '{self._next}', expected: identifier after ','")

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _requirement(self) -> Requirement:
        absent = self._next == "!"
        if absent:
            self._take()
        key = self._take()
        if not key or key in SYMBOLS:
            raise _unparsed(f"found '{key}', expected: identifier")
        _check_key(key)
        if absent:
            return Requirement(key, "!")
        if self._next in {"", ","}:
            return Requirement(key, "exists")
        word = self._take()
        if word not in OPERATORS:
            raise _unparsed(f"found '{word}', expected: in, notin, =, ==, !=, gt, lt")
        operator = OPERATORS[word]
        values = self._set() if operator in {"in", "notin"} else (self._value(),)
        if operator in {"<", ">"} and not re.fullmatch(r"-?\d+", values[0]):
            raise _unparsed(
                f'values[0]: Invalid value: "{values[0]}": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            )
        for index, value in enumerate(values):
            _check_value(value, f"values[{index}][{key}]")
        return Requirement(key, operator, values)

    def _value(self) -> str:
        if self._next in {"", ","}:
            return ""
        value = self._take()
        if value in SYMBOLS:
            raise _unparsed(f"found '{value}', expected: identifier")
        return value

    def _set(self) -> tuple[str, ...]:
        opening = self._take()
        if opening != "(":
            raise _unparsed(f"found '{opening}' expected: '('")
        values: set[str] = set()
        while True:
            word = self._take()
            if word == ")":
                return tuple(sorted(values or {""}))
            if word == ",":
                values.add("")
                continue
            if not word or word in SYMBOLS:
                raise _unparsed(f"found '{word}', expected: ',', ')' or identifier")
            values.add(word)
            if self._next == ",":
                self._take()


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        if text[at] in " \t\n\r":
            at += 1
            continue
        if text[at] in "=!(),><":
            symbol = text[at : at + 2] if text[at : at + 2] in SYMBOLS else text[at]
            yield symbol
            at += len(symbol)
            continue
        word = re.match(r"[^=!(),><\s]+", text[at:])
        assert word is not None, "anything but a symbol or a space starts a word"
        yield word[0]
        at += len(word[0])


def _starts(word: str) -> bool:
    return word == "!" or (bool(word) and word not in SYMBOLS)


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(names.SUBDOMAIN, prefix):
        raise _unparsed(f'key: Invalid value: "{key}": prefix part {names.SUBDOMAIN_RULE}')
    if not names.QUALIFIED.fullmatch(name):
        raise _unparsed(f'key: Invalid value: "{key}": {names.NAME_PART_RULE}')


def _check_value(value: str, path: str) -> None:
    if value and (len(value) > names.LABEL_LENGTH or not names.QUALIFIED.fullmatch(value)):
        raise _unparsed(f'{path}: Invalid value: "{value}": {names.LABEL_VALUE_RULE}')


def _unparsed(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")
