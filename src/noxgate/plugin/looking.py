"""While checks run: markers, observations, the outcome of each check, and no secret in any report."""

import errno
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from noxgate.errors import NotCountedError, NotMadeError, UndecidedError, UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.wording import compared, reason_of, without_assert
from noxgate.plugin import allure
from noxgate.plugin.gate import Gate, gate_of
from noxgate.project.runbook import Line
from noxgate.run.verdict import CheckResult, Observed, Outcome

# The properties of a check's reports; they travel from xdist workers and stand in junit.xml.
LINE, SEEN, REPEAT, MEASURED, KEPT, REASON, OUTCOME = OURS = (
    "runbook", "seen", "repeat", "measured", "kept", "reason", "outcome"
)  # fmt: skip

OBSERVED = pytest.StashKey[list[tuple[str, Any]]]()
WORST = pytest.StashKey[tuple[Outcome, str]]()
LOAD_TEST = "slo"  # the topic of its checks
KNOWN: dict[type[Exception], Outcome] = {
    UnreachableError: Outcome.UNREACHABLE,
    UndecidedError: Outcome.UNDECIDED,
    NotMadeError: Outcome.NOT_RUN,
}
SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT}  # of files, memory, room
_TIME = re.compile(r" in (\d+) ms\b")  # in which looks that saw the same differ
NOT_LOOKING = "skip and xfail do not count as looking"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    gate = gate_of(config)
    if gate is None:
        return
    for item in items:
        if item.nodeid not in gate.by_node:
            node = item.nodeid.partition("[")[0]  # a parameter may be a secret
            raise pytest.UsageError(f"{node}: not a plain check function (see noxgate.project.checks)")
        line = gate.line(item.nodeid)
        phase = gate.runbook.phases[line.phase]
        for name in (phase.name, phase.marker, gate.by_node[item.nodeid].topic):
            if name:
                item.add_marker(name)
        allure.mark(item, gate)
        item.extra_keyword_matches.add(line.id)  # -k PHASE.LINE
    if gate.now is not None:
        due = gate.due()
        early = [item for item in items if gate.line(item.nodeid) not in due]
        items[:] = [item for item in items if item not in early]
        config.hook.pytest_deselected(items=early)
    if gate.skips_load_test:
        skipped = [item for item in items if item.get_closest_marker(LOAD_TEST)]
        items[:] = [item for item in items if item not in skipped]
        config.hook.pytest_deselected(items=skipped)


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Callable[[Observation], None]:
    """What a client records goes to the check that made it look."""
    gate = gate_of(request.config)
    assert gate is not None, "this fixture belongs to checks"
    observed = request.node.stash.setdefault(OBSERVED, [])

    def record(observation: Observation) -> None:
        observed.append((SEEN, gate.scrubber.scrub(observation.seen)))
        observed.append((REPEAT, gate.scrubber.scrub(observation.repeat)))
        if observation.measured is not None:
            observed.append((MEASURED, list(observation.measured)))
        if observation.kept is not None:
            observed.append((KEPT, str(observation.kept)))

    return record


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Innermost of all wrappers, so that every other plugin sees the outcome and the scrubbed text."""
    gate = gate_of(item.config)
    nothing = ""
    if gate is not None and call.excinfo:
        without_assert(call.excinfo.value)
        if isinstance(call.excinfo.value, NotCountedError) and gate.line(item.nodeid).optional:
            nothing, call.excinfo = str(call.excinfo.value), None  # to pytest it is not a failure
    report = yield
    if gate is None:
        return report
    observed = item.stash.get(OBSERVED, [])
    outcome, reason = _outcome(report, call, item, looked=bool(observed), nothing=nothing)
    scrub = gate.scrubber
    reason = scrub.scrub(reason)
    line = gate.line(item.nodeid)
    if outcome is Outcome.UNREACHABLE:
        report.longrepr = f"could not look: {reason}"
    elif outcome is Outcome.UNDECIDED:
        report.longrepr = f"undecided: {reason}"
    elif outcome is Outcome.NOT_RUN and not report.skipped:
        report.outcome = "failed"
        report.longrepr = reason
    else:
        report.longrepr = _scrubbed(report.longrepr, gate)
    report.sections = [(name, scrub.scrub(text)) for name, text in report.sections]
    if report.failed:
        report.sections.append(
            (f"release check {line.id}", explanation(gate, line.id, observed, next_too=True))
        )
    # junit.xml shows the properties of the last report: it must not say less than those before
    worst = max(item.stash.get(WORST, (outcome, reason)), (outcome, reason), key=_severity)
    item.stash[WORST] = worst
    if gate.allure is not None:
        said = explanation(gate, line.id, observed, next_too=worst[0] is Outcome.FAILED)
        kept = [Path(text) for name, text in observed if name == KEPT]
        gate.allure.explain(item.nodeid, said, kept, worst)
    others = [(name, value) for name, value in item.user_properties if name not in OURS]
    report.user_properties = [
        *((scrub.scrub(str(name)), scrub.scrub_pair(str(name), value)) for name, value in others),
        (LINE, line.id),
        *observed,
        (OUTCOME, str(worst[0])),
        (REASON, worst[1]),
    ]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> Generator[None, list[list[str] | None], list[list[str] | None]]:
    """Say it in words, then as pytest does."""
    found = yield
    if gate_of(config) is None:
        return found
    details = next((lines for lines in found if lines), [])
    return [[compared(op, left, right), *details]]


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    properties = dict(getattr(report, "user_properties", ()))
    if report.when == "call" and report.passed and properties.get(OUTCOME) == Outcome.NOT_COUNTED:
        return "not counted", "-", ("NOT COUNTED", {"cyan": True})
    if report.passed and not hasattr(report, "wasxfail"):  # a tear-down that says what became of the call
        return None
    outcome = properties.get(OUTCOME)
    if outcome == Outcome.UNREACHABLE:
        return "unreachable", "U", ("UNREACHABLE", {"yellow": True})
    if outcome == Outcome.UNDECIDED:
        return "undecided", "?", ("UNDECIDED", {"yellow": True})
    if outcome == Outcome.NOT_RUN:
        return "not run", "N", ("NOT RUN", {"yellow": True})
    return None


def result_of(reports: list[pytest.TestReport]) -> CheckResult:
    """One check's result from its reports (set-up, call, tear-down): the worst of them."""
    outcome, reason = max(map(_reported, reports), key=_severity)
    observations: list[Observed] = []
    for name, value in reports[-1].user_properties:
        if name == SEEN:
            observations.append(Observed(str(value), ""))
        elif name == REPEAT:
            observations[-1] = replace(observations[-1], repeat=str(value))
        elif name == MEASURED and isinstance(value, list):
            least, most = value
            observations[-1] = replace(observations[-1], measured=(least, most))
    if outcome is Outcome.PASSED and not any(report.when == "call" for report in reports):
        outcome, reason = Outcome.NOT_RUN, "was not run to its end"
    return CheckResult(
        reports[0].nodeid, outcome, reason, sum(report.duration for report in reports), tuple(observations)
    )


def _severity(said: tuple[Outcome, str]) -> int:
    return list(Outcome).index(said[0])


def _reported(report: pytest.TestReport) -> tuple[Outcome, str]:
    """What our wrapper said of a report, unless other plugins made it worse since."""
    properties = dict(report.user_properties)
    if OUTCOME not in properties:  # a crashed xdist worker reports nothing else
        return Outcome.NOT_RUN, "the process that ran this check died"
    outcome, reason = Outcome(str(properties[OUTCOME])), str(properties[REASON])
    if outcome in {Outcome.PASSED, Outcome.NOT_COUNTED} and report.failed:
        return Outcome.FAILED, str(report.longrepr)
    if outcome is Outcome.PASSED and (report.skipped or hasattr(report, "wasxfail")):
        return Outcome.NOT_RUN, NOT_LOOKING
    return outcome, reason


def _outcome(
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
    item: pytest.Item,
    *,
    looked: bool,
    nothing: str,
) -> tuple[Outcome, str]:
    error = call.excinfo.value if call.excinfo else None
    passed_call = report.when == "call" and report.passed
    if report.skipped or (passed_call and item.get_closest_marker("xfail")):
        return Outcome.NOT_RUN, NOT_LOOKING
    if error is not None:
        return _raised(error, looked=looked)
    if report.failed:
        return Outcome.FAILED, str(report.longrepr)
    if passed_call and not looked:
        return Outcome.NOT_RUN, "passed without looking at anything"
    return (Outcome.NOT_COUNTED, nothing) if passed_call and nothing else (Outcome.PASSED, "")


def _raised(error: BaseException, *, looked: bool) -> tuple[Outcome, str]:
    if isinstance(error, UndecidedError) and not looked:  # a waiver accepts what was seen
        return Outcome.NOT_RUN, f"undecided without looking at anything: {error}"
    ours = _of_this_machine(error)
    if ours:
        return Outcome.UNREACHABLE, ours
    known = next((outcome for kind, outcome in KNOWN.items() if isinstance(error, kind)), None)
    return (known, str(error)) if known else (Outcome.FAILED, reason_of(error))


def _of_this_machine(error: BaseException) -> str:
    """What ended a check before it could judge; empty if the target may be the cause."""
    if isinstance(error, ExceptionGroup):
        each = [_of_this_machine(one) for one in error.exceptions]
        return each[0] if all(each) else ""
    if isinstance(error, pytest.PytestWarning) and error.__cause__:  # of a thread
        error = error.__cause__
    said = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}".rstrip(": ")
    if isinstance(error, Warning):  # pytest makes errors of them
        return f"Python warned on this machine: {said}: make setup installs the packages that do not"
    is_short = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in SHORT)
    return f"this machine has too little: {said}" if is_short else ""


def _scrubbed(longrepr: Any, gate: Gate) -> Any:
    return gate.scrubber.scrub_tree(longrepr) if longrepr is not None else None


def next_step(gate: Gate, line: Line) -> str:
    """What to do about a line that failed."""
    return line.next_on(gate.names)


def explanation(
    gate: Gate, line_id: str, properties: Sequence[tuple[str, object]], *, next_too: bool = False
) -> str:
    """What the runbook says of this line, what was seen, and how to see it again."""
    line = gate.runbook.lines[line_id]
    rows = [("Runbook", line.section), ("Expected", line.expected)]
    seen, repeat = ([str(text) for name, text in properties if name == kind] for kind in (SEEN, REPEAT))
    for (_, command), looks in groupby(
        zip(seen, repeat, strict=True), key=lambda look: (without_time(look[0]), look[1])
    ):
        rows += [("Seen", _in_one([what for what, _ in looks])), ("Repeat", command)]
    if next_too:
        rows.append(("Next", next_step(gate, line)))
    return "\n".join(f"{name:<10}{text}" for name, text in rows)


def without_time(seen: str) -> str:
    """What looks that saw the same have in common."""
    return _TIME.sub("", seen, count=1)


def _in_one(looks: Sequence[str]) -> str:
    """Looks that differ in nothing but their time, in one: from the quickest to the slowest."""
    if len(looks) == 1:
        return looks[0]
    times = sorted(int(found[1]) for look in looks if (found := _TIME.search(look)))
    said = looks[0]
    if times and times[0] < times[-1]:
        said = _TIME.sub(f" in {times[0]} to {times[-1]} ms", said, count=1)
    return f"{said} ({len(looks)} times)"
