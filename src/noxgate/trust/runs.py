"""The runs of a release: which there are, and which one speaks for a phase.

A run that was asked for the whole of a phase speaks for it, until the next such run does. One that was
narrowed (-k, a path, SKIP_LOAD_TEST) never does: it left lines out. What it saw fail is not forgotten.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from noxgate.run.results import Results
from noxgate.run.results_file import NAME
from noxgate.run.verdict import Outcome
from noxgate.trust.seal import ENVELOPE, results_of
from noxgate.trust.signing import SigningError


@dataclass(frozen=True)
class Run:
    """What a run says of itself, before anything of it is verified."""

    folder: Path
    results: Results

    @property
    def target(self) -> str:
        return self.results.target.name

    @property
    def rehearsal(self) -> bool:
        return self.results.target.rehearsal

    @property
    def phases(self) -> tuple[str, ...]:
        return self.results.phases

    @property
    def whole(self) -> tuple[str, ...]:
        """Those of its phases that it did not narrow."""
        return self.results.whole

    @property
    def started(self) -> datetime:
        return self.results.started

    @property
    def failed(self) -> tuple[str, ...]:
        """The lines that it saw fail."""
        return tuple(line.id for line in self.results.lines if line.outcome is Outcome.FAILED)

    def judged(self, phase: str) -> int:
        """How many lines of a phase it judged."""
        return sum(line.phase == phase for line in self.results.lines)


def read_run(folder: Path) -> Run:
    """The run in a folder. Raises SigningError if it cannot be read."""
    return Run(folder, results_of(folder))


def runs_of(release: Path) -> list[Run]:
    """Every run in a release's folder, oldest first; what is not a run is left out (see `unreadable`)."""
    found = []
    for folder in _folders(release):
        try:
            found.append(read_run(folder))
        except SigningError:
            continue
    return sorted(found, key=lambda run: (run.started, run.folder.name))


def unreadable(release: Path) -> Iterator[tuple[Path, str]]:
    """The folders that were a run and cannot be read any more, and why: their verdict is unknown."""
    for folder in _folders(release):
        try:
            read_run(folder)
        except SigningError as error:
            yield folder, str(error)


def newest(runs: Iterable[Run], phase: str) -> Run | None:
    """The newest run of the whole of a phase, with any verdict. `runs` are in order of time."""
    whole = [run for run in runs if phase in run.whole]
    return whole[-1] if whole else None


def narrowed_since(runs: Iterable[Run], phase: str, whole: Run | None) -> list[Run]:
    """The runs that looked at a part of a phase on the target of `whole` and after it; all if it is None."""
    return [
        run
        for run in runs
        if phase in run.phases
        and phase not in run.whole
        and (whole is None or run.target == whole.target)
        and (whole is None or (run.started, run.folder.name) > (whole.started, whole.folder.name))
    ]


def also_on(runs: Iterable[Run], phase: str, chosen: Run) -> list[str]:
    """The other targets on which the whole of a phase was run: a GO there must not hide a NO-GO here."""
    return sorted({run.target for run in runs if phase in run.whole} - {chosen.target})


def _folders(release: Path) -> Iterator[Path]:
    for folder in sorted(release.iterdir()) if release.is_dir() else ():
        if not folder.name.startswith(".") and any((folder / name).exists() for name in (NAME, ENVELOPE)):
            yield folder
