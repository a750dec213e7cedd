"""Whether a run was asked for the whole of a phase, or for a part of it."""

from collections.abc import Iterator

import pytest
from _pytest.mark.expression import Expression

from noxgate.checks import Check
from noxgate.plugin.gate import Gate
from noxgate.plugin.looking import LOAD_TEST

# Each leaves checks out whatever their phase is.
_NARROWING = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "stepwise")


def whole_phases(config: pytest.Config, gate: Gate) -> list[str]:
    """The phases of this run of which nothing was left out by what was asked for.

    A run that did not come to its end was asked for all the same: it is a run of the whole phase, and not GO.
    """
    return [phase for phase in gate.phases if not any(_left_out(config, gate, phase))]


def _left_out(config: pytest.Config, gate: Gate, phase: str) -> Iterator[Check]:
    """The checks of a phase that were not run since nobody asked for them."""
    option = config.option
    narrowed = any(getattr(option, name, None) for name in _NARROWING) or not _named(config, gate, phase)
    expression = Expression.compile(option.markexpr) if option.markexpr else None
    for check in gate.checks:
        line = gate.runbook.lines[check.line_id]
        if line.phase != phase or check.node in gate.results:
            continue
        names = {phase, gate.runbook.phases[phase].marker or phase, check.topic}
        selected = expression is None or expression.evaluate(lambda name, /, names=names, **_: name in names)
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
