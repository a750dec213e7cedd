"""Verifying sealed runs: who signed, which bytes, and whether that lets this release go.

Everything that speaks against a run is said, each in one line. Contents are believed once their bytes are.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from noxgate.evidence import seal
from noxgate.evidence.bundle import RECORDS, SCHEMA
from noxgate.evidence.records import SKEW, Chain, Record, RecordError
from noxgate.evidence.signing import PublicKey, SigningError, opened
from noxgate.evidence.verdict import Outcome, Verdict
from noxgate.evidence.waivers import Waiver, refusal
from noxgate.runbook import Line, Runbook

_RECORDS = f"{seal.FILES}{RECORDS}/"


@dataclass(frozen=True)
class Expected:
    """What a run must be of. None: whatever it is of."""

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


@dataclass(frozen=True)
class Verified:
    """What was found of one run, and all that speaks against it. `commit` is None if unknown."""

    folder: Path
    refusals: tuple[str, ...]
    signer: str = ""
    verdict: str = ""
    phases: tuple[str, ...] = ()
    ended: datetime | None = None
    commit: str | None = None
    images: tuple[str, ...] = ()
    target: str = ""
    base_url: str = ""
    records: tuple[str, ...] = ()  # the digests of the copies, oldest first


def verify(folder: Path, expected: Expected) -> Verified:
    """Verify one run."""
    try:
        return _verify(folder, expected)
    except SigningError as error:
        return Verified(folder, (str(error),))


def altered(folder: Path, signers: Sequence[PublicKey]) -> tuple[str, ...]:
    """What is not as it was sealed, of a run that is sealed; nothing of one that is not."""
    if not (folder / seal.ENVELOPE).exists():
        return ()
    try:
        subjects, _ = _opened(folder, signers)
    except SigningError as error:
        return (str(error),)
    return tuple(_changed(folder, subjects))


def sealed_by(folder: Path) -> str | None:
    """The id of the key that a run says it was sealed with; None where it says nothing that can be read."""
    try:
        (signature,) = seal.read_json(folder / seal.ENVELOPE)["signatures"]
        return str(signature["keyid"])
    except (SigningError, KeyError, TypeError, ValueError):
        return None


def _opened(folder: Path, signers: Sequence[PublicKey]) -> tuple[dict[str, str], PublicKey]:
    """What was signed, and by whom; SigningError where it cannot be believed."""
    try:
        content = (folder / seal.ENVELOPE).read_bytes()
    except FileNotFoundError:
        raise SigningError(f"{seal.ENVELOPE}: not there: the run is not sealed") from None
    except OSError as error:
        raise SigningError(f"{seal.ENVELOPE}: {error.strerror}") from None
    try:
        payload, signer = opened(content, seal.PAYLOAD_TYPE, signers)
        return _subjects(payload), signer
    except SigningError as error:
        raise SigningError(f"{seal.ENVELOPE}: {error}") from None


def _verify(folder: Path, expected: Expected) -> Verified:
    """The same; SigningError where the run cannot be believed at all."""
    subjects, signer = _opened(folder, expected.signers)
    if changed := tuple(_changed(folder, subjects)):
        return Verified(folder, changed, str(signer))
    results = seal.read_json(folder / "results.json")
    try:
        return Verified(
            folder,
            tuple(_refusals(folder, results, subjects, expected)),
            str(signer),
            str(results["verdict"]),
            tuple(map(str, results["phases"])),
            datetime.fromisoformat(results["ended"]),
            next(iter(_known(subjects, seal.COMMITS)), None),
            _known(subjects, seal.IMAGES),
            str(results["target"]["name"]),
            str(results["target"]["base_url"]),
            tuple(value for name, value in sorted(subjects.items()) if name.startswith(_RECORDS)),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SigningError(f"results.json: saw another form ({type(error).__name__}: {error})") from None


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


def _subjects(payload: bytes) -> dict[str, str]:
    """The digest of each subject of the statement."""
    try:
        statement = json.loads(payload)
        kind, predicate = statement["_type"], statement["predicateType"]
        pairs = [(each["name"], *each["digest"].values()) for each in statement["subject"]]
        subjects: dict[str, str] = dict(pairs)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SigningError("expected an in-toto statement") from None
    if (kind, predicate) != (seal.STATEMENT, seal.TEST_RESULT) or len(subjects) != len(pairs):
        raise SigningError(f"expected an in-toto statement with a {seal.TEST_RESULT}")
    return subjects


def _changed(folder: Path, subjects: Mapping[str, str]) -> Iterator[str]:
    """Each file that is not as it was sealed."""
    sealed = {
        name.removeprefix(seal.FILES): value
        for name, value in subjects.items()
        if name.startswith(seal.FILES)
    }
    there: dict[str, str | None] = {}
    for path in seal.entries(folder):
        name = path.relative_to(folder).as_posix()
        there[name] = None
        if path.is_symlink() or not path.is_file():
            yield f"{_shown(name)}: is no plain file"
            continue
        try:
            there[name] = seal.digest(path)
        except OSError as error:
            yield f"{_shown(name)}: {error.strerror}"
    added = {name: value for name, value in there.items() if value and name not in sealed}
    for name, value in sealed.items():
        if name not in there:
            new = next((other for other, same in added.items() if same == value), None)
            if new is not None:
                del added[new]
            yield f"{name}: was renamed to {_shown(new)}" if new else f"{name}: was removed"
        elif there[name] not in {value, None}:
            yield f"{name}: was changed"
    yield from (f"{_shown(name)}: was added" for name in added)


def _refusals(
    folder: Path, results: Mapping[str, Any], subjects: Mapping[str, str], expected: Expected
) -> Iterator[str]:
    """What speaks against a run whose bytes are as they were sealed."""
    if results["schema"] != SCHEMA:
        raise SigningError(f"results.json: expected schema {SCHEMA}, saw {results['schema']!r}")
    target = results["target"]
    if target["rehearsal"] is not False:
        yield "is a rehearsal: it does not count for a release"
    if target["name"] != expected.target:
        yield f"is of another target: expected {expected.target}, saw {target['name']}"
    if results["release"] != expected.release:
        yield f"is of another release: expected {expected.release}, saw {results['release']}"
    yield from _other_things(subjects, expected)
    yield from _age(datetime.fromisoformat(results["ended"]), expected)
    phases = [phase for phase in results["phases"] if phase in (expected.speaks_for or results["phases"])]
    yield from _other_phases(results, phases, expected.phases)
    yield from (f"the run is in doubt: {doubt}" for doubt in results["doubts"])
    yield from (
        f"{line}: no check proves this line yet"
        for line in results["to_come"]
        if line.partition(".")[0] in phases
    )
    try:
        chain = Chain(
            folder / RECORDS, results["release"], target["name"], target["rehearsal"], expected.signers
        )
        records = {record.number: record for record in chain.read()}
    except RecordError as error:
        yield str(error)
        records = {}
    judged = {line["id"]: line for line in results["lines"]}
    against = [
        f"{line.id}: {problem}"
        for line in expected.runbook.of_phase(*phases)
        if (problem := _against(line, judged.get(line.id), records, expected.now.date()))
    ]
    yield from against
    whole = phases == results["phases"]  # else the verdict is of lines, too, that a newer run speaks for
    if whole and not against and results["verdict"] not in {Verdict.GO, Verdict.GO_WITH_WAIVERS}:
        yield f"its verdict is {results['verdict']}"


def _other_things(subjects: Mapping[str, str], expected: Expected) -> Iterator[str]:
    """Of another commit, image or runbook than expected."""
    commits = _known(subjects, seal.COMMITS)
    if expected.commit and expected.commit not in commits:
        yield f"is of another commit: expected {expected.commit}, saw {', '.join(commits) or 'none'}"
    images = _known(subjects, seal.IMAGES)
    if expected.image and expected.image.removeprefix("sha256:") not in images:
        yield f"is of another image: expected {expected.image}, saw {', '.join(images) or 'none'}"
    if subjects.get(seal.RUNBOOK) != seal.digest(expected.root / seal.RUNBOOK):
        yield f"was judged by another {seal.RUNBOOK} than the one here: check out the commit of the run"


def _other_phases(
    results: Mapping[str, Any], phases: Sequence[str], expected: Sequence[str]
) -> Iterator[str]:
    """Without a phase that is expected, or with a part of one."""
    for phase in expected:
        if phase not in results["phases"]:
            yield f"phase {phase} is missing: the run is of {', '.join(results['phases'])}"
    for phase in phases:
        if phase not in results.get("whole", results["phases"]):
            yield f"phase {phase} was narrowed ({_narrowing(results['selection'])}): it does not count"


def _narrowing(selection: Mapping[str, Any]) -> str:
    """What was asked for instead of the whole phase."""
    asked = [f"-{name} {selection[name]!r}" for name in ("m", "k") if selection[name]]
    return " ".join([*asked, *map(str, selection["arguments"])])[:200] or "a part of it was left out"


def _age(ended: datetime, expected: Expected) -> Iterator[str]:
    age = expected.now - ended
    if age > timedelta(hours=expected.hours):
        yield (
            f"is stale: it ended {ended:%Y-%m-%d %H:%M} UTC, {age / timedelta(hours=1):.1f} h ago; "
            f"the limit is {expected.hours:g} h (evidence_hours of {expected.target})"
        )
    if age < -SKEW:
        yield f"is from the future: it ended {ended:%Y-%m-%d %H:%M} UTC"


def _against(
    line: Line, judged: Mapping[str, Any] | None, records: Mapping[int, Record], today: date
) -> str | None:
    """Why a line of the runbook holds nothing up; None if it is passed or validly waived."""
    if judged is None:
        return "is not in the results"
    if judged["outcome"] == Outcome.WAIVED:
        return _against_waiver(line, judged["waiver"], today)
    if judged["outcome"] != Outcome.PASSED:
        return f"{judged['outcome']}: {' '.join(judged['reason'].split())}"[:200]
    if line.kind == "human" and not judged["checks"]:  # with one that looked, the check decides
        record = records.get((judged["attestation"] or {}).get("record", 0))
        says_so = (
            record is not None and record.line == line.id and record.data.get("outcome") == Outcome.PASSED
        )
        return None if says_so else "no record of a person says so"
    checks = judged["checks"]
    says_so = checks != [] and all(check["outcome"] == Outcome.PASSED for check in checks)
    return None if says_so else "no check says so"


def _against_waiver(line: Line, facts: Mapping[str, Any], today: date) -> str | None:
    waiver = Waiver(line.id, facts["owner"], facts["reason"], date.fromisoformat(facts["expires"]))
    problem = refusal(waiver, {line.id: line}, today)
    return f"its waiver does not count: {problem}" if problem else None


def _known(subjects: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(subjects[name] for name in names if name in subjects)


def _shown(name: str) -> str:
    """A file's name, which anybody may have chosen, as a terminal can show it."""
    return name if name.isprintable() else ascii(name)
