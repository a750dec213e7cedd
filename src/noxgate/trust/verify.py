"""Verifying sealed runs: who signed, which bytes, and whether that lets this release go.

Everything that speaks against a run is said, each in one line. Contents are believed once their bytes are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from noxgate.look.observation import cut
from noxgate.project.runbook import Line, Runbook
from noxgate.project.waivers import Waiver, refusal
from noxgate.run.bundle import RECORDS
from noxgate.run.record import Record
from noxgate.run.results import Acceptance, Judged, Results, Selection
from noxgate.run.results_file import SCHEMA
from noxgate.run.verdict import Outcome, Verdict
from noxgate.trust import decided, loads, seal, sealed
from noxgate.trust.records import SKEW, Chain, RecordError
from noxgate.trust.sealed import REHEARSAL, Refusal
from noxgate.trust.signing import PublicKey, SigningError

_RECORDS = f"{seal.FILES}{RECORDS}/"


@dataclass(frozen=True)
class Expected:
    """What a run must match. None is not compared."""

    root: Path
    runbook: Runbook
    target: str
    signers: Sequence[PublicKey]
    hours: float
    now: datetime
    release: str
    phases: Sequence[str] = ()
    speaks_for: Sequence[str] = ()  # of its phases, those that no newer run speaks for; none given: all
    commit: str | None = None
    image: str | None = None
    branch: str | None = None  # on which a commit has been reviewed


@dataclass(frozen=True)
class Verified:
    """What was found of one run, and all that speaks against it. `commit` is None if unknown."""

    folder: Path
    refusals: tuple[Refusal, ...]
    signer: str = ""
    verdict: str = ""
    phases: tuple[str, ...] = ()
    ended: datetime | None = None
    commit: str | None = None
    images: tuple[str, ...] = ()
    target: str = ""
    base_url: str = ""
    records: tuple[str, ...] = ()  # the digests of the copies, oldest first
    notes: tuple[str, ...] = ()  # what it does not prove
    overrides: tuple[str, ...] = ()  # what the environment said otherwise than the profile


def verify(folder: Path, expected: Expected) -> Verified:
    """Verify one run."""
    try:
        return _verify(folder, expected)
    except SigningError as error:
        return Verified(folder, (Refusal(str(error)),))


def _verify(folder: Path, expected: Expected) -> Verified:
    """The same. Raises SigningError if the run cannot be believed at all."""
    subjects, signer = sealed.statement(folder, expected.signers)
    if otherwise := tuple(sealed.changed(folder, subjects)):
        return Verified(folder, otherwise, str(signer))
    results = seal.results_of(folder)
    return Verified(
        folder,
        tuple(_refusals(folder, results, subjects, expected)),
        str(signer),
        results.verdict,
        results.phases,
        results.ended,
        next(iter(_known(subjects, seal.COMMITS)), None),
        _images(subjects),
        results.target.name,
        results.target.base_url,
        tuple(value for name, value in sorted(subjects.items()) if name.startswith(_RECORDS)),
        tuple(loads.unproven_in(folder)) if results.schema == SCHEMA else (decided.SCHEMA_1,),
        tuple(f"{name}={value}" for name, value in results.target.overrides.items()),
    )


def disagreements(runs: Sequence[Verified]) -> Iterator[str]:
    """Where the runs of one release are of different things."""
    commits = {run.commit: run.folder.name for run in reversed(runs) if run.commit}
    if len(commits) > 1:
        listed = ", ".join(f"{commit[:12]} ({name})" for commit, name in reversed(commits.items()))
        yield f"the runs are not of one commit: {listed}"
    known = [run for run in runs if run.images]
    for run in known[1:]:
        if not set(run.images) & set(known[0].images):
            yield (
                f"the runs are not of one image: {known[0].images[0][:12]} ({known[0].folder.name}), "
                f"{run.images[0][:12]} ({run.folder.name})"
            )
    for target in dict.fromkeys(run.target for run in runs):
        held = sorted((run for run in runs if run.target == target and run.ended), key=_ended)
        for older, newer in pairwise(held):
            if newer.records[: len(older.records)] != older.records:
                yield (
                    f"records of {target}: {newer.folder.name} lacks some that {older.folder.name} holds: "
                    "they were taken away or changed"
                )


def _ended(run: Verified) -> datetime:
    return run.ended or datetime.max.replace(tzinfo=UTC)


def _refusals(
    folder: Path, results: Results, subjects: Mapping[str, str], expected: Expected
) -> Iterator[Refusal]:
    """What speaks against a run whose bytes are as they were sealed."""
    phases = [phase for phase in results.phases if phase in (expected.speaks_for or results.phases)]
    if results.target.rehearsal:
        yield REHEARSAL
    yield from map(Refusal, _of_the_run(folder, results, subjects, phases, expected))
    yield from (
        Refusal("no check proves this line yet", line=line)
        for line in results.to_come
        if line.partition(".")[0] in phases
    )
    if results.schema == SCHEMA:
        late = expected.runbook.release.date > decided.SCHEMA_1_UNTIL
        yield from loads.against(folder, results, expected.signers, expected.runbook.lines, signed=late)
    records, broken = _records(folder, results, expected)
    yield from broken
    judged = {line.id: line for line in results.lines}
    against = [
        Refusal(problem, line=line.id)
        for line in expected.runbook.of_phase(*phases)
        if (problem := _against(line, judged.get(line.id), records, expected.now.date()))
    ]
    yield from against
    whole = phases == list(results.phases)  # else the verdict is of lines, too, that a newer run speaks for
    if whole and not against and results.verdict not in {Verdict.GO, Verdict.GO_WITH_WAIVERS}:
        yield Refusal(f"its verdict is {results.verdict}")


def _of_the_run(
    folder: Path,
    results: Results,
    subjects: Mapping[str, str],
    phases: Sequence[str],
    expected: Expected,
) -> Iterator[str]:
    """What speaks against all of a run."""
    target = results.target
    if target.rehearsal:
        pass  # one tries things: nothing is said of what it was judged by
    elif results.schema == SCHEMA:
        yield from decided.against(
            folder, subjects, results, expected.root, expected.runbook, expected.branch, expected.commit
        )
    else:
        yield from decided.of_schema_1(expected.runbook)
    if target.name != expected.target:
        yield f"is of another target: expected {expected.target}, saw {target.name}"
    if results.release != expected.release:
        yield f"is of another release: expected {expected.release}, saw {results.release}"
    yield from _other_things(subjects, expected)
    yield from _age(results.ended, expected)
    yield from _other_phases(results, phases, expected.phases)
    yield from (f"the run is in doubt: {doubt}" for doubt in results.doubts)


def _records(
    folder: Path, results: Results, expected: Expected
) -> tuple[Mapping[int, Record], tuple[Refusal, ...]]:
    """A run's own copy of the records, by number; or why they do not count."""
    target = results.target
    chain = Chain(folder / RECORDS, results.release, target.name, target.rehearsal, expected.signers)
    try:
        return {record.number: record for record in chain.read()}, ()
    except RecordError as error:
        return {}, (Refusal(str(error)),)


def _other_things(subjects: Mapping[str, str], expected: Expected) -> Iterator[str]:
    """Of another commit, image or runbook than expected."""
    commits = _known(subjects, seal.COMMITS)
    if expected.commit and expected.commit not in commits:
        yield f"is of another commit: expected {expected.commit}, saw {', '.join(commits) or 'none'}"
    images = _images(subjects)
    if expected.image and expected.image.removeprefix("sha256:") not in images:
        yield f"is of another image: expected {expected.image}, saw {', '.join(images) or 'none'}"
    if subjects.get(seal.RUNBOOK) != seal.runbook_digest(expected.root):
        yield f"was judged by another {seal.RUNBOOK} than the one here: check out the commit of the run"


def _other_phases(results: Results, phases: Sequence[str], expected: Sequence[str]) -> Iterator[str]:
    """Without a phase that is expected, or with a part of one."""
    for phase in expected:
        if phase not in results.phases:
            yield f"phase {phase} is missing: the run is of {', '.join(results.phases)}"
    for phase in phases:
        if phase not in results.whole:
            yield f"phase {phase} was narrowed ({_narrowing(results.selection)}): it does not count"


def _narrowing(selection: Selection) -> str:
    """What was asked for instead of the whole phase."""
    asked = [f"-{name} {said!r}" for name, said in (("m", selection.m), ("k", selection.k)) if said]
    return cut(" ".join([*asked, *selection.arguments]), 200) or "a part of it was left out"


def _age(ended: datetime, expected: Expected) -> Iterator[str]:
    age = expected.now - ended
    if age > timedelta(hours=expected.hours):
        yield (
            f"is stale: it ended {ended:%Y-%m-%d %H:%M} UTC, {age / timedelta(hours=1):.1f} h ago; "
            f"the limit is {expected.hours:g} h (evidence_hours of {expected.target})"
        )
    if age < -SKEW:
        yield f"is from the future: it ended {ended:%Y-%m-%d %H:%M} UTC"


def _against(line: Line, judged: Judged | None, records: Mapping[int, Record], today: date) -> str | None:
    """Why a line of the runbook holds nothing up; None if it is passed or validly waived."""
    if judged is None:
        return "is not in the results"
    if judged.outcome is Outcome.WAIVED:
        return _against_waiver(line, judged.waiver, today)
    if judged.outcome is Outcome.NOT_COUNTED and line.optional and judged.checks:
        return None
    if judged.outcome is not Outcome.PASSED:
        return cut(f"{judged.outcome}: {judged.reason}", 200)
    if line.kind == "human" and not judged.checks:  # with one that looked, the check decides
        record = records.get(judged.attestation.record if judged.attestation else 0)
        says_so = (
            record is not None and record.line == line.id and record.data.get("outcome") == Outcome.PASSED
        )
        return None if says_so else "no record of a person says so"
    says_so = judged.checks != () and all(check.outcome is Outcome.PASSED for check in judged.checks)
    return None if says_so else "no check says so"


def _against_waiver(line: Line, said: Acceptance | None, today: date) -> str | None:
    if said is None:
        return "no waiver says so"
    waiver = Waiver(line.id, said.owner, said.reason, said.expires)
    problem = refusal(waiver, {line.id: line}, today)
    return f"its waiver does not count: {problem}" if problem else None


def _images(subjects: Mapping[str, str]) -> tuple[str, ...]:
    """Under any name of the service's container."""
    return _known(subjects, sorted(name for name in subjects if name.startswith(seal.IMAGE)))


def _known(subjects: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(subjects[name] for name in names if name in subjects)
