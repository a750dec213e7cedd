"""What an earlier run of the release found out, for a check of a later phase to compare with."""

from dataclasses import dataclass
from pathlib import Path

from noxgate.evidence.runs import runs_of
from noxgate.evidence.seal import read_json
from noxgate.evidence.verdict import Outcome


@dataclass(frozen=True)
class Recorded:
    """A fact, and the folder of the run that found it."""

    value: str
    folder: Path


def recorded(release: Path, target: str, line: str, name: str) -> Recorded | None:
    """The newest fact of this name from a run on this target in which this line passed."""
    phase = line.partition(".")[0]
    for run in reversed(runs_of(release)):
        if run.target != target or phase not in run.phases:
            continue
        results = read_json(run.folder / "results.json")
        passed = [one for one in results["lines"] if one["id"] == line and one["outcome"] == Outcome.PASSED]
        value = (results.get("facts") or {}).get(name)
        if passed and value:
            return Recorded(str(value), run.folder)
    return None
