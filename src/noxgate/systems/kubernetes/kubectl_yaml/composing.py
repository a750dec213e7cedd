"""One document of YAML as go-yaml v2 decodes it: keys in their order, merges where they stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events

from noxgate.errors import NoxgateError
from noxgate.systems.kubernetes.kubectl_yaml import plain
from noxgate.systems.kubernetes.kubectl_yaml.scanning import Events

_BY_ALIAS, _AT_ALL = 100, 1000  # values, up to which it looks at no share
_FEW, _MANY = 400_000, 4_000_000  # values, between which go-yaml allows ever less of them by alias


class YamlError(NoxgateError):
    """A text that kubectl refuses: what is wrong, and the line in the document, counted from 1."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class _Node:
    """A part of the document. `target` is what an alias stands for; `items` are keys and values by turns."""

    kind: str
    line: int
    tag: str = ""
    text: str = ""
    is_plain: bool = False
    target: "_Node | None" = None
    items: "list[_Node]" = field(default_factory=list)


def decoded(text: str) -> tuple[Any, list[tuple[int, str]]]:
    """The value of the first document, and the keys that stand twice in a mapping: line and key."""
    try:
        root = _composed(Events(text))
        decoder = _Decoder()
        return (None if root is None else decoder.value(root)), decoder.twice
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(error.problem).split())
        raise YamlError(said, None if mark is None else mark.line + 1) from None
    except yaml.YAMLError as error:
        raise YamlError(" ".join(str(error).split())) from None


def _composed(stream: Events) -> _Node | None:
    """The first document as a tree; what follows it is not read, as in go-yaml."""
    anchors: dict[str, _Node] = {}
    top = _Node("document", 0)
    parents = [top]
    while stream.check_event():
        event = stream.get_event()  # type: ignore[no-untyped-call]
        if isinstance(event, events.DocumentEndEvent):
            return top.items[0]
        if isinstance(event, events.CollectionEndEvent):
            parents.pop()
        elif isinstance(event, events.NodeEvent):
            node = _node(event, anchors)
            parents[-1].items.append(node)
            if isinstance(event, events.CollectionStartEvent):
                parents.append(node)
    return None


def _node(event: events.NodeEvent, anchors: dict[str, _Node]) -> _Node:
    assert event.start_mark is not None
    line = event.start_mark.line + 1
    if isinstance(event, events.AliasEvent):
        if event.anchor not in anchors:
            raise YamlError(f"expected an anchor &{event.anchor} before *{event.anchor}, saw none", line)
        return _Node("alias", line, text=event.anchor, target=anchors[event.anchor])
    if isinstance(event, events.ScalarEvent):
        node = _Node("scalar", line, event.tag or "", event.value, is_plain=bool(event.implicit[0]))
    else:
        node = _Node("list" if isinstance(event, events.SequenceStartEvent) else "mapping", line)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


class _Decoder:
    """Turns nodes into values, and counts them: a few aliases of aliases may stand for millions."""

    def __init__(self) -> None:
        self.twice: list[tuple[int, str]] = []
        self._open: list[_Node] = []
        self._count = 0
        self._by_alias = 0

    def value(self, node: _Node, into: dict[str, Any] | None = None) -> Any:
        self._counted(node)
        if node.kind == "alias":
            return self._alias(node, into)
        if node.kind == "list":
            return [self.value(each) for each in node.items]
        if node.kind == "scalar":
            return _scalar(node)
        found: dict[str, Any] = {} if into is None else into
        own = set()
        for key, each in zip(node.items[::2], node.items[1::2], strict=True):
            if _is_merge(key):
                for merged in _mergeable(each):
                    self.value(merged, found)
                continue
            name = self._key(key)
            if name in own:
                self.twice.append((key.line, name))
            own.add(name)
            found[name] = self.value(each)
        return found

    def _alias(self, node: _Node, into: dict[str, Any] | None) -> Any:
        assert node.target is not None
        if any(each is node for each in self._open):
            raise YamlError(f"expected a value, saw that &{node.text} contains itself", node.line)
        self._open.append(node)
        found = self.value(node.target, into)
        self._open.pop()
        return found

    def _key(self, node: _Node) -> str:
        self._counted(node)
        while node.target is not None:
            node = node.target
            self._counted(node)
        if node.kind != "scalar":
            raise YamlError(f"expected a key that is a text, saw a {node.kind}", node.line)
        try:
            return plain.as_key(_unlimited(node))
        except ValueError as error:
            raise YamlError(str(error), node.line) from None

    def _counted(self, node: _Node) -> None:
        self._count += 1
        self._by_alias += bool(self._open)
        is_large = self._by_alias > _BY_ALIAS and self._count > _AT_ALL
        if is_large and self._by_alias > _allowed(self._count) * self._count:
            raise YamlError("expected a document, saw more aliases than kubectl follows", node.line)


def _allowed(count: int) -> float:
    """The share of values that may come from aliases."""
    return 0.99 - 0.89 * (min(max(count, _FEW), _MANY) - _FEW) / (_MANY - _FEW)


def _scalar(node: _Node) -> plain.Scalar:
    try:
        return plain.as_json(_unlimited(node))
    except ValueError as error:
        raise YamlError(str(error), node.line) from None


def _unlimited(node: _Node) -> plain.Scalar:
    """The value as YAML has it, whose numbers are more than JSON's."""
    if not node.tag and not node.is_plain:
        return node.text
    try:
        return plain.resolved(node.tag, node.text)
    except ValueError as error:
        raise YamlError(str(error), node.line) from None


def _is_merge(node: _Node) -> bool:
    return node.kind == "scalar" and node.text == "<<" and (node.is_plain or node.tag == plain.YAML + "merge")


def _mergeable(node: _Node) -> Iterator[_Node]:
    """The mappings that << puts in, the one that wins last."""
    every: Sequence[_Node] = node.items[::-1] if node.kind == "list" else [node]
    for each in every:
        if (each.target or each).kind != "mapping":
            raise YamlError("expected a mapping, or a list of mappings, to be merged", each.line)
        yield each
