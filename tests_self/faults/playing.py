"""Play a fault before the whole gate, or before the load test, in a process of its own, and measure it."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests_self.authority import Authority
from tests_self.faults.api import names_of
from tests_self.faults.fault import GO, INCONCLUSIVE, NO_GO, Changes, Fault, Scene
from tests_self.loopback import Loopback

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.world.state import World
from noxgate.project.runbook import read_runbook

MOST_MEGABYTES = 300
LOADED = ("--ramp=smoke", "--duration=5s")
_FILES = ("rehearsal.toml", "rehearsal-production.toml", "credentials.env", "credentials-production.env")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """What came of one run. `outcomes` by line id, `reasons` those of lines that did not pass."""

    status: int
    seconds: float
    megabytes: float
    outcomes: Mapping[str, str]
    reasons: tuple[str, ...]
    said: str

    @property
    def verdict(self) -> str:
        """By its lines alone: one that was not asked for is not run."""
        found = set(self.outcomes.values())
        return NO_GO if "failed" in found else INCONCLUSIVE if "unreachable" in found else GO

    def count(self, outcome: str) -> int:
        return list(self.outcomes.values()).count(outcome)

    @property
    def wrong(self) -> set[str]:
        return {line for line, outcome in self.outcomes.items() if outcome != "passed"}


def play(
    fault: Fault | None, world: World, authority: Authority, folder: Path, phase: str = "staging"
) -> Seen:
    """Make the fault, run, undo it. Without one: how it is while nothing is wrong."""
    here = folder / str(next(_numbers))
    here.mkdir(mode=0o755)
    servers = Loopback(authority)
    scene = Scene(world, servers, authority, here)
    try:
        if fault is None:
            return _run(scene, {}, phase, ())
        with fault.make(scene) as changes:
            wraps = names_of(here) if (here / "resolv.conf").exists() else ()
            return _loaded(scene, changes, wraps) if fault.load else _run(scene, changes, fault.phase, wraps)
    finally:
        servers.close()
        shutil.rmtree(here, ignore_errors=True)


def _run(scene: Scene, changes: Changes, phase: str, wraps: Sequence[str]) -> Seen:
    profile = _profile(scene, changes, phase)
    command = [sys.executable, "-m", "pytest", "-q", "-m", f"{phase} and not slo", f"--target={profile}"]
    runbook = read_runbook(ROOT / "runbook.toml")
    limit = (runbook.phases[phase].budget_minutes or 15) * 60
    status, seconds, megabytes, said = _measured(
        scene, [*wraps, *command, f"--reports={scene.folder}"], limit
    )
    results = sorted(scene.folder.glob("*/*/results.json"))
    every = json.loads(results[-1].read_text())["lines"] if results else []
    lines = [line for line in every if line["outcome"] != "not run"]
    outcomes = {line["id"]: line["outcome"] for line in lines}
    reasons = [check["reason"] for line in lines for check in line["checks"] if check["outcome"] != "passed"]
    return Seen(status, seconds, megabytes, outcomes, tuple(reasons), said)


def _loaded(scene: Scene, changes: Changes, wraps: Sequence[str]) -> Seen:
    profile = _profile(scene, changes, "staging")
    command = [sys.executable, "-m", "noxgate.cli", "load", f"--target={profile}", *LOADED]
    status, seconds, megabytes, said = _measured(scene, [*wraps, *command], 600)
    outcome = {0: "passed", 1: "failed", 2: "unreachable"}.get(status, "crashed")
    return Seen(status, seconds, megabytes, {"load": outcome}, tuple(_last_words(said)), said)


def _last_words(said: str) -> list[str]:
    """Its verdict, with why it was stopped, or else the errors that it met most often."""
    lines = said.splitlines()
    last = [
        line.partition(" (the ramp")[0]
        for line in lines
        if re.match("FAILED|UNDECIDED|UNREACHABLE|PASSED", line)
    ]
    stopped = [line.removeprefix("! ") for line in lines if line.startswith("! it was stopped: ")]
    met = stopped or [line.strip() for line in lines if re.match(r"  \d+ x ", line)]
    return [f"{line}: {'; '.join(met)}" if met else line for line in last]


def _profile(scene: Scene, changes: Changes, phase: str) -> Path:
    """The world's profiles with something else in them."""
    world = scene.world
    own = {str(world.folder / name): str(scene.folder / name) for name in _FILES}
    loads = {f'load_results = "{world.folder / "load"}"': f'load_results = "{scene.folder / "load"}"'}
    for name in _FILES:
        text = (world.folder / name).read_text()
        for old, new in (loads | own | dict(changes)).items():
            text = text.replace(old, new)
        with os.fdopen(os.open(scene.folder / name, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)
    if (world.folder / "records").exists():  # what people attested
        shutil.copytree(world.folder / "records", scene.folder / "records")
    return scene.folder / _FILES[0 if phase == "staging" else 1]


def _measured(scene: Scene, command: Sequence[str], limit: float) -> tuple[int, float, float, str]:
    told = scene.folder / "measured.json"
    measure = [sys.executable, "-I", "-S", str(Path(__file__).with_name("measured.py"))]
    done = subprocess.run(
        [*measure, str(limit), str(told), *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=True,
    )
    found = json.loads(told.read_text())
    return found["status"], found["seconds"], found["kilobytes"] / 1000, done.stdout
