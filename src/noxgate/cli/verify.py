"""The commands `noxgate seal` and `noxgate verify`."""

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from noxgate.cli.arguments.moment import read_moment
from noxgate.errors import Exit, NoxgateError, ProfileError
from noxgate.look.written.harmless import ReportScrubber
from noxgate.project.checks import public_text
from noxgate.project.here import Project
from noxgate.project.keys.evidence import OLDEST_HOURS
from noxgate.project.keys.reading import guess
from noxgate.project.profile import read_target
from noxgate.project.which.files import file_of
from noxgate.reports.summary import of_words
from noxgate.run.causes import grouped
from noxgate.run.sweep import leaks
from noxgate.trust.agreement import contradictions
from noxgate.trust.beside import beside, everybody
from noxgate.trust.counted import beginning, chainless, count, gone, lacks_head
from noxgate.trust.keys import read_trust
from noxgate.trust.records import RecordError
from noxgate.trust.runs import Run, also_on, narrowed_since, newest, read_run, runs_of, unreadable
from noxgate.trust.seal import ENVELOPE, seal
from noxgate.trust.sealed import REHEARSAL, Refusal
from noxgate.trust.signing import PublicKey, SigningError, read_public_key
from noxgate.trust.verify import Expected, Verified, disagreements, verify

ONE_RUN = "one run alone: newer runs and other phases were not looked at, as noxgate verify RELEASE does"


class VerifyError(NoxgateError):
    """What cannot be verified as asked: one line."""


ERRORS = (ProfileError, RecordError, SigningError, VerifyError, OSError)


def seal_folder(given: argparse.Namespace) -> int:
    """Seal a run that was made without a key."""
    project = Project.of(given)
    folder = Path(given.folder)
    run = read_run(folder)
    trust = read_trust(project.root, run.target)
    key = trust.to_sign(os.environ)
    names = [phase.name for phase in project.runbook.phases.values() if phase.folder]
    target = read_target(project.root, run.target, names)
    public = public_text(project.root, project.runbook, target.path)
    scrubber = ReportScrubber([*target.secrets(), *key.secrets()], public)
    for path, name in leaks(folder, scrubber):
        raise SigningError(
            f"{path.relative_to(folder)} shows {name}: not sealed; the run has to be made again"
        )
    if (folder / ENVELOPE).exists():
        raise SigningError(f"{folder.name}: is sealed already: a seal is not made anew")
    for contradiction in contradictions(folder):
        raise SigningError(f"{contradiction}: not sealed; the run has to be made again")
    print(f"sealed: {seal(folder, project.root, trust.path, key)}")
    results = run.results
    if not trust.rehearsal and results.run:
        chain = trust.chain(project.reports, results.release)
        record = count(chain, key, results.run, folder.resolve().name, results.verdict)
        print(f"record {record.number}: {os.path.relpath(chain.folder)}")
    return Exit.DONE


def verify_asked(given: argparse.Namespace) -> int:
    """Verify one run, or the newest run of each phase of a release."""
    project = Project.of(given)
    for phase in given.phase:
        if phase not in project.runbook.phases:
            raise VerifyError(f"--phase: no phase {phase!r}{guess(phase, project.runbook.phases)}")
    if given.target and not any(_is_there(project.root, name) for name in given.target):
        file_of(project.root, given.target[0])
    asked = VerifyOptions(project, given)
    what = given.what or project.runbook.release.version
    problems: list[str] = []
    if Path(what).is_dir():
        found = [asked.verify(Path(what), given.phase)]
        asked.notes.append(ONE_RUN)
    elif re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", what):
        found, problems = asked.verify_release(what)
    else:
        raise VerifyError(f"expected the folder of a run, or a release such as 8.0.0; saw {what!r}")
    if given.head and (problem := lacks_head(found, given.head)):
        problems.append(problem)
    rows = [f"note      {one}" for one in (*beginning(found), *asked.chainless) if not given.head]
    rows += [row for run in found for row in _said(run)]
    rows += [f"note      {note}" for note in asked.notes]
    rows += [f"refused   {problem}" for problem in problems]
    rows = list(map(_plain, rows))
    refused = bool(problems) or any(run.refusals for run in found)
    verdict = f"{'REFUSED' if refused else 'VERIFIED'}  release {asked.release}"
    print(*rows, verdict, sep="\n")
    if given.summary:
        with Path(given.summary).open("a", encoding="utf-8") as file:
            file.write(f"{of_words(verdict, rows)}\n")
    return Exit.REFUSED if refused else Exit.DONE


def _is_there(root: Path, name: str) -> bool:
    try:
        return file_of(root, name).is_file()
    except ProfileError:
        return False


class VerifyOptions:
    """What the options ask for."""

    def __init__(self, project: Project, given: argparse.Namespace) -> None:
        self._project = project
        self._given = given
        self._keys = [read_public_key(Path(path)) for path in given.key]
        self._now = read_moment("--at", given.at) if given.at else datetime.now(UTC)
        self.release: str = given.release or project.runbook.release.version
        self.notes: list[str] = []
        self.chainless: list[str] = []  # of which targets nothing says that no run went away

    def verify(self, folder: Path, phases: Sequence[str], speaks_for: Sequence[str] = ()) -> Verified:
        """Verify the run in a folder: all of it, or the phases that it `speaks_for`."""
        try:
            run = read_run(folder)
        except SigningError as error:
            return Verified(folder, (Refusal(str(error)),))
        if run.rehearsal:
            return Verified(folder, (REHEARSAL,))
        asked = self._given.target or [run.target]
        target = run.target if run.target in asked else asked[0]
        try:
            signers, hours, branch = self._trusted(target)
        except ProfileError as error:
            if self._given.target:
                raise
            return Verified(folder, (Refusal(f"no signature counts for it: {error}"),))
        expected = Expected(
            root=self._project.root,
            runbook=self._project.runbook,
            target=target,
            signers=signers,
            hours=self._given.within or hours,
            now=self._now,
            release=self.release,
            phases=phases,
            speaks_for=speaks_for,
            commit=self._given.commit,
            image=self._given.image,
            branch=branch,
        )
        return verify(folder, expected)

    def verify_release(self, release: str) -> tuple[list[Verified], list[str]]:
        """Verify the newest whole run of each phase, and that they are of one and the same thing."""
        self.release = release
        place = self._project.reports / release
        runs = [run for run in runs_of(place) if not run.rehearsal]
        if self._given.target:
            runs = [run for run in runs if run.target in self._given.target]
        chosen: dict[Path, Run] = {}
        problems = [f"{folder.name}: {why}: what it saw is unknown" for folder, why in unreadable(place)]
        for phase in self._given.phase or self._phases():
            run = newest(runs, phase)
            if run is not None:
                chosen[run.folder] = run
                if others := also_on(runs, phase, run):
                    problems.append(
                        f"phase {phase} was run on {', '.join([run.target, *others])}: "
                        "name each target that counts with --target"
                    )
            narrowed = narrowed_since(runs, phase, run)
            if run is None:
                rehearsed = [run for run in runs_of(place) if run.rehearsal]
                only = " (only rehearsals of it)" if newest(rehearsed, phase) else ""
                problems.append(f"phase {phase} is missing: no run of the whole of it in {place}{only}")
            for part in narrowed:
                problems += self._of_part(part, phase)
        # of the phases of one run, a newer run may speak for some
        spoken = {run.folder: [name for name in run.whole if newest(runs, name) is run] for run in runs}
        found = [self.verify(folder, (), spoken[folder]) for folder in chosen]
        changed = beside(place, chosen, self._keys or everybody(self._project.root))
        signers = {run.target: self._trusted(run.target)[0] for run in found if not run.refusals}
        self.chainless = list(chainless(place, signers))
        return found, [*problems, *changed, *disagreements(found), *gone(place, found, signers)]

    def _of_part(self, run: Run, phase: str) -> list[str]:
        """What speaks against a phase from a run that looked at a part of it after the whole."""
        name = f"{run.folder.name}, a narrowed run since"
        lines = self._project.runbook.lines
        failed = [line for line in run.failed if line not in lines or lines[line].phase == phase]
        if failed:
            return [f"{name}: saw {', '.join(failed)} fail: run the whole of phase {phase} once more"]
        self.notes.append(f"{run.folder.name}: is narrowed: it does not count for phase {phase}")
        return []

    def _phases(self) -> Sequence[str]:
        """All that make a release a success; the window and a rollback come later."""
        return self._project.runbook.one("status").derived_from

    def _trusted(self, target: str) -> tuple[Sequence[PublicKey], float, str | None]:
        """Whose signatures count, how old a run may be, and the branch that its commit must be on."""
        try:
            trust = read_trust(self._project.root, target)
        except ProfileError:
            if not self._keys:
                raise
            return self._keys, OLDEST_HOURS, None
        return self._keys or trust.signers, trust.hours, trust.branch


def _said(run: Verified) -> list[str]:
    if run.refusals:
        return [f"refused   {run.folder.name}: {why}" for why in _alike(run.refusals)]
    facts = [
        f"{run.verdict}  {', '.join(run.phases)} on {run.base_url}",
        *(f"with {override}" for override in run.overrides),
        f"signed by {run.signer}",
        f"ended {run.ended:%Y-%m-%d %H:%M} UTC",
    ]
    facts += [f"commit {run.commit[:12]}"] if run.commit else []
    facts += [f"image {run.images[0][:12]}"] if run.images else []
    verified = f"verified  {run.folder.name}: {', '.join(facts)}"
    return [verified, *(f"note      {run.folder.name}: {note}" for note in run.notes)]


def _alike(refusals: Sequence[Refusal]) -> Iterator[str]:
    """Lines that are refused for one reason, in one row that names each of them."""
    told = ((each, each.why if each.line and not each.file else str(each)) for each in refusals)
    for why, alike in grouped(told):
        lines = ", ".join(each.line for each in alike)
        yield f"{why.rstrip(':')}: {len(alike)} lines: {lines}" if alike[1:] else str(alike[0])


def _plain(row: str) -> str:
    """A row as every terminal can show it: what is in it may be of files that anybody has written."""
    return "".join(character if character.isprintable() else "?" for character in row)
