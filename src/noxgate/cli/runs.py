"""The command `noxgate runs`: the runs of a release, and which of them speak for their phase."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from noxgate.errors import Exit
from noxgate.project.here import Project
from noxgate.trust.runs import Run, also_on, newest, runs_of, unreadable
from noxgate.trust.seal import ENVELOPE
from noxgate.trust.signing import SigningError

ERRORS = (SigningError,)


def runs(given: argparse.Namespace) -> int:
    """Print the runs of a release, newest first."""
    project = Project.of(given)
    place = project.reports / (given.release or project.runbook.release.version)
    found = [run for run in runs_of(place) if not given.target or run.target in given.target]
    for run in reversed(found):
        results = run.results
        verdict = f"{results.verdict}{' (rehearsal)' if run.rehearsal else ''}"
        verdict += f" at {results.checkpoint}" if results.checkpoint else ""
        phases = ", ".join(run.phases)
        print(f"{run.started:%Y-%m-%d %H:%M}  {verdict:<24} {phases:<12} {run.target:<12} {_why(run, found)}")
        print(f"{'':18}{run.folder}")
    for folder, why in unreadable(place):
        print(f"{'':18}{folder}: cannot be read: {why}")
    if not found:
        of = f" of {' or '.join(given.target)}" if given.target else ""
        print(f"no run{of} in {_shown(place)}: expected one, made by pytest -m PHASE --target NAME")
    else:
        print("\nA run counts if `noxgate verify` believes it, too: signatures, commit, age.")
    return Exit.DONE


def _why(run: Run, all_runs: Sequence[Run]) -> str:
    """Whether it speaks for its phases, and why not."""
    seal = "sealed" if (run.folder / ENVELOPE).is_file() else "not sealed: noxgate seal FOLDER"
    if run.rehearsal:
        return "it counts for no release"
    real = [each for each in all_runs if not each.rehearsal]
    ours = [each for each in real if each.target == run.target]
    narrowed = [phase for phase in run.phases if phase not in run.whole]
    older = [phase for phase in run.whole if newest(ours, phase) is not run]
    counts = [phase for phase in run.whole if phase not in older]
    said = [f"speaks for {', '.join(counts)}"] if counts else []
    others = sorted({target for phase in counts for target in also_on(real, phase, run)})
    said += [f"so does one of {', '.join(others)}: noxgate verify wants --target"] if others else []
    said += [f"a newer run speaks for {', '.join(older)}"] if older else []
    said += [f"narrowed: does not count for {', '.join(narrowed)}"] if narrowed else []
    return "; ".join([seal, *said])


def _shown(place: Path) -> str:
    return f"{place.parent.name}/{place.name}"
