"""The outcome of a load test: its SLOs hold by hold, as a table and as one word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from noxgate.slo.confidence import Interval
from noxgate.slo.holds import LIMITED, NO_CERTIFICATE, OURS, Bad
from noxgate.slo.result import NewJob, Result
from noxgate.slo.slos import Slo, SloJudgement, SloOutcome, judge, overall

TABLE = "table.json"  # the rows beside a result, for the sign-off page; table.txt is for people
Row = tuple[str, ...]
HEADER: Row = ("SLO", "hold", "class", "limit", "measured (interval)", "samples", "outcome")


@dataclass(frozen=True)
class LoadVerdict:
    """What a result says: `judgements` by SLO and hold, their `outcome`, `reasons` where it is not passed."""

    judgements: tuple[SloJudgement, ...]
    outcome: SloOutcome
    reasons: tuple[str, ...]


def verdict(result: Result, slos: Sequence[Slo]) -> LoadVerdict:
    """Judge every SLO on every hold; nothing passes where the test did not come to its end."""
    judgements = tuple(judgement for slo in slos for judgement in judgements_of(result, slo))
    outcomes = overall(judgements)
    wrong, unseen = new_jobs_amiss(result)
    reasons = [*incomplete(result), *unseen]
    if wrong:
        outcomes = SloOutcome.FAILED
    elif outcomes is not SloOutcome.FAILED and reasons:
        outcomes = SloOutcome.UNREACHABLE
    reasons += wrong
    reasons += [
        f"{judgement.slo.line} {judgement.name}: {judgement.reason}"
        for judgement in judgements
        if judgement.outcome is not SloOutcome.PASSED
    ]
    return LoadVerdict(judgements, outcomes, tuple(dict.fromkeys(reasons)))


def judgements_of(result: Result, slo: Slo) -> list[SloJudgement]:
    """One SLO on each hold that it is judged on."""
    return [
        judgement
        for held, hold in result.judged_holds()
        if held.judged == "all" or slo.bad is Bad.SERVER_ERROR
        for judgement in judge(slo, hold)
    ]


def incomplete(result: Result) -> list[str]:
    """Why a test is not a whole one; empty if it is."""
    found = [f"it was stopped: {result.stopped}"] if result.stopped else []
    for number, level in enumerate(result.ramp.levels, 1):
        held = next((held for held in result.holds if held.name == level.name(number)), None)
        if held is None:
            found.append(f"level {number}, {level.users} users, was not reached")
        elif held.end - held.start < level.hold:
            found.append(f"level {number} was held for {held.end - held.start} of {level.hold} s")
    return [*found, *result.problems]


def new_jobs_amiss(result: Result) -> tuple[list[str], list[str]]:
    """What new science came to nothing or to a wrong result, and what of it was not seen."""
    wrong = [job for job in result.new_jobs if job.wrong and not _is_ours(job)]
    unseen = [_job_sentence(job) for job in result.new_jobs if job.wrong and _is_ours(job)]
    asked = {(job.hold, job.method) for job in result.new_jobs}
    for held in result.holds:
        missing = [method for method in result.methods if (held.name, method) not in asked]
        if missing and held.end > held.start:
            unseen.append(f"nothing new was asked of {', '.join(missing)} on {held.name!r}")
    return [_job_sentence(job) for job in wrong], unseen


def new_job_rows(result: Result) -> list[Row]:
    """One row for each method and hold."""
    found: list[Row] = []
    for held in result.holds:
        for method in result.methods:
            jobs = [job for job in result.new_jobs if (job.hold, job.method) == (held.name, method)]
            bad = [job for job in jobs if job.wrong]
            outcome = SloOutcome.UNREACHABLE if bad or not jobs else SloOutcome.PASSED
            if any(not _is_ours(job) for job in bad):
                outcome = SloOutcome.FAILED
            slowest = max((job.ended - job.began for job in jobs), default=0)
            seen = f"{len(jobs) - len(bad)} right, at most {slowest:.1f} s" if jobs else "nothing"
            found.append(("new-jobs", held.name, method, "all right", seen, f"{len(jobs)}", str(outcome)))
    return found


def _is_ours(job: NewJob) -> bool:
    """Whether the generator, or an edge in the way, is why nothing is known."""
    reasons = {*OURS, NO_CERTIFICATE}
    return job.status == LIMITED or any(job.wrong == f"no answer: {reason}" for reason in reasons)


def _job_sentence(job: NewJob) -> str:
    return f"{job.method} on {job.hold!r}, asked for what is new: {job.wrong}"


def rows(judgements: Iterable[SloJudgement]) -> list[Row]:
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


def sentence(judgement: SloJudgement) -> str:
    """The same in words, with the reason."""
    _, hold, name, limit, measured, samples, outcome = rows([judgement])[0]
    return f"{name} on {hold!r}: {measured} of {samples} requests, {limit}: {outcome}, {judgement.reason}"


def table_of(judgements: Iterable[SloJudgement], more: Iterable[Row] = ()) -> list[Row]:
    """The whole table; its first row names the columns."""
    return [HEADER, *rows(judgements), *more]


def text(table: Sequence[Row]) -> str:
    """The table in plain text."""
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in lines)


def _limit(slo: Slo) -> str:
    if slo.bad is Bad.SLOW:
        return f"p{100 - 100 * slo.share:g} < {slo.seconds * 1000:g} ms"
    return f"{slo.bad} < {slo.share * 100:g} %" if slo.share else f"{slo.bad}: none"


def _measured(judgement: SloJudgement) -> str:
    if judgement.seconds is not None:
        return _interval(judgement.seconds, 1000, "ms", 0)
    if judgement.share is not None:
        return _interval(judgement.share, 100, "%", 2)
    return f"{judgement.bad}" if judgement.requests else "nothing"


def _interval(interval: Interval, factor: float, unit: str, digits: int) -> str:
    high = "…" if interval.high is None else f"{interval.high * factor:.{digits}f}"
    return f"{interval.measured * factor:.{digits}f} {unit} ({interval.low * factor:.{digits}f} to {high})"
