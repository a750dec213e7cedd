"""What the first line of a failed check says: what was expected and what was seen, in words.

A check compares what it saw, on the left, with what it expects. pytest's own explanation comes after it.
"""

import ast
import linecache
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

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
_TELLS_LITTLE = re.compile(r".*, saw (?:None|True|False|0|''|\[\]|\{\}|\(\)|set\(\))")
_WHERE = re.compile(r"\s*\+\s+(?:where|and) .* = (?P<call>.*)")


def compared(op: str, left: object, right: object) -> str:
    """Both sides of a comparison that does not hold, on one line."""
    if op == "==" and right in ([], {}, (), set()):
        return f"{NONE}{_listed(left)}"
    if op in {"!=", "is not"} and right in _BLANK:
        return f"{_SOMETHING}{_shown(left)}"
    expected = _WORDS.get(op, f"{op} {{right}}").format(right=_shown(right))
    return f"expected {expected}, saw {_shown(left)}"


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
    """What should not be there; texts that are there several times once, with how often."""
    if not isinstance(found, list | tuple) or all(found.count(each) == 1 for each in found):
        return _shown(found)
    return "; ".join(counted(each if isinstance(each, str) else _shown(each) for each in found))


def _shown(value: object) -> str:
    try:
        return " ".join(repr(value).split("\n"))
    except Exception as error:  # noqa: BLE001 (a foreign type may raise anything; the check has failed)
        return f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
