"""What the first line of a failed check says: what was expected and what was seen, in words.

A check compares what it saw, on the left, with what it expects. pytest's own explanation comes after it.
"""

import ast
import linecache
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import cast

from noxgate.look.secret_forms import redacted

NOTHING = "nothing"  # an empty mapping, tuple or set
NONE = "expected none, saw "
_SOMETHING = "expected something, saw "
_BARE = "assert "  # how pytest begins where a check gives no message
_WORDS = {
    "in": "one of {right}",
    "not in": "none of {right}",
    "is not": "other than {right}",
    "!=": "other than {right}",
    "==": "{right}",
    "is": "{right}",
}
_BLANK: tuple[object, ...] = (None, "", [], {}, (), set())
_TELLS_LITTLE = re.compile(r".*, saw (?:None|True|False|0|''|\[\]|nothing)")
_OTHER_VALUE = re.compile(
    rf"None|True|False|{NOTHING}|[-+]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|[\"'(\[{{].*"
)
_WHERE = re.compile(r"\s*\+\s+(?:where|and) .* = (?P<call>.*)")


def compared(op: str, left: object, right: object) -> str:
    """Both sides of a comparison that does not hold, on one line."""
    if op == "==" and right in ([], {}, (), set()):
        return f"{NONE}{_listed(left)}"
    if op in {"!=", "is not"} and right in _BLANK:
        return f"{_SOMETHING}{_shown(left)}"
    seen, wanted = _shown(left), _shown(right)
    if op == "==" and seen == wanted:  # they differ in what words do not show: a number, or its text
        seen, wanted = _as_python(left), _as_python(right)
    return f"expected {_WORDS.get(op, f'{op} {{right}}').format(right=wanted)}, saw {seen}"


def without_assert(error: BaseException) -> None:
    """Let a comparison in words begin with them in every report, too."""
    if isinstance(error, AssertionError) and str(error).startswith(f"{_BARE}expected "):
        error.args = (str(error).removeprefix(_BARE),)


def reason_of(error: BaseException) -> str:
    """Why a check failed, on one line."""
    reason = _reason_of(error)
    name = _asserted(error) if _TELLS_LITTLE.fullmatch(reason) else ""
    return f"{name}: {reason}" if name else reason


def _reason_of(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    first = lines[0] if lines else ""
    if not isinstance(error, AssertionError):
        return f"expected another form of what was seen: {_spelled(error, first)}"
    if not first.startswith(_BARE):
        return first or "expected otherwise; the check does not say what"
    said = first.removeprefix(_BARE)
    if said.startswith("not "):
        return f"expected nothing, saw {said.removeprefix('not ')}"
    calls = (match["call"] for line in lines[1:] if (match := _WHERE.fullmatch(line)))
    asked = next(calls, "")
    return f"{_SOMETHING}{said}" + (f", which is {asked}" if asked else "")


def _asserted(error: BaseException) -> str:
    """What a check calls the value that it compared, as `facts.checklist`; empty without a name."""
    trace, name = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if Path(file).name.startswith("test_"):
            name = _name_in(linecache.getline(file, trace.tb_lineno))
        trace = trace.tb_next
    return name


def _name_in(line: str) -> str:
    try:
        (statement,) = ast.parse(line.strip()).body
    except (SyntaxError, ValueError):  # of several lines
        return ""
    test = statement.test if isinstance(statement, ast.Assert) else None
    named = test.left if isinstance(test, ast.Compare) else test
    return ast.unparse(named) if isinstance(named, ast.Name | ast.Attribute) else ""


def _spelled(error: BaseException, first: str) -> str:
    """An error of Python's own in words, and where it was raised in the check."""
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.name.startswith("test_"):
            where = f", {file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    words = f"{first} is not there" if isinstance(error, KeyError) else first
    return f"{words} ({type(error).__name__}{where})"


def counted(texts: Iterable[str]) -> list[str]:
    """Each once, with how often it was there."""
    counts = Counter(texts)
    return [each if times == 1 else f"{each} ({times} times)" for each, times in counts.items()]


def _listed(found: object) -> str:
    """What should not be there: texts as they are, each once, with how often."""
    if not isinstance(found, list | tuple) or not found:
        return _shown(found)
    if not all(isinstance(each, str) for each in found) and all(found.count(each) == 1 for each in found):
        return _shown(found)
    return "; ".join(counted(map(_bare, found)))


def _bare(value: object) -> str:
    """A text without quotes, unless it is blank or has what a terminal would obey."""
    return value if isinstance(value, str) and value.strip() and value.isprintable() else _shown(value)


def in_words(value: object) -> str:
    """A value as a person reads it: a mapping as a=1, b=2; a tuple as (a, b); texts in them without quotes.

    A text that would be taken for another value keeps its quotes. In what looks like a secret the quotes are
    part of how it is known: nothing is changed.
    """
    python = _as_python(value)
    try:
        return _words(value) if redacted(python) == python else python
    except RecursionError:  # it is in itself, or too deep
        return python


def _words(value: object) -> str:
    kind = type(value)
    if kind is dict:
        return _of_mapping(cast("dict[object, object]", value))
    if kind is list:
        return f"[{', '.join(map(_words, cast('list[object]', value)))}]"
    if kind in {tuple, set, frozenset}:
        each = list(map(_words, cast("Collection[object]", value)))
        return f"({', '.join(each if kind is tuple else sorted(each))})" if each else NOTHING
    if kind is str and _is_plain(cast("str", value)):
        return cast("str", value)
    return _as_python(value)


def _of_mapping(mapping: Mapping[object, object]) -> str:
    """Of several faults by place, a colon after the place."""
    entries = []
    for key, value in mapping.items():
        each = list(map(_words, value)) if type(value) is list else []
        if any(" " in one for one in each):
            entries.append((_words(key), ": ", "; ".join(counted(each))))
        else:
            said = f"({_words(value)})" if type(value) is dict and value else _words(value)
            entries.append((_words(key), ": " if type(value) is str and " " in said else "=", said))
    between = "; " if any(sign == ": " for _, sign, _ in entries) else ", "
    return between.join(map("".join, entries)) or NOTHING


def _is_plain(text: str) -> bool:
    """Whether a text can be read as nothing but itself."""
    return bool(text.strip()) and text.isprintable() and not _OTHER_VALUE.fullmatch(text.strip())


def _shown(value: object) -> str:
    """In words; a text alone keeps its quotes."""
    return _as_python(value) if isinstance(value, str) else in_words(value)


def _as_python(value: object) -> str:
    try:
        return " ".join(repr(value).split("\n"))
    except Exception as error:  # noqa: BLE001 (a foreign type may raise anything; the check has failed)
        return f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
