"""The load results that lie there, and the command that makes what is missing."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from noxgate.doctor.needs import FULL, Need
from noxgate.doctor.seen import Cause, Place, Seen
from noxgate.errors import ProfileError, UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.runbook import Runbook
from noxgate.slo.kept.results import REAL, REHEARSED, LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.ramps import read_ramps
from noxgate.slo.result import Result, results_folder
from noxgate.trust.keys import read_trust
from noxgate.trust.loads import BEGUN, refused

LEFT = 3  # that are named, of all that lie there


def loads(at: Place, root: Path, runbook: Runbook) -> Iterator[Seen]:
    """Of each ramp that the runbook wants: whether a result counts, and why not."""
    target = at.target
    signers = read_trust(root, str(target.path)).signers

    def why_refused(folder: Path, result: Result) -> str:
        return refused(folder, result, signers, held=folder.parent / BEGUN)

    def unrecorded(_: Observation) -> None:
        """Nothing is evidence here."""

    folder = results_folder(root, target, runbook.release.version)
    results = LoadResults(LoadSettings.of(target), folder, read_ramps(root), why_refused)
    test = LoadTest(results, runbook, unrecorded)
    for ramp in REAL:
        needs = [at.need("load", FULL)] if ramp == REAL[1] else [at.need("load")]
        yield _of_ramp(at, test, ramp, needs)


def _of_ramp(at: Place, test: LoadTest, ramp: str, needs: list[Need]) -> Seen:
    target = at.target
    key = f"load test, {ramp}"
    try:
        lying = test.lying(ramp)
    except (UnreachableError, ProfileError) as error:
        return at.seen(key, str(error), *needs, cause=Cause(str(error), (_make(at, ramp),)), origin="-")
    counts = next((folder.name for folder, why in lying if not why), None)
    if counts is not None:
        return at.seen(key, f"{counts} counts", *needs, origin="-")
    there = "; ".join(f"{folder.name} {why}" for folder, why in lying[:LEFT]) or "none lies there"
    allowed = target.load is not False
    remedy = () if allowed else (at.edit("load") + "     # load = true, where no user is served",)
    what = f"no load test of {target.name} counts: {there}"
    return at.seen(key, there, *needs, cause=Cause(what, (*remedy, _make(at, ramp))), origin="-")


def _make(at: Place, ramp: str) -> str:
    ramp = REHEARSED[0] if at.target.rehearsal else ramp
    return f"make load-test TARGET={shlex.quote(at.target.called)} RAMP={ramp}"
