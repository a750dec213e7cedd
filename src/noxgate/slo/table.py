"""The outcome of a load test: its SLOs hold by hold, as a table and as one word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from noxgate.slo.confidence import Interval
from noxgate.slo.holds import Bad
from noxgate.slo.result import Result
from noxgate.slo.slos import Judgement, Outcome, Slo, judge, overall

Row = tuple[str, ...]
HEADER: Row = ("SLO", "hold", "class", "limit", "measured (interval)", "samples", "outcome")


@dataclass(frozen=True)
class Verdict:
    """What a result says: `judgements` by SLO and hold, their `outcome`, `reasons` where it is not passed."""

    judgements: tuple[Judgement, ...]
    outcome: Outcome
    reasons: tuple[str, ...]


def verdict(result: Result, slos: Sequence[Slo]) -> Verdict:
    """Judge every SLO on every hold; nothing passes where the test did not come to its end."""
    judgements = tuple(judgement for slo in slos for judgement in judgements_of(result, slo))
    outcomes = overall(judgements)
    reasons = incomplete(result)
    if outcomes is Outcome.PASSED and reasons:
        outcomes = Outcome.NOT_DECIDED
    reasons += [
        f"{judgement.slo.line} {judgement.name}: {judgement.reason}"
        for judgement in judgements
        if judgement.outcome is not Outcome.PASSED
    ]
    return Verdict(judgements, outcomes, tuple(dict.fromkeys(reasons)))


def judgements_of(result: Result, slo: Slo) -> list[Judgement]:
    """One SLO on each hold that it is judged on."""
    return [
        judgement
        for held, hold in result.judged_holds()
        if held.judged == "all" or slo.bad is Bad.SERVER_ERROR
        for judgement in judge(slo, hold)
    ]


def incomplete(result: Result) -> list[str]:
    """Why a test is no whole one; empty where it is."""
    found = [f"it was stopped: {result.stopped}"] if result.stopped else []
    for number, level in enumerate(result.ramp.levels, 1):
        held = next((held for held in result.holds if held.name == level.name(number)), None)
        if held is None:
            found.append(f"level {number}, {level.users} users, was not reached")
        elif held.end - held.start < level.hold:
            found.append(f"level {number} was held for {held.end - held.start} of {level.hold} s")
    return [*found, *result.problems]


def rows(judgements: Iterable[Judgement]) -> list[Row]:
    """One row for each judgement."""
    return [
        (
            judgement.slo.line.partition(".")[2].removeprefix("slo-"),
            judgement.hold,
            judgement.name or "all",
            _limit(judgement.slo),
            _measured(judgement),
            f"{judgement.requests}",
            str(judgement.outcome),
        )
        for judgement in judgements
    ]


def sentence(judgement: Judgement) -> str:
    """The same in words, with the reason."""
    _, hold, name, limit, measured, samples, outcome = rows([judgement])[0]
    return f"{name} on {hold!r}: {measured} of {samples} requests, {limit}: {outcome}, {judgement.reason}"


def text(judgements: Iterable[Judgement]) -> str:
    """The table in plain text."""
    table = [HEADER, *rows(judgements)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in lines)


def _limit(slo: Slo) -> str:
    if slo.bad is Bad.SLOW:
        return f"p{100 - 100 * slo.share:g} < {slo.seconds * 1000:g} ms"
    return f"{slo.bad} < {slo.share * 100:g} %" if slo.share else f"{slo.bad}: none"


def _measured(judgement: Judgement) -> str:
    if judgement.seconds is not None:
        return _interval(judgement.seconds, 1000, "ms", 0)
    if judgement.share is not None:
        return _interval(judgement.share, 100, "%", 2)
    return f"{judgement.bad}" if judgement.requests else "nothing"


def _interval(interval: Interval, factor: float, unit: str, digits: int) -> str:
    high = "…" if interval.high is None else f"{interval.high * factor:.{digits}f}"
    return f"{interval.measured * factor:.{digits}f} {unit} ({interval.low * factor:.{digits}f} to {high})"
