"""What an expression selects, read by the grammar of PromQL and not by its look."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import shortened
from noxgate.machine.late import late

if TYPE_CHECKING:
    import promql_parser
else:
    promql_parser = late("promql_parser")

_OVER_ALL = " by ()"  # which is what is meant without it
_HOW = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True)
class Matcher:
    """One matcher of a selector: label, = != =~ !~, value."""

    label: str
    how: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.how}{json.dumps(self.value, ensure_ascii=False)}"

    def takes(self, value: str) -> bool:
        """Whether a series with this value of the label fits."""
        if "~" not in self.how:
            return (self.value == value) == (self.how == "=")
        try:
            found = re.fullmatch(self.value, value) is not None
        except re.error:
            raise UnreachableError(f"{self}: expected a pattern that Python reads, too") from None
        return found == (self.how == "=~")


@dataclass(frozen=True)
class Selector:
    """The series that an expression looks at; the name is None if a pattern stands for it."""

    name: str | None
    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        inner = ",".join(map(str, self.matchers))
        return f"{self.name or ''}{{{inner}}}"

    @property
    def is_narrow(self) -> bool:
        """Whether it selects some series: what series without any label fit, Prometheus refuses to select."""
        return self.name is not None or any(not matcher.takes("") for matcher in self.matchers)

    def takes(self, label: str, value: str) -> bool:
        """Whether series with this label may be among them, as far as it is named."""
        return all(matcher.takes(value) for matcher in self.matchers if matcher.label == label)

    def names(self, label: str) -> bool:
        """Whether it says anything of a label."""
        return any(matcher.label == label for matcher in self.matchers)


def selectors(expression: str) -> list[Selector]:
    """Every selector, in the order in which they stand. Raises UnreachableError if it cannot be read."""
    return [_selector(each) for each in _vectors(_parsed(expression))]


def shape(expression: str, change: Callable[[Selector], Selector] = lambda found: found) -> str:
    """An expression such that two are alike where they mean the same; `change` is done to each selector."""
    parsed = _parsed(expression)
    text, start, pieces = str(parsed), 0, []
    for vector in _vectors(parsed):
        written = f"{vector.name or ''}{vector.matchers}"
        at = text.find(written, start)
        if at < 0:
            raise UnreachableError(f"{shortened(text, 120)}: expected {written} in it, as the parser read it")
        changed = change(_selector(vector))
        ordered = Selector(changed.name, tuple(sorted(changed.matchers, key=str)))
        pieces += [text[start:at].replace(_OVER_ALL, ""), str(ordered)]
        start = at + len(written)
    return "".join([*pieces, text[start:].replace(_OVER_ALL, "")])


def looked_at(expression: str, change: Callable[[Selector], Selector]) -> list[str]:
    """What has a value where the series of each selector have a sample, in the time that is looked at.

    `change` is done to each selector.
    """
    return list(dict.fromkeys(_looked_at(_parsed(expression), change)))


def _parsed(expression: str) -> Any:
    try:
        return promql_parser.parse(expression)
    except ValueError as error:
        seen = shortened(" ".join(expression.split()), 120)
        raise UnreachableError(
            f"{seen}: expected PromQL as the parser here reads it (of Prometheus 2.45, and newer): {error}"
        ) from None


def _vectors(parsed: Any) -> Sequence[Any]:
    found: list[Any] = []

    def keep(each: Any) -> None:
        if isinstance(each, promql_parser.VectorSelector):
            found.append(each)

    promql_parser.walk(parsed, keep)
    return found


def _selector(vector: Any) -> Selector:
    matchers = tuple(
        Matcher(one.name, _HOW[str(one.op).rpartition(".")[2]], one.value) for one in vector.matchers.matchers
    )
    named = [one.value for one in matchers if (one.label, one.how) == ("__name__", "=")]
    if vector.name is None and named:
        return Selector(named[0], tuple(one for one in matchers if one.label != "__name__"))
    return Selector(vector.name, matchers)


def _looked_at(each: Any, change: Callable[[Selector], Selector]) -> Iterator[str]:
    if isinstance(each, promql_parser.VectorSelector):
        yield f"group({change(_selector(each))}{_offset(each.offset)})"
    elif isinstance(each, promql_parser.MatrixSelector):
        vector, over = each.vector_selector, promql_parser.display_duration(each.range)
        selector = change(_selector(vector))
        yield f"group(present_over_time({selector}[{over}]{_offset(vector.offset)}))"
    elif isinstance(each, promql_parser.SubqueryExpr):
        inner = " or ".join(_looked_at(each.expr, change))
        over, step = (promql_parser.display_duration(one) if one else "" for one in (each.range, each.step))
        if inner:
            yield f"group(present_over_time(({inner})[{over}:{step}]{_offset(each.offset)}))"
    else:
        for name in ("lhs", "rhs", "expr"):
            if hasattr(each, name):
                yield from _looked_at(getattr(each, name), change)
        for one in getattr(each, "args", None) or ():
            yield from _looked_at(one, change)


def _offset(offset: Any) -> str:
    if not offset:
        return ""
    sign = "-" if offset < timedelta(0) else ""
    return f" offset {sign}{promql_parser.display_duration(abs(offset))}"
