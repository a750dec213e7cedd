"""The rehearsed day, as a person follows it: what happens, when, and what came of it."""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nox_rehearsal.day import moments, under_load
from nox_rehearsal.day.clock import Clock
from nox_rehearsal.day.phases import leading_up_to, options
from nox_rehearsal.day.playing import play
from nox_rehearsal.sabotages import SABOTAGES, Sabotage, chosen
from nox_rehearsal.world import lifecycle
from nox_rehearsal.world.lifecycle import World
from noxgate.errors import Exit
from noxgate.machine import doctor
from noxgate.project.checks import find_checks
from noxgate.project.runbook import read_runbook
from noxgate.run import results_file
from noxgate.run.pytest_program import RunEnded, run_pytest
from noxgate.run.results import Judged
from noxgate.run.verdict import Outcome

GOOD = (Outcome.PASSED, Outcome.NOT_COUNTED)
SABOTAGE = "NOXGATE_SABOTAGE"  # what a report of a rehearsal says was broken
# What takes seconds, and looks at nothing that other faults break: run for its own faults alone.
APART = frozenset({"backup", "migration", "science", "slo", "slower"})
# What looks at staging's cluster alone, which no fault of the application, its edge or its data reaches.
CLUSTER_TOPICS = frozenset({"manifests", "rollout", "routing", "autoscaling", "monitoring"})


def run(root: Path, pattern: str | None) -> int:
    """Run the checks of each phase once, or those of its own phase for each chosen sabotage.

    Returns the gate's exit status; with sabotages DONE where each was caught, else NO_GO.
    """
    _all_programs()
    faults = chosen(pattern) if pattern else []
    clock = Clock()
    if not faults:
        with _world(clock) as here:
            played = play(root, here, clock)
        played.say(root)
        return played.status
    caught = 0
    last: Path | None = None
    with _world(clock) as here:
        for fault in sorted(faults, key=lambda fault: moments.ORDER.index(fault.moment)):
            moments.bring(here, fault.moment, say=clock.say)
            if markers := leading_up_to(fault.phase):
                _pytest(root, here, fault.phase, markers)
            clock.say(f"sabotage {fault.id}: {fault.what}")
            with fault.on(here):
                is_caught, last = check(root, here, clock, fault.phase, fault)
            caught += is_caught
    print(f"\n{caught} of {len(faults)} sabotages caught")
    if last is not None:
        print(f"open  {(last / 'report.html').relative_to(root)}")
    print(f"next  noxgate rehearse sabotages {faults[-1].phase}   (what else can be broken)")
    return Exit.DONE if caught == len(faults) else Exit.NO_GO


def check(root: Path, here: World, clock: Clock, phase: str, fault: Sabotage) -> tuple[bool, Path | None]:
    """Run the checks that a fault could reach in a pytest of their own.

    Whether it was caught as it must be, and the folder of its evidence; None if it does not exist.
    """
    markers = selection(root, fault)
    clock.say(f"checking: pytest -m {shlex.quote(markers)}")
    folder = _pytest(root, here, phase, markers, f"{fault.id}: {fault.what}").folder
    if folder is None:
        clock.say("pytest ended without a verdict")
        return False, None
    missed, surplus = difference(root, fault, folder)
    if missed or surplus:
        clock.say(advice(root, fault, missed, surplus))
        return False, folder
    clock.say(f"caught: {fault.line} is {fault.outcome}, as it must be")
    return True, folder


def _pytest(root: Path, here: World, phase: str, markers: str, broken: str = "") -> RunEnded:
    target = f"--target={here.profile_of(phase)}"
    more = options(phase) if phase in markers else []
    return run_pytest(root, ["-m", markers, target, *more, "-q"], {SABOTAGE: broken})


def selection(root: Path, fault: Sabotage, *, whole: bool = True) -> str:
    """The markers of the checks that a fault is tried on: all of its phase that it could reach.

    Not `whole`: those of its own topic alone, which take a moment.
    """
    return f"{fault.phase} and ({' or '.join(sorted(set(_tried(root, fault, whole=whole).values())))})"


def _tried(root: Path, fault: Sabotage, *, whole: bool) -> dict[str, str]:
    """Line -> topic, of the checks that a fault is tried on."""
    checks = find_checks(root, read_runbook(root / "runbook.toml"))
    topics = {check.line_id: check.topic for check in checks}
    own = topics[fault.line]
    left_out = APART if fault.phase != "staging" or own in CLUSTER_TOPICS else APART | CLUSTER_TOPICS
    return {
        line: topic
        for line, topic in topics.items()
        if line.startswith(f"{fault.phase}.")
        and (topic == own if own in APART or not whole else topic not in left_out)
    }


def difference(
    root: Path, fault: Sabotage, folder: Path, *, whole: bool = True
) -> tuple[list[str], list[str]]:
    """The lines that should be red for the right reason and are not, and those red that should not be.

    Lines whose check was not selected for this fault say nothing of it.
    """
    tried = _tried(root, fault, whole=whole)
    lines = {line.id: line for line in results_file.read(folder).lines if line.id in tried}
    red = {name: line for name, line in lines.items() if line.outcome not in GOOD}
    missed = [
        f"{name} ({_seen(lines.get(name))})"
        for name in (fault.line, *fault.also)
        if name in tried and name not in red
    ]
    found = red.get(fault.line)
    if found and not (found.outcome == fault.outcome and fault.because in found.reason):
        missed.append(f"{fault.line} ({found.outcome}: {found.reason})")
    surplus = [line for line in red if line not in {fault.line, *fault.also}]
    return missed, [f"{line} ({red[line].outcome}: {red[line].reason})" for line in surplus]


def _seen(line: Judged | None) -> str:
    """What a line that stayed green looked at: whether the check or the fault has to be mended."""
    if line is None:
        return "no result"
    looks = [seen.seen for check in line.checks for seen in check.observations]
    return ": ".join([line.outcome, "; ".join(looks[-3:])])


def advice(root: Path, fault: Sabotage, missed: Sequence[str], surplus: Sequence[str]) -> str:
    """What a difference means, and the file to change; empty without one."""
    file, _, number = fault.where.rpartition(":")
    place = f"{os.path.relpath(file, root)}:{number}"
    said = []
    if missed:
        lines = "; ".join(missed)
        said.append(f"expected {lines} to be red for {fault.because!r}: mend the check, or {place}")
    if surplus:
        said.append(f"red besides: {'; '.join(surplus)}: name those that must follow in `also` of {place}")
    return f"{fault.id} is NOT CAUGHT as it must be: {'. And '.join(said)}" if said else ""


def up(root: Path) -> int:
    """Start everything and leave it up."""
    _all_programs()
    here = lifecycle.up(say=Clock().say)
    ours = (root / "targets" / "rehearsal.toml").exists()
    print(f"up: {here.base_url}" + ("" if ours else "   (another checkout started it)"))
    target = "rehearsal" if ours else here.profile
    load = f"noxgate load --target={target} --ramp={under_load.RAMP}"
    print(f"now: {load}; then pytest -m staging --target={target}")
    print(f"its cluster: export KUBECONFIG={here.kubeconfig}     kubectl get pods,svc,ingress,hpa")
    print("look at it: noxgate rehearse status     end it: noxgate rehearse down")
    return Exit.DONE


def down(_: Path) -> int:
    """Stop what is up."""
    print("stopped" if lifecycle.down() else "nothing was up")
    return Exit.DONE


def status(_: Path) -> int:
    """Show what is up, and where; Exit.NO_GO where nothing is, or a part has died."""
    rows = lifecycle.status()
    for row in rows:
        print(f"{row.part:<22}{row.address:<44}{'up' if row.alive else 'DEAD'}  pid {row.pid}")
    here = lifecycle.find()
    if here is None:
        print("nothing is up: noxgate rehearse up")
        return Exit.NO_GO
    print(f"\nthe cluster: export KUBECONFIG={here.kubeconfig}")
    print(f"staging    {here.base_url:<28}kubectl get pods,svc,ingress,hpa")
    print(f"production {here.production_url:<28}kubectl get ingress -n nox-production")
    print(f"Prometheus {here.prometheus_url}")
    return Exit.DONE if all(row.alive for row in rows) else Exit.NO_GO


def listing(root: Path, what: str | None) -> int:
    """Show every sabotage and where it is defined; or those of a phase, of a line, or one."""
    shown = [one for one in SABOTAGES if what in {None, one.phase}] or chosen(what or "")
    for sabotage in shown:
        file, _, number = sabotage.where.rpartition(":")
        place = os.path.relpath(file, root)
        print(f"{sabotage.id:<46}{sabotage.what}\n{'':<46}{place}:{number}")
    return Exit.DONE


def _all_programs() -> None:
    """Better one line that names everything than to fail at each program in turn."""
    missing = doctor.missing()
    if missing:
        names = ", ".join(finding.component.name for finding in missing)
        packages = [finding.component.package for finding in missing]
        raise lifecycle.RehearsalError(f"missing: {names}. Paste this: {doctor.paste(packages)}")


@contextmanager
def _world(clock: Clock) -> Iterator[World]:
    """The world that is up, left as it is; else one for this run alone."""
    if (here := lifecycle.find()) is not None:
        clock.say("using the rehearsal that is up; it stays up")
        yield here
        return
    with lifecycle.running(say=clock.say) as here:
        yield here
        clock.say("stopping")
    clock.say("stopped, nothing left behind")
