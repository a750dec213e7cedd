"""The command `noxgate signoff`, and the same for a rehearsal that has played its day."""

import argparse
import os
import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from noxgate.evidence.project import Project
from noxgate.evidence.runs import runs_of
from noxgate.evidence.signing import SigningError
from noxgate.evidence.trust import Trust, read_trust
from noxgate.profile import PEERS, REHEARSALS, read_document, read_target
from noxgate.secret import Scrubber
from noxgate.signoff.asked import Asked
from noxgate.signoff.gather import gather
from noxgate.signoff.markdown import markdown
from noxgate.signoff.model import SignOff, Status
from noxgate.signoff.page import html
from noxgate.target import ProfileError

LISTED = 12  # lines in the terminal; the page has them all
# a rehearsal's page has another name: it can neither replace a real one nor be taken for it
NAMES = {False: ("sign-off.html", "SIGN-OFF.md"), True: ("sign-off-rehearsal.html", "SIGN-OFF-REHEARSAL.md")}


class SignOffError(Exception):
    """What no page can be made of: one line."""


ERRORS = (SignOffError, ProfileError, SigningError)


def signoff(given: argparse.Namespace) -> int:
    """Write the page of a release and say where it is; the exit status is that of the verdict."""
    project = Project.of(given)
    release = given.release or project.runbook.release.version
    if not re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", release):
        raise SignOffError(f"--release: expected such as 8.0.0, saw {release!r}")
    now = _time(given.at) if given.at else datetime.now(UTC)
    page, path = make(project, release, given.target, now)
    held = page.held_lines()
    print(f"{page.headline}  release {release}: {page.status}")
    for phase in page.unbelieved():
        print(f"{phase.phase.name:<12}{phase.against()}"[:200])
    for shown in held[:LISTED]:
        print(f"{shown.outcome:<12}{shown.line.id:<38} {shown.reason}"[:200])
    if len(held) > LISTED:
        print(f"{'':<12}and {len(held) - LISTED} more lines")
    for problem in page.problems:
        print(f"{'runs':<12}{problem}"[:300])
    print(f"the page to open: {os.path.relpath(path)}")
    if page.status is Status.ROLLED_BACK:
        return 1
    return page.verdict.exit_code if page.status.good else max(1, page.verdict.exit_code)


def make(project: Project, release: str, target: str | None, now: datetime) -> tuple[SignOff, Path]:
    """Gather and write; returns the contents and where the page is."""
    asked = _asked(project, release, target, now)
    page = gather(asked)
    texts = (html(page), markdown(page))
    scrubber = Scrubber(_secrets(asked))
    for name, text in zip(NAMES[page.rehearsal], texts, strict=True):
        if leaked := scrubber.find(text):
            raise SignOffError(f"{name} would show ${leaked}: not written; the run that says it has to go")
    folder = project.reports / release
    _write(folder, dict(zip(NAMES[page.rehearsal], texts, strict=True)))
    return page, folder / NAMES[page.rehearsal][0]


def _asked(project: Project, release: str, target: str | None, now: datetime) -> Asked:
    """A target and its peer; without one, every real target that has runs of this release."""
    place = project.reports / release
    runs = runs_of(place)
    trusts: dict[str, Trust] = {}
    addresses: dict[str, str] = {}
    unknown: dict[str, str] = {}
    rehearsal = target is not None and Path(target).stem in REHEARSALS
    if target is None:
        names = {run.target for run in runs if not run.rehearsal}
        if not names:
            hint = "; for a rehearsal's page: --target rehearsal" if runs else ""
            raise SignOffError(f"no run of a real target in {place}: run the phases of the day first{hint}")
    else:
        try:
            names = set(_with_peers(project.root, target))
        except ProfileError:
            if not rehearsal:
                raise
            names = set()  # it has ended, and its keys went with it: its runs are shown, and not believed
    for name in names:
        try:
            trust = read_trust(project.root, name)
        except ProfileError as error:
            if target is not None:
                raise
            unknown[name] = str(error)  # its runs are shown, and not believed
            continue
        trusts[trust.target] = trust
        if rehearsal:
            addresses[trust.target] = str(read_document(project.root, name)[1].get("base_url"))
    targets = None if target is None or not names else sorted(trusts)
    return Asked(
        root=project.root,
        runbook=project.runbook,
        reports=project.reports,
        release=release,
        rehearsal=rehearsal,
        trusts=trusts,
        now=now,
        targets=targets,
        addresses=addresses,
        unknown=unknown,
    )


def _with_peers(root: Path, name: str) -> Iterable[str]:
    """A profile and the peers that it names."""
    path, document = read_document(root, name)
    yield name
    for key in PEERS:
        if peer := document.get(key):
            yield str(path.parent / peer) if peer.endswith(".toml") else peer


def _secrets(asked: Asked) -> list[Any]:
    """What the page must not show, as far as this machine knows it; runs were swept when they were made."""
    phases = [phase.name for phase in asked.runbook.phases.values() if phase.folder]
    found = []
    for trust in asked.trusts.values():
        try:
            found += read_target(asked.root, str(trust.path), phases).secrets()
        except ProfileError:
            continue
    return found


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write all of the files, or none of them."""
    drafts = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-", delete=False) as file:
                drafts.append((Path(file.name), folder / name))
                file.write(text.encode())
                os.fchmod(file.fileno(), 0o644)
        for draft, final in drafts:
            draft.replace(final)
    except OSError as error:
        raise SignOffError(f"{error.filename or folder}: {error.strerror}") from None
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SignOffError(f"--at: expected a time such as 2026-01-31T14:00Z, saw {text!r}")
    return moment
