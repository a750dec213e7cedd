"""What a run was asked for: which checks -m selects, and whether they are the whole of a phase."""

from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from noxgate.plugin.gate import Gate, gate_of
from noxgate.plugin.looking import LOAD_TEST
from noxgate.project.checks import Check

NEEDLESS = pytest.StashKey[Collection[Path]]()
# Each leaves out checks of every phase.
_NARROWING = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "stepwise")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no check file in which -m selects nothing, unless it was named: all were read before the run."""
    gate = gate_of(config)
    if gate is None or collection_path.suffix != ".py":
        return None
    return True if collection_path in _needless(config, gate) else None


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """No check goes unmentioned: those of files that were left alone are counted, too."""
    gate = gate_of(config)
    if gate is None or not (needless := _needless(config, gate)):
        return []
    count = sum(gate.root / check.file in needless for check in gate.checks)
    return [f"-m selects nothing in {len(needless)} other check files: {count} checks"]


def _needless(config: pytest.Config, gate: Gate) -> Collection[Path]:
    """The check files that need not be imported."""
    if NEEDLESS not in config.stash:
        wanted = {gate.root / check.file for check in gate.checks if _selects(config, gate, check)}
        named = {(config.invocation_params.dir / str(each).split("::")[0]).resolve() for each in config.args}
        config.stash[NEEDLESS] = {gate.root / check.file for check in gate.checks} - wanted - named
    return config.stash[NEEDLESS]


def _selects(config: pytest.Config, gate: Gate, check: Check) -> bool:
    """Whether -m selects a check: by its phase, its phases' marker and its topic, and by nothing else."""
    phase = gate.runbook.phases[gate.runbook.lines[check.line_id].phase]
    names = {phase.name, phase.marker or phase.name, check.topic}
    expression = _compiled(config.option.markexpr) if config.option.markexpr else None
    return expression is None or expression.evaluate(lambda name, /, **_: name in names)


@cache
def _compiled(expression: str) -> Expression:
    return Expression.compile(expression)


def whole_phases(config: pytest.Config, gate: Gate) -> list[str]:
    """The phases of this run of which nothing was left out by what was asked for.

    A run that did not come to its end was asked for all the same: it is a run of the whole phase, and not GO.
    """
    return [phase for phase in gate.phases if not any(_left_out(config, gate, phase))]


def _left_out(config: pytest.Config, gate: Gate, phase: str) -> Iterator[Check]:
    """The checks of a phase that were not run as they were not selected."""
    option = config.option
    narrowed = any(getattr(option, name, None) for name in _NARROWING) or not _named(config, gate, phase)
    for check in gate.checks:
        line = gate.runbook.lines[check.line_id]
        if line.phase != phase or check.node in gate.results:
            continue
        selected = _selects(config, gate, check)
        skipped = gate.skips_load_test and check.topic == LOAD_TEST
        if narrowed or skipped or not selected:
            yield check


def _named(config: pytest.Config, gate: Gate, phase: str) -> bool:
    """Whether the paths, if any were given, are the phase's folder or around it."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return True
    folder = config.rootpath / str(gate.runbook.phases[phase].folder)
    asked = [str(argument) for argument in config.args]
    return any(
        "::" not in each and folder.is_relative_to((config.invocation_params.dir / each).resolve())
        for each in asked
    )
