"""Every number of runbook.toml is compared with: by its line's check, or by a module of the engine."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from noxgate.doctor.code import Code
from noxgate.project.checks import Check, find_checks
from noxgate.project.runbook import Line, read_runbook

ROOT = Path(__file__).parents[3]
RUNBOOK = read_runbook(ROOT / "runbook.toml")
CHECKS = find_checks(ROOT, RUNBOOK)
CODE = Code(ROOT)
ASKS_FOR = {"refused_percent": "key_metrics"}  # the fixture that one asks for only where it has to
# The engine's own reader of some lines' limits.
ENGINE: Mapping[str, Callable[[Line], bool]] = {
    "src/noxgate/slo/slos.py": lambda line: line.slo is not None,
    "src/noxgate/slo/load_results.py": lambda line: line.role == "load-test",
    "src/noxgate/project/schedule.py": lambda line: line.role == "checkpoint-record",
    "src/noxgate/slo/before/judging.py": lambda line: line.id.endswith(".slower-than-before"),
    "src/noxgate/slo/before/checked.py": lambda line: line.id == "staging.slower-than-before",
    "src/noxgate/blue_green/slower/check.py": lambda line: line.id == "live.slower-than-before",
    "src/noxgate/trust/persons/attest.py": lambda line: line.kind == "human",
    "src/noxgate/reports/signoff/derived.py": lambda line: line.role == "next-review",
}
WITH_LIMITS = [line for line in RUNBOOK.lines.values() if line.limits]


@pytest.mark.parametrize("line", WITH_LIMITS, ids=lambda line: line.id)
def test_every_limit_is_read(line: Line) -> None:
    """Else whoever tightens a number believes that it holds."""
    readers: list[ast.AST] = [node for check in of_line(line) for node in functions(check)]
    for file, reads in ENGINE.items():
        readers += [ast.parse((ROOT / file).read_text(encoding="utf-8"))] if reads(line) else []

    named = {line.slo.limit} if line.slo else set()  # which the engine reads by what the line says of it

    assert set(line.limits) - {*texts(readers)} - named == set(), "read it in the check, or take it out"


def test_no_check_reads_a_limit_that_its_line_has_not() -> None:
    """It would be a KeyError in the night."""
    asked = {check.line_id: list(keys(filter(takes_limits, functions(check)), "limits")) for check in CHECKS}
    lacking = {line: set(found) - set(RUNBOOK.lines[line].limits) for line, found in asked.items()}

    assert any(asked.values())
    assert {line: found for line, found in lacking.items() if found} == {}


def of_line(line: Line) -> list[Check]:
    return [check for check in CHECKS if check.line_id == line.id]


def functions(check: Check) -> Iterator[ast.AST]:
    """A check, what its fixtures are, and the functions beside it that it names."""
    path, name = ROOT / check.file, check.node.partition("::")[2]
    given = dict(CODE.fixtures(path, name))
    for fixture, asked in ASKS_FOR.items():
        given |= dict(CODE.fixtures(path, asked)) if fixture in given else {}
    yield from given.values()
    named = {node.id for node in ast.walk(given[name]) if isinstance(node, ast.Name)}
    yield from (node for each in sorted(named) if (node := CODE.module(path).function(each)))


def takes_limits(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(each.arg == "limits" for each in node.args.args)


def keys(nodes: Iterable[ast.AST], of: str) -> Iterator[str]:
    """The texts by which a mapping of this name is asked."""
    for each in (inner for node in nodes for inner in ast.walk(node)):
        match each:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))) if name == of:
                yield key


def texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The texts by which anything is asked, and those that the engine has of a line's limits."""
    for each in (inner for node in nodes for inner in ast.walk(node)):
        match each:
            case ast.Subscript(slice=ast.Constant(value=str(key))):
                yield key
            case (
                ast.Tuple(elts=[ast.Constant(value=str(key)), *_])
                | ast.Call(args=[ast.Constant(value=str(key)), *_])
            ):
                yield key
