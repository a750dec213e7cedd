"""What an earlier run of the release found out, for a check of a later phase to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.run.verdict import Outcome
from noxgate.trust.runs import runs_of
from noxgate.trust.seal import ENVELOPE
from noxgate.trust.sealed import altered
from noxgate.trust.signing import PublicKey


@dataclass(frozen=True)
class Recorded:
    """A fact, and the folder of the run that found it. `doubt` says why it is not to be believed."""

    value: str
    folder: Path
    doubt: str = ""


def recorded(
    release: Path, target: str, line: str, name: str, signers: Sequence[PublicKey]
) -> Recorded | None:
    """The newest fact of this name from a run on this target in which this line passed.

    One that is sealed, by a key that counts, and was not changed since; else the newest with its doubt.
    """
    phase = line.partition(".")[0]
    doubtful: Recorded | None = None
    for run in reversed(runs_of(release)):
        if run.target != target or phase not in run.phases:
            continue
        passed = [one for one in run.results.lines if one.id == line and one.outcome is Outcome.PASSED]
        value = run.results.facts.get(name)
        if passed and value:
            doubt = _doubt(run.folder, signers)
            if not doubt:
                return Recorded(value, run.folder)
            doubtful = doubtful or Recorded(value, run.folder, doubt)
    return doubtful


def _doubt(folder: Path, signers: Sequence[PublicKey]) -> str:
    """Why a run is not believed, in a few words."""
    if not (folder / ENVELOPE).is_file():
        return "it is not sealed"
    return next(map(str, altered(folder, signers)), "")
