"""The whole day, phase after phase: one line for each, and all that the gate said where it is not GO."""

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nox_rehearsal.day import loading, moments, watching
from nox_rehearsal.day.clock import Clock
from nox_rehearsal.day.phases import moment_of, options, phases_with_checks
from nox_rehearsal.world.state import World
from noxgate.errors import Exit
from noxgate.project.runbook import Phase, read_runbook
from noxgate.run import results_file
from noxgate.run.pytest_program import RunEnded, run_pytest
from noxgate.run.verdict import Verdict

WORDS: dict[int, str] = {
    verdict.exit: str(verdict) for verdict in Verdict if verdict is not Verdict.GO_WITH_WAIVERS
}
MADE = "checkpoint "  # how `noxgate watch` begins the line that says what it recorded
PAGE = "sign-off-rehearsal.html"
VERDICT = "=============================== release verdict"
LAST = re.compile(r"\n=+ (?:short test summary info|\d+ [^=]+ in [^=]+) =+\n")  # pytest's own, after it
NEXT = "noxgate rehearse run --sabotage staging.version"


@dataclass(frozen=True)
class Played:
    """How the day ended: the worst exit status, and what is to be opened."""

    status: int
    open: Path | None

    def say(self, root: Path) -> None:
        """In three lines, after all others."""
        print(f"\n{WORDS.get(self.status, 'INCONCLUSIVE')} (rehearsal)")
        if self.open is not None:
            print(f"open  {self.open.relative_to(root)}")
        if self.status == Exit.GO:
            print(f"next  {NEXT}   (a fault, and what the gate says of it)")
        else:
            print("next  mend what the phase above says, then: make rehearse")


def play(root: Path, here: World, clock: Clock) -> Played:
    """Each moment of the day, and the checks of its phase; a rollback is a drill after the release."""
    titles = read_runbook(root / "runbook.toml").phases
    day = _Day(root, here, clock)
    statuses: list[int] = []
    page: Path | None = None
    for phase in phases_with_checks(root):
        if phase == "rollback":  # made later, the page says Rolled Back, and rightly
            status, page = day.sign_off()
            statuses.append(status)
        statuses += day.watch(titles[phase]) if phase == moments.WINDOW else [day.phase(titles[phase])]
    worst = _worst(statuses)
    return Played(worst, page if worst == Exit.GO else day.reports.get(worst, page))


@dataclass
class _Day:
    root: Path
    here: World
    clock: Clock
    reports: dict[int, Path] = field(default_factory=dict)  # of the first phase that ended with a status

    def phase(self, phase: Phase) -> int:
        began = time.monotonic()
        moments.bring(self.here, moment_of(phase.name), say=self.clock.say)
        if phase.name == "staging":
            loading.decided(self.here, say=self.clock.say, wait=self.clock.wait)
        acted = time.monotonic()
        self.clock.wait(f"{phase.title}: pytest -m {phase.name}")
        target = f"--target={self.here.profile_of(phase.name)}"
        words = ["-m", phase.name, target, *options(phase.name), "-q"]
        ended = run_pytest(self.root, words, kept=True)
        took = time.monotonic() - acted
        allowed = f" of the runbook's {phase.budget_minutes} minutes" if phase.budget_minutes else ""
        seconds = f"{acted - began + took:.0f} s{allowed}"
        self.clock.say(f"{phase.title}: {_ended(ended)}; {seconds}")
        self._show(ended)
        return ended.status

    def watch(self, phase: Phase) -> list[int]:
        """The 48 hours: each checkpoint made when it is due, by the clock of the day that is played."""
        moments.bring(self.here, moments.WATCH, say=self.clock.say)
        began = moments.reached(self.here)[moments.START]
        statuses = []
        for name in watching.MADE:
            if name == list(watching.MADE)[-1]:
                watching.ask_support(self.here)
            at = f"{watching.time_of(began, name):%Y-%m-%dT%H:%M:%SZ}"
            words = ["watch", f"--target={self.here.production_profile}", f"--clock={at}"]
            ended = self._command(words)
            made = [line.removeprefix(MADE) for line in ended.output.splitlines() if line.startswith(MADE)]
            self.clock.say(f"{phase.title}: {made[-1] if made else _ended(ended)}")
            self._show(ended)
            statuses.append(ended.status)
        moments.bring(self.here, moments.WINDOW, say=self.clock.say)
        return statuses

    def sign_off(self) -> tuple[int, Path | None]:
        """Write the sign-off page of the day, while the keys that its runs were sealed with are there."""
        ended = self._command(["signoff", f"--target={self.here.profile}"])
        first = ended.output.partition("\n")[0]
        if ended.status == Exit.USAGE:
            self.clock.say(f"no sign-off page: {first}")
            return Exit.INCONCLUSIVE, None
        self.clock.say(f"Sign-off: {first}")
        release = read_runbook(self.root / "runbook.toml").release.version
        return ended.status, self.root / "reports" / release / PAGE

    def _command(self, words: Sequence[str]) -> RunEnded:
        """A command of the gate that makes a run, and the folder of the run."""
        reports = self.root / "reports"
        before = set(reports.glob("*/*/results.json"))
        ended = subprocess.run(
            [sys.executable, "-m", "noxgate.cli", *words],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        new = sorted(set(reports.glob("*/*/results.json")) - before)
        return RunEnded(ended.returncode, folder=new[-1].parent if new else None, output=ended.stdout)

    def _show(self, ended: RunEnded) -> None:
        if ended.status == Exit.GO and ended.folder is not None:
            return
        print(block(ended.output), flush=True)
        if ended.folder is not None:
            self.reports.setdefault(ended.status, ended.folder / "report.html")


def block(said: str) -> str:
    """The verdict and its reasons, of what the gate printed: the report has the rest. Without verdict all."""
    _, line, verdict = said.rpartition(VERDICT)
    return f"{line}{LAST.split(verdict)[0]}" if line else said


def _ended(ended: RunEnded) -> str:
    """The verdict, and how many lines have which outcome."""
    if ended.folder is None:
        return f"ended with status {ended.status} and without a verdict"
    results = results_file.read(ended.folder)
    outcomes = [line.outcome for line in results.lines]
    counts = ", ".join(f"{outcomes.count(one)} {one}" for one in dict.fromkeys(sorted(outcomes)))
    return f"{results.verdict}, {counts}"


def _worst(statuses: Iterable[int]) -> int:
    """NO-GO outweighs what could not be looked at; anything else outweighs GO."""
    found = set(statuses)
    return Exit.NO_GO if Exit.NO_GO in found else max(found)
