"""Each run that is sealed is a record of its target, too: a NO-GO that went away leaves a gap.

The records of a target are one chain, and each sealed run holds a copy of it up to itself. What no chain can
show is what came after its end: whoever notes the digest of the last record (`--head`) sees that as well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from noxgate.run.bundle import RECORDS
from noxgate.run.record import Record
from noxgate.run.verdict import Verdict
from noxgate.trust.decided import SCHEMA_1
from noxgate.trust.records import RUN, Chain, RecordError, chain_folder
from noxgate.trust.runs import runs_of
from noxgate.trust.seal import ENVELOPE
from noxgate.trust.sealed import altered
from noxgate.trust.signing import PublicKey, SigningKey
from noxgate.trust.verify import Verified

ID = "run"  # in the record
BY = "noxgate"
_GO = {Verdict.GO, Verdict.GO_WITH_WAIVERS}
_SHORTEST = 12  # characters of a digest


def count(chain: Chain, key: SigningKey, run: str, name: str, verdict: str) -> Record:
    """Add the record of a run. Raises RecordError if it cannot be added."""
    return chain.append(
        key, kind=RUN, line="", by=BY, seen=f"{verdict}  {name}", data={ID: run, "verdict": verdict}
    )


def gone(place: Path, runs: Sequence[Verified], signers: Mapping[str, Sequence[PublicKey]]) -> Iterator[str]:
    """What is not there of what the records of a release count, each in one line.

    `place` has the runs of the release, `runs` are those that were verified, `signers` count by target.
    """
    for target, keys in signers.items():
        try:
            main = _chain(chain_folder(place.parent, place.name, target), place.name, target, keys).read()
        except RecordError as error:  # what a chain counts that cannot be read is unknown
            yield str(error)
            continue
        known = list(main)
        for run in runs:
            if run.target == target and not run.refusals:
                copy = _read(run.folder / RECORDS, place.name, target, keys)
                known += copy
                if main and main[: len(copy)] != copy:
                    yield (
                        f"records of {target}: {run.folder.name} does not hold those that lie here: "
                        "its chain began anew, or some of them went away"
                    )
        yield from _missing(target, known, _sealed(place, keys))


def beginning(runs: Iterable[Verified]) -> Iterator[str]:
    """The runs before which nothing is known, as in a pipeline whose every run begins with no records."""
    first: dict[str, Verified] = {}
    for run in runs:
        known = first.setdefault(run.target, run)
        if len(run.records) > len(known.records):
            first[run.target] = run
    for target, run in first.items():
        if run.signer and len(run.records) <= 1 and SCHEMA_1 not in run.notes:  # it counted none
            yield (
                f"records of {target} begin with {run.folder.name}: a run before it would not be seen "
                "(--head DIGEST names the last record that is known)"
            )


def chainless(place: Path, targets: Iterable[str]) -> Iterator[str]:
    """The targets of which no records lie here: what they counted after the newest run cannot be seen."""
    for target in targets:
        if not chain_folder(place.parent, place.name, target).is_dir():
            yield (
                f"no records of {target} lie here: a run since the newest would not be seen "
                "(--head DIGEST names the last record that is known)"
            )


def lacks_head(runs: Iterable[Verified], head: str) -> str | None:
    """Why the records do not go on from `head`, the digest of one that is known; None if they do."""
    held = [record for run in runs for record in run.records]
    if len(head) >= _SHORTEST and any(record.startswith(head.lower()) for record in held):
        return None
    return f"record {head[:_SHORTEST]} is in none of the runs: what it follows went away, or they began anew"


def _missing(target: str, known: Iterable[Record], there: Mapping[str, Verdict]) -> Iterator[str]:
    counted = {record.digest: record for record in known if record.kind == RUN}
    for record in counted.values():
        verdict = there.get(str(record.data.get(ID)))
        if verdict is None:
            yield (
                f"record {record.number} of {target} counts a run that is not here, sealed as it was: "
                f"{record.seen} ({record.at:%Y-%m-%d %H:%M} UTC): bring its folder back"
            )
        elif verdict in _GO and record.data.get("verdict") not in _GO:
            yield f"record {record.number} of {target} says {record.seen}, and its folder says {verdict}"


def _sealed(place: Path, keys: Sequence[PublicKey]) -> dict[str, Verdict]:
    """The verdict of each run that is as one of these keys sealed it, by its id."""
    found: dict[str, Verdict] = {}
    for run in runs_of(place):
        if (run.folder / ENVELOPE).is_file() and not altered(run.folder, keys):
            found[run.results.run] = run.results.verdict
    return found


def _read(folder: Path, release: str, target: str, keys: Sequence[PublicKey]) -> list[Record]:
    """The records that a run holds and that can be believed; others name the rest."""
    try:
        return _chain(folder, release, target, keys).read()
    except RecordError:
        return []


def _chain(folder: Path, release: str, target: str, keys: Sequence[PublicKey]) -> Chain:
    return Chain(folder, release, target, rehearsal=False, signers=keys)
