"""Judging: from outcomes to lines and one verdict, worst wins."""

import itertools

import pytest

from noxgate.evidence.verdict import CheckResult, Outcome, Verdict, judge, verdict_of
from noxgate.runbook import Line

PASSED, NOT_RUN, UNREACHABLE, FAILED = Outcome.PASSED, Outcome.NOT_RUN, Outcome.UNREACHABLE, Outcome.FAILED


def line(name: str, *, coming: bool = False) -> Line:
    """A line of the staging phase."""
    return Line(f"staging.{name}", "RB-1", "staging", "auto", "2", (1,), "good", "mend", coming=coming)


def result(node: str, outcome: Outcome) -> CheckResult:
    """What a check did."""
    return CheckResult(node, outcome, "" if outcome is PASSED else f"{node} is {outcome}", 0.1)


@pytest.mark.parametrize("several", list(itertools.product(Outcome, repeat=3)))
def test_go_needs_nothing_but_passed(several: tuple[Outcome, ...]) -> None:
    """All 64 combinations of three outcomes."""
    verdict = verdict_of(several)

    if FAILED in several:
        assert verdict is Verdict.NO_GO
    elif set(several) == {PASSED}:
        assert verdict is Verdict.GO
    else:
        assert verdict is Verdict.INCONCLUSIVE


def test_nothing_is_not_go() -> None:
    """No outcome at all proves nothing."""
    assert verdict_of([]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.GO, 0), (Verdict.NO_GO, 1), (Verdict.INCONCLUSIVE, 2)], ids=str
)
def test_exit_codes(verdict: Verdict, code: int) -> None:
    """0 GO, 1 NO-GO, 2 INCONCLUSIVE."""
    assert verdict.exit_code == code


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        pytest.param([PASSED, PASSED], PASSED, id="all-passed"),
        pytest.param([PASSED, NOT_RUN], NOT_RUN, id="one-not-run"),
        pytest.param([UNREACHABLE, NOT_RUN], UNREACHABLE, id="unreachable"),
        pytest.param([FAILED, UNREACHABLE, PASSED], FAILED, id="failed"),
        pytest.param([PASSED, None], NOT_RUN, id="no-result"),
    ],
)
def test_worst_check_is_the_line(outcomes: list[Outcome | None], worst: Outcome) -> None:
    """With its reason; a check without a result was not run."""
    nodes = [f"node{number}" for number in range(len(outcomes))]
    results = {node: result(node, outcome) for node, outcome in zip(nodes, outcomes, strict=True) if outcome}

    judgement = judge([line("a")], {"staging.a": nodes}, results, rehearsal=False)

    (judged,) = judgement.lines
    assert judged.outcome is worst
    assert (judged.reason == "") == (worst is PASSED)
    assert len(judged.checks) == len(outcomes)


@pytest.mark.parametrize(
    ("coming", "rehearsal", "verdict"),
    [
        pytest.param(True, True, Verdict.GO, id="coming-rehearsal"),
        pytest.param(True, False, Verdict.INCONCLUSIVE, id="coming-real"),
        pytest.param(False, True, Verdict.INCONCLUSIVE, id="forgotten-rehearsal"),
        pytest.param(False, False, Verdict.INCONCLUSIVE, id="forgotten-real"),
    ],
)
def test_line_without_check(coming: bool, rehearsal: bool, verdict: Verdict) -> None:  # noqa: FBT001
    """Only a rehearsal, and only for lines that say so, does without."""
    lines = [line("a"), line("b", coming=coming)]

    judgement = judge(lines, {"staging.a": ["node"]}, {"node": result("node", PASSED)}, rehearsal=rehearsal)

    assert judgement.verdict is verdict
    assert [to_come.id for to_come in judgement.to_come] == (["staging.b"] if verdict is Verdict.GO else [])


def test_rehearsal_of_nothing_but_lines_to_come_is_not_go() -> None:
    """No line was due."""
    assert judge([line("a", coming=True)], {}, {}, rehearsal=True).verdict is Verdict.INCONCLUSIVE


def test_line_to_come_with_a_check_is_judged() -> None:
    """The check that exists counts, in a rehearsal too."""
    nodes = {"staging.a": ["node"]}

    judgement = judge([line("a", coming=True)], nodes, {"node": result("node", FAILED)}, rehearsal=True)

    assert judgement.verdict is Verdict.NO_GO


def test_results_of_other_lines_do_not_count() -> None:
    """A passing check of another phase fills no gap."""
    results = {"other": result("other", PASSED)}

    judgement = judge([line("a")], {"staging.a": ["node"], "live.a": ["other"]}, results, rehearsal=False)

    assert judgement.verdict is Verdict.INCONCLUSIVE


def test_counts_are_worst_first() -> None:
    """And leave out what there is none of."""
    outcomes = {"a": PASSED, "b": FAILED, "c": PASSED, "d": NOT_RUN}
    results = {name: result(name, outcome) for name, outcome in outcomes.items()}
    nodes = {f"staging.{name}": [name] for name in outcomes}

    judgement = judge([line(name) for name in outcomes], nodes, results, rehearsal=False)

    assert judgement.counts() == "1 failed, 1 not run, 2 passed"
