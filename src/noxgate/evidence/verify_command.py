"""The commands `noxgate seal` and `noxgate verify`."""

import argparse
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from noxgate.evidence import bundle
from noxgate.evidence.project import Project
from noxgate.evidence.runs import Run, newest, read_run, runs_of
from noxgate.evidence.seal import seal
from noxgate.evidence.signing import PublicKey, SigningError, read_public_key
from noxgate.evidence.trust import HOURS, read_trust
from noxgate.evidence.verify import Expected, Verified, disagreements, verify
from noxgate.profile import read_target
from noxgate.profile_values import guess
from noxgate.secret import Scrubber
from noxgate.target import ProfileError

VERIFIED, REFUSED = 0, 1
STATUS = "signoff.status"  # the line whose derived_from are the phases that make a release a success


class VerifyError(Exception):
    """What cannot be verified as asked: one line."""


def seal_folder(given: argparse.Namespace) -> int:
    """Seal a run that was made without a key."""
    project = Project.of(given)
    folder = Path(given.folder)
    run = read_run(folder)
    trust = read_trust(project.root, run.target)
    key = trust.to_sign(os.environ)
    names = [phase.name for phase in project.runbook.phases.values() if phase.folder]
    scrubber = Scrubber([*read_target(project.root, run.target, names).secrets(), *key.secrets()])
    for path, name in bundle.leaks(folder, scrubber):
        raise SigningError(
            f"{path.relative_to(folder)} shows ${name}: not sealed; the run has to be made again"
        )
    print(f"sealed: {seal(folder, project.root, trust.path, key)}")
    return VERIFIED


def verify_asked(given: argparse.Namespace) -> int:
    """Verify one run, or the newest run of each phase of a release."""
    project = Project.of(given)
    for phase in given.phase:
        if phase not in project.runbook.phases:
            raise VerifyError(f"--phase: no phase {phase!r}{guess(phase, project.runbook.phases)}")
    asked = Asked(project, given)
    folder = Path(given.what)
    if folder.is_dir():
        found = [asked.verify(folder, given.phase)]
        problems: list[str] = []
    elif re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", given.what):
        found, problems = asked.verify_release(given.what)
    else:
        raise VerifyError(f"expected the folder of a run, or a release such as 8.0.0; saw {given.what!r}")
    for run in found:
        print(*_said(run), sep="\n")
    print(*(f"refused   {problem}" for problem in problems), sep="\n", end="\n" if problems else "")
    refused = bool(problems) or any(run.refusals for run in found)
    print(f"{'REFUSED' if refused else 'VERIFIED'}  release {asked.release}")
    return REFUSED if refused else VERIFIED


class Asked:
    """What the options ask for."""

    def __init__(self, project: Project, given: argparse.Namespace) -> None:
        self._project = project
        self._given = given
        self._keys = [read_public_key(Path(path)) for path in given.key]
        self._now = _time(given.at) if given.at else datetime.now(UTC)
        self.release: str = given.release or project.runbook.release.version

    def verify(self, folder: Path, phases: Sequence[str]) -> Verified:
        """Verify the run in a folder."""
        try:
            run = read_run(folder)
        except SigningError as error:
            return Verified(folder, (str(error),))
        if run.rehearsal:
            return Verified(folder, ("is a rehearsal: it does not count for a release",))
        target = self._given.target or run.target
        signers, hours = self._trusted(target)
        expected = Expected(
            root=self._project.root,
            runbook=self._project.runbook,
            target=target,
            signers=signers,
            hours=self._given.within or hours,
            now=self._now,
            release=self.release,
            phases=phases,
            commit=self._given.commit,
            image=self._given.image,
        )
        return verify(folder, expected)

    def verify_release(self, release: str) -> tuple[list[Verified], list[str]]:
        """Verify the newest run of each phase, and that they are of one and the same thing."""
        self.release = release
        runs = [run for run in runs_of(self._project.reports / release) if not run.rehearsal]
        if self._given.target:
            runs = [run for run in runs if run.target == self._given.target]
        chosen: dict[Path, Run] = {}
        problems = []
        for phase in self._given.phase or self._phases():
            run = newest(runs, phase)
            if run is None:
                problems.append(
                    f"phase {phase} is missing: no run of it in {self._project.reports / release}"
                )
            else:
                chosen[run.folder] = run
        found = [self.verify(folder, ()) for folder in chosen]
        return found, [*problems, *disagreements(found)]

    def _phases(self) -> Sequence[str]:
        """All that make a release a success; the window and a rollback come later."""
        status = self._project.runbook.lines.get(STATUS)
        phases = [phase.name for phase in self._project.runbook.phases.values() if phase.folder]
        return status.derived_from if status else phases

    def _trusted(self, target: str) -> tuple[Sequence[PublicKey], float]:
        """Whose signatures count, and how old a run may be."""
        try:
            trust = read_trust(self._project.root, target)
        except ProfileError:
            if not self._keys:
                raise
            return self._keys, HOURS
        return self._keys or trust.signers, trust.hours


def _said(run: Verified) -> list[str]:
    if run.refusals:
        return [f"refused   {run.folder.name}: {refusal}" for refusal in run.refusals]
    facts = [
        f"{run.verdict}  {', '.join(run.phases)} on {run.base_url}",
        f"signed by {run.signer}",
        f"ended {run.ended:%Y-%m-%d %H:%M} UTC",
    ]
    facts += [f"commit {run.commit[:12]}"] if run.commit else []
    facts += [f"image {run.images[0][:12]}"] if run.images else []
    return [f"verified  {run.folder.name}: {', '.join(facts)}"]


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise VerifyError(f"--at: expected a time such as 2026-01-31T14:00Z, saw {text!r}")
    return moment


def add(commands: Any, root: Any) -> None:
    """Add the commands of this module."""
    raw = argparse.RawDescriptionHelpFormatter
    one = commands.add_parser(
        "seal",
        help="sign a run that was made without a key",
        description="Sign every file of a run's folder, its commit, image and runbook.toml. A run made\n"
        "with NOXGATE_SIGNING_KEY set (a file, or the key itself) is sealed already.",
        epilog="example: noxgate seal reports/8.0.0/20260131T140000Z-staging-staging",
        formatter_class=raw,
    )
    one.add_argument("folder", metavar="FOLDER", help="the folder of a run")
    one.set_defaults(command=seal_folder, root=root, reports="reports")

    one = commands.add_parser(
        "verify",
        help="refuse evidence that does not let this release go",
        description="Verify a sealed run, or the newest run of each phase of a release: who signed it, that\n"
        "no byte differs, what it is of, how old it is, that every line is passed or validly waived.\n\n"
        "exit status: 0 verified, 1 refused, 4 usage",
        epilog="example: noxgate verify 8.0.0 --phase staging --commit $(git rev-parse HEAD)",
        formatter_class=raw,
    )
    one.add_argument("what", metavar="FOLDER|RELEASE", help="a run's folder, or a release such as 8.0.0")
    one.add_argument(
        "--phase",
        action="append",
        default=[],
        metavar="NAME",
        help="a phase that must be there (may be repeated; of a release, by default, all up to live)",
    )
    one.add_argument("--target", metavar="NAME", help="what it must be of (default: what it says)")
    one.add_argument("--release", metavar="VERSION", help="default: that of runbook.toml")
    one.add_argument("--commit", metavar="SHA", help="the commit, of NOX or of the gate, that it must be of")
    one.add_argument("--image", metavar="DIGEST", help="the digest of the image that it must be of")
    one.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="FILE",
        help="a public key to believe instead of the profile's signers (may be repeated)",
    )
    one.add_argument(
        "--within",
        type=float,
        metavar="HOURS",
        help="how old it may be (default: evidence_hours of the profile, else 24)",
    )
    one.add_argument("--at", metavar="TIME", help="as of then (default: now)")
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=verify_asked, root=root)
