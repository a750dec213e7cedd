"""The rehearsed day, as a person follows it: what happens, when, and what came of it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from noxgate.rehearsal import world
from noxgate.rehearsal.sabotages import SABOTAGES, Sabotage, chosen
from noxgate.rehearsal.world import World

INCONCLUSIVE = 2


def run(root: Path, pattern: str | None) -> int:
    """Run the checks once, or once for each chosen sabotage; returns the worst exit status."""
    faults = chosen(pattern) if pattern else []
    clock = Clock()
    with _world(clock) as here:
        if not faults:
            return check(root, here, clock)
        statuses = []
        for fault in faults:
            clock.say(f"sabotage {fault.id}: {fault.what}")
            with fault.on(here):
                statuses.append(check(root, here, clock, fault))
        return min(statuses)  # 1 NO-GO is worse than 2 INCONCLUSIVE, and 0 means that a sabotage was missed


def check(root: Path, here: World, clock: "Clock", fault: Sabotage | None = None) -> int:
    """Run the staging checks in a pytest of their own and say how it ended."""
    clock.say("checking: pytest -m staging")
    reports = root / "reports"
    before = set(reports.glob("*/*/results.json"))
    command = [sys.executable, "-m", "pytest", "-m", "staging", f"--target={here.profile}", "-q"]
    status = subprocess.run(command, cwd=root, check=False).returncode
    new = sorted(set(reports.glob("*/*/results.json")) - before)
    if not new:
        clock.say("pytest ended without a verdict")
        return INCONCLUSIVE
    if fault is not None:
        clock.say(caught(fault, new[-1]))
    clock.say(f"the report to open: {new[-1].with_name('report.html').relative_to(root)}")
    return status


def caught(fault: Sabotage, results: Path) -> str:
    """Whether the sabotage turned red the lines that it must, and no other."""
    missed, surplus = difference(fault, results)
    if not missed and not surplus:
        return f"caught: {fault.line} is {fault.outcome}, as it must be"
    return f"NOT CAUGHT as it must be: missed {missed or 'nothing'}, red besides {surplus or 'nothing'}"


def difference(fault: Sabotage, results: Path) -> tuple[list[str], list[str]]:
    """The lines that should be red for the right reason and are not, and those red that should not be."""
    lines = json.loads(results.read_text(encoding="utf-8"))["lines"]
    red = {line["id"]: line for line in lines if line["outcome"] != "passed"}
    missed = [line for line in (fault.line, *fault.also) if line not in red]
    found = red.get(fault.line)
    if found and not (found["outcome"] == fault.outcome and fault.because in found["reason"]):
        missed.append(f"{fault.line} ({found['outcome']}: {found['reason']})")
    return missed, [line for line in red if line not in {fault.line, *fault.also}]


def up(_: Path) -> int:
    """Start everything and leave it up."""
    here = world.up()
    print(f"up: {here.base_url}\nnow: pytest -m staging")
    print("look at it: noxgate rehearse status     end it: noxgate rehearse down")
    return 0


def down(_: Path) -> int:
    """Stop what is up."""
    print("stopped" if world.down() else "nothing was up")
    return 0


def status(_: Path) -> int:
    """Show what is up, and where; exit status 1 where nothing is, or a part has died."""
    rows = world.status()
    for row in rows:
        print(f"{row.part:<22}{row.address:<32}{'up' if row.alive else 'DEAD'}  pid {row.pid}")
    if not rows:
        print("nothing is up: noxgate rehearse up")
    return 0 if rows and all(row.alive for row in rows) else 1


def listing() -> int:
    """Show every sabotage."""
    for sabotage in SABOTAGES:
        print(f"{sabotage.id:<46}{sabotage.what}")
    return 0


@dataclass
class Clock:
    """Says what happens, with the seconds since the start."""

    started: float

    def __init__(self) -> None:
        self.started = time.monotonic()

    def say(self, what: str) -> None:
        print(f"[{time.monotonic() - self.started:5.1f} s] {what}", flush=True)


@contextmanager
def _world(clock: Clock) -> Iterator[World]:
    """The world that is up, left as it is; else one for this run alone."""
    if (here := world.find()) is not None:
        clock.say("using the rehearsal that is up")
        yield here
        return
    with world.running(say=clock.say) as here:
        yield here
        clock.say("stopping")
    clock.say("stopped, nothing left behind")
