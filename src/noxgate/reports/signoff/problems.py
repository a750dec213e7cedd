"""What speaks against a release apart from its lines: other runs of it, and their order."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from noxgate.project.runbook import Runbook
from noxgate.reports.signoff.asked import Asked
from noxgate.reports.signoff.runs import said
from noxgate.trust.beside import beside, everybody
from noxgate.trust.runs import Run, also_on, narrowed_since
from noxgate.trust.sealed import altered


def problems(
    asked: Asked, every: Sequence[Run], runs: Sequence[Run], chosen: Mapping[str, Run], counted: Sequence[str]
) -> Iterator[str]:
    """Each in one line. `every` run there is, the `runs` asked for, those `chosen` for their phase."""
    for phase in asked.runbook.phases:
        yield from _narrowed(asked, runs, phase, chosen.get(phase))
    yield from _order(chosen, counted)
    yield from _elsewhere(runs, chosen, counted)
    yield from _from_the_future(every, asked)
    yield from _way_back(asked.runbook, runs, chosen)
    if not asked.rehearsal:
        yield from map(said, _uncounted(asked, chosen))


def _narrowed(asked: Asked, runs: Sequence[Run], phase: str, whole: Run | None) -> Iterator[str]:
    """What a run of a part of the phase saw fail since the whole was run, or that it cannot be believed."""
    for part in narrowed_since(runs, phase, whole):
        name = f"{part.folder.name}, a narrowed run since"
        trust = asked.trusts.get(part.target)
        if trust and (changed := altered(part.folder, trust.signers)):
            yield f"{name}: {said(changed[0])}"
            continue
        lines = asked.runbook.lines
        failed = [line for line in part.failed if line not in lines or lines[line].phase == phase]
        if failed:
            yield f"{name}: saw {said(', '.join(failed))} fail: run the whole of phase {phase} once more"


def _order(chosen: Mapping[str, Run], up_to_live: Sequence[str]) -> Iterator[str]:
    """What was looked at again after a later phase says nothing of what that phase rested on."""
    for earlier, later in pairwise(up_to_live):
        if earlier in chosen and later in chosen and chosen[earlier].started > chosen[later].started:
            yield f"phase {earlier} was run after phase {later}: run {later} once more"


def _elsewhere(runs: Sequence[Run], chosen: Mapping[str, Run], up_to_live: Sequence[str]) -> Iterator[str]:
    """A GO on one target must not hide what another one had to say."""
    for phase in up_to_live:
        if phase in chosen and (others := also_on(runs, phase, chosen[phase])):
            names = said(", ".join([chosen[phase].target, *others]))
            yield f"phase {phase} was run on {names}: name the one that counts with --target"


def _uncounted(asked: Asked, chosen: Mapping[str, Run]) -> Iterator[str]:
    """What was changed in any other sealed run of the release, of every target."""
    folders = {run.folder for run in chosen.values()}
    return beside(asked.reports / asked.release, folders, everybody(asked.root))


def _from_the_future(runs: Sequence[Run], asked: Asked) -> Iterator[str]:
    """By no clock of this machine: it must not be left out, as what comes after --at is."""
    now = datetime.now(UTC)
    for run in runs:
        if run.started > now and run.rehearsal == asked.rehearsal:
            yield f"{run.folder.name}: is from the future: it began {run.started:%Y-%m-%d %H:%M} UTC"


def _way_back(runbook: Runbook, runs: Sequence[Run], chosen: Mapping[str, Run]) -> Iterator[str]:
    """Who looks for a rollback after the last switch, be it for a part of it, has a reason to."""
    live, back = runbook.one("switch").phase, runbook.having("switch-back")[0].phase
    since = [
        run for run in runs if back in run.phases and live in chosen and run.started > chosen[live].started
    ]
    if since:
        yield (
            f"{since[-1].folder.name}: phase {back} was run after phase {live}: where users have the "
            f"release after all, run {live} once more"
        )
