"""The runs of a release: which there are, and the newest of each phase."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from noxgate.evidence.seal import read_json
from noxgate.evidence.signing import SigningError


@dataclass(frozen=True)
class Run:
    """What a run says of itself, before anything of it is verified."""

    folder: Path
    target: str
    rehearsal: bool
    phases: tuple[str, ...]
    started: datetime


def read_run(folder: Path) -> Run:
    """The run in a folder; SigningError if there is none that can be read."""
    results = read_json(folder / "results.json")
    try:
        target = results["target"]
        return Run(
            folder,
            str(target["name"]),
            target["rehearsal"] is not False,
            tuple(map(str, results["phases"])),
            datetime.fromisoformat(results["started"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SigningError(f"results.json: expected a run, saw another form ({error})") from None


def runs_of(release: Path) -> list[Run]:
    """Every run in a release's folder, oldest first; what is no run is passed over."""
    found = []
    for folder in sorted(release.iterdir()) if release.is_dir() else ():
        if (folder / "results.json").is_file() and not folder.name.startswith("."):
            try:
                found.append(read_run(folder))
            except SigningError:
                continue
    return sorted(found, key=lambda run: (run.started, run.folder.name))


def newest(runs: Iterable[Run], phase: str) -> Run | None:
    """The newest run of a phase, whatever came of it."""
    of_phase = [run for run in runs if phase in run.phases]
    return of_phase[-1] if of_phase else None
