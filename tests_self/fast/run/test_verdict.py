"""Judging: from outcomes to lines and one verdict, worst wins."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from noxgate.project.runbook import Line
from noxgate.project.waivers import Waiver
from noxgate.run.record import Record
from noxgate.run.verdict import CheckResult, Outcome, Verdict, judge, verdict_of
from noxgate.trust.records import ATTESTATION

WAIVED, NOT_COUNTED, UNDECIDED = Outcome.WAIVED, Outcome.NOT_COUNTED, Outcome.UNDECIDED
PASSED, NOT_RUN, UNREACHABLE, FAILED = Outcome.PASSED, Outcome.NOT_RUN, Outcome.UNREACHABLE, Outcome.FAILED


def line(name: str, *, coming: bool = False) -> Line:
    """A line of the staging phase."""
    return Line(f"staging.{name}", "RB-1", "staging", "auto", "2", (1,), "good", "mend", coming=coming)


def result(node: str, outcome: Outcome) -> CheckResult:
    """What a check did."""
    return CheckResult(node, outcome, "" if outcome is PASSED else f"{node} is {outcome}", 0.1)


@pytest.mark.parametrize("several", list(itertools.product(Outcome, repeat=3)))
def test_go_needs_nothing_but_passed(several: tuple[Outcome, ...]) -> None:
    """All combinations of three outcomes."""
    verdict = verdict_of(several)

    if FAILED in several:
        assert verdict is Verdict.NO_GO
    elif set(several) - {NOT_COUNTED} == {PASSED}:
        assert verdict is Verdict.GO
    elif WAIVED in several and set(several) <= {PASSED, WAIVED, NOT_COUNTED}:
        assert verdict is Verdict.GO_WITH_WAIVERS
    else:
        assert verdict is Verdict.INCONCLUSIVE


def test_nothing_is_not_go() -> None:
    """No outcome at all proves nothing, nor do lines that do not count."""
    assert verdict_of([]) is Verdict.INCONCLUSIVE
    assert verdict_of([NOT_COUNTED, NOT_COUNTED]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.GO, 0), (Verdict.GO_WITH_WAIVERS, 0), (Verdict.NO_GO, 1), (Verdict.INCONCLUSIVE, 2)],
    ids=str,
)
def test_exit_codes(verdict: Verdict, code: int) -> None:
    """0 GO, with waivers or without, 1 NO-GO, 2 INCONCLUSIVE."""
    assert verdict.exit == code


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        pytest.param([PASSED, PASSED], PASSED, id="all-passed"),
        pytest.param([PASSED, NOT_RUN], NOT_RUN, id="one-not-run"),
        pytest.param([UNREACHABLE, NOT_RUN], UNREACHABLE, id="unreachable"),
        pytest.param([UNDECIDED, PASSED], UNDECIDED, id="one-undecided"),
        pytest.param([UNDECIDED, NOT_RUN], NOT_RUN, id="undecided-and-not-run"),
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
    """And leave out what there is nothing of."""
    outcomes = {"a": PASSED, "b": FAILED, "c": PASSED, "d": NOT_RUN}
    results = {name: result(name, outcome) for name, outcome in outcomes.items()}
    nodes = {f"staging.{name}": [name] for name in outcomes}

    judgement = judge([line(name) for name in outcomes], nodes, results, rehearsal=False)

    assert judgement.counts() == "1 failed, 1 not run, 2 passed"


# ---------------------------------------------------------------- lines that a person attests


def person_saw(outcome: str) -> Record:
    """A record of the line staging.a."""
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    data = {"outcome": outcome}
    return Record(1, ATTESTATION, "staging.a", "Ada", at, "0 issues", rehearsal=False, account="", data=data)


@pytest.mark.parametrize(
    ("record", "outcome", "reason"),
    [
        pytest.param(person_saw("passed"), PASSED, "", id="passed"),
        pytest.param(person_saw("failed"), FAILED, "Ada saw: 0 issues", id="failed"),
        pytest.param(person_saw("perhaps"), FAILED, "Ada saw: 0 issues", id="neither"),
        pytest.param(
            None,
            NOT_RUN,
            "it is not attested: noxgate attest staging.a --by NAME --saw TEXT",
            id="owed",
        ),
    ],
)
@pytest.mark.parametrize("rehearsal", [True, False], ids=["rehearsal", "real"])
def test_a_person_decides_a_human_line(
    record: Record | None, outcome: Outcome, reason: str, *, rehearsal: bool
) -> None:
    """By a record, and by nothing else, where no check of it could look."""
    human = Line("staging.a", "RB-1", "staging", "human", "2", (1,), "good", "mend")
    attested = {"staging.a": record} if record else {}
    nodes, results = {"staging.a": ["node"]}, {"node": result("node", UNREACHABLE)}

    judgement = judge([human], nodes, results, rehearsal=rehearsal, attested=attested)

    (judged,) = judgement.lines
    assert (judged.outcome, judged.reason, judged.attestation) == (outcome, reason, record)


@pytest.mark.parametrize("outcome", [PASSED, FAILED])
def test_a_check_that_looked_decides_a_human_line(outcome: Outcome) -> None:
    """Such as one that may ask Sentry: a person's word does not stand against it, nor is it needed."""
    human = Line("staging.a", "RB-1", "staging", "human", "2", (1,), "good", "mend")
    nodes, results = {"staging.a": ["node"]}, {"node": result("node", outcome)}

    for attested in ({}, {"staging.a": person_saw("passed")}):
        (judged,) = judge([human], nodes, results, rehearsal=False, attested=attested).lines
        assert (judged.outcome, judged.attestation) == (outcome, None)


def test_a_person_who_saw_it_fail_stands_against_a_check_that_passed() -> None:
    """Worst wins. Their newest word counts: they say so when it is well again."""
    human = Line("staging.a", "RB-1", "staging", "human", "2", (1,), "good", "mend")
    nodes, results = {"staging.a": ["node"]}, {"node": result("node", PASSED)}
    record = person_saw("failed")

    (judged,) = judge([human], nodes, results, rehearsal=False, attested={"staging.a": record}).lines

    assert (judged.outcome, judged.reason, judged.attestation) == (FAILED, "Ada saw: 0 issues", record)
    assert [check.outcome for check in judged.checks] == [PASSED]


@pytest.mark.parametrize("other", [PASSED, UNREACHABLE, NOT_RUN])
def test_no_person_stands_against_a_check_that_failed(other: Outcome) -> None:
    """Though another check of the line could not look."""
    human = Line("staging.a", "RB-1", "staging", "human", "2", (1,), "good", "mend")
    nodes = {"staging.a": ["one", "two"]}
    results = {"one": result("one", FAILED), "two": result("two", other)}

    (judged,) = judge(
        [human], nodes, results, rehearsal=False, attested={"staging.a": person_saw("passed")}
    ).lines

    assert (judged.outcome, judged.attestation) == (FAILED, None)


def test_a_record_does_not_decide_what_a_check_proves() -> None:
    """Also if somebody wrote something else down."""
    judgement = judge([line("a")], {}, {}, rehearsal=False, attested={"staging.a": person_saw("passed")})

    assert judgement.verdict is Verdict.INCONCLUSIVE


# ---------------------------------------------------------------- waivers

WAIVER = {"staging.a": Waiver("staging.a", "Deniz Aydin", "NOX-7", date(2026, 12, 1))}


@pytest.mark.parametrize(
    ("outcomes", "judged"),
    [
        pytest.param([FAILED], WAIVED, id="failed"),
        pytest.param([FAILED, PASSED], WAIVED, id="one-of-two-failed"),
        pytest.param([PASSED], PASSED, id="passed"),
        pytest.param([UNDECIDED], WAIVED, id="undecided"),
        pytest.param([UNDECIDED, PASSED], WAIVED, id="one-of-two-undecided"),
        pytest.param([FAILED, UNDECIDED], WAIVED, id="failed-and-undecided"),
        pytest.param([UNREACHABLE], UNREACHABLE, id="unreachable"),
        pytest.param([NOT_RUN], NOT_RUN, id="not-run"),
        pytest.param([UNDECIDED, UNREACHABLE], UNREACHABLE, id="undecided-and-unreachable"),
        pytest.param([UNDECIDED, NOT_RUN], NOT_RUN, id="undecided-and-not-run"),
        pytest.param([FAILED, UNREACHABLE], UNREACHABLE, id="failed-and-unreachable"),
        pytest.param([FAILED, NOT_RUN], NOT_RUN, id="failed-and-not-run"),
    ],
)
def test_only_what_was_seen_is_waived(outcomes: list[Outcome], judged: Outcome) -> None:
    """What was not looked at cannot be accepted, not even hidden behind a failure."""
    nodes = [f"node{number}" for number in range(len(outcomes))]
    results = {node: result(node, outcome) for node, outcome in zip(nodes, outcomes, strict=True)}
    given: dict[str, Any] = {"rehearsal": False, "waivers": WAIVER}

    judgement = judge(
        [line("a"), line("b")],
        {"staging.a": nodes, "staging.b": ["b"]},
        results | {"b": result("b", PASSED)},
        **given,
    )

    assert judgement.lines[0].outcome is judged
    assert judgement.verdict is verdict_of([judged])


def test_a_waived_failure_keeps_its_reason() -> None:
    """What was accepted stays to be read."""
    results = {"node": result("node", FAILED)}

    judgement = judge([line("a")], {"staging.a": ["node"]}, results, rehearsal=False, waivers=WAIVER)

    assert judgement.lines[0].reason == "node is failed"
    assert judgement.lines[0].waiver == WAIVER["staging.a"]
    assert judgement.counts() == "1 waived"


def test_another_lines_waiver_and_an_unwaivable_line() -> None:
    """Neither changes anything."""
    strict = Line("staging.a", "RB-1", "staging", "auto", "2", (1,), "good", "mend", waivable=False)
    nodes, results = {"staging.a": ["a"], "staging.b": ["a"]}, {"a": result("a", FAILED)}

    judgement = judge([strict, line("b")], nodes, results, rehearsal=False, waivers=WAIVER)

    assert [judged.outcome for judged in judgement.lines] == [FAILED, FAILED]
    results = {"a": result("a", UNDECIDED)}
    judgement = judge([strict, line("b")], nodes, results, rehearsal=False, waivers=WAIVER)
    assert [judged.outcome for judged in judgement.lines] == [UNDECIDED, UNDECIDED]
    assert judgement.verdict is Verdict.INCONCLUSIVE
