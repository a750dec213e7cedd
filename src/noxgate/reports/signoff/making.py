"""Makes the page of a release, and SIGN-OFF.md: both are written, or neither."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from noxgate.errors import NoxgateError, ProfileError
from noxgate.look.secret import Scrubber
from noxgate.project.checks import public_text
from noxgate.project.here import Project
from noxgate.project.profile import PEERS, REHEARSALS, read_document, read_target
from noxgate.project.which.called import called
from noxgate.reports.signoff.asked import Asked
from noxgate.reports.signoff.gather import gather
from noxgate.reports.signoff.markdown import markdown
from noxgate.reports.signoff.model import SignOff
from noxgate.reports.signoff.page import html
from noxgate.trust.keys import Trust, read_trust
from noxgate.trust.runs import runs_of
from noxgate.trust.signing import SigningError

# a rehearsal's page has another name: it can neither replace a real one nor be taken for it
NAMES = {False: ("sign-off.html", "SIGN-OFF.md"), True: ("sign-off-rehearsal.html", "SIGN-OFF-REHEARSAL.md")}


class SignOffError(NoxgateError):
    """What no page can be made of: one line."""


ERRORS = (SignOffError, ProfileError, SigningError)


def make(
    project: Project, release: str, target: str | None, now: datetime, head: str | None = None
) -> tuple[SignOff, Path]:
    """Gather and write; returns the contents and where the page is. `head`: the last record that is known."""
    asked = replace(_asked(project, release, target, now), head=head)
    folder = project.reports / release
    there = folder / NAMES[asked.rehearsal][0]
    if asked.rehearsal and not asked.trusts and there.exists():
        raise SignOffError(
            f"{there.name} is kept as it is: the rehearsal has ended and its keys went with it, so "
            "that no run can be believed now. For a new page: noxgate rehearse run"
        )
    page = gather(asked)
    texts = (html(page), markdown(page))
    profiles = [trust.path for trust in asked.trusts.values()]
    scrubber = Scrubber(_secrets(asked), public_text(asked.root, asked.runbook, *profiles))
    for name, text in zip(NAMES[page.rehearsal], texts, strict=True):
        if leaked := scrubber.gives_away(text):
            raise SignOffError(f"{name} would show {leaked}: not written; the run that says it has to go")
    _write(folder, dict(zip(NAMES[page.rehearsal], texts, strict=True)))
    return page, there


def _asked(project: Project, release: str, target: str | None, now: datetime) -> Asked:
    """A target and its peer; without one, every real target that has runs of this release."""
    place = project.reports / release
    runs = runs_of(place)
    trusts: dict[str, Trust] = {}
    addresses: dict[str, str] = {}
    unknown: dict[str, str] = {}
    serving: dict[str, str] = {}
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
        path, document = read_document(project.root, name)
        for phase in document.get("serves", []):
            serving.setdefault(str(phase), called(project.root, path))
        if rehearsal:
            addresses[trust.target] = str(document.get("base_url"))
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
        serving=serving,
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
    """Write all of the files, or leave all as they were."""
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
