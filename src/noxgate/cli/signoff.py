"""The command `noxgate signoff`."""

import argparse
import os
import re
from datetime import UTC, datetime

from noxgate.cli.arguments.moment import read_moment
from noxgate.errors import Exit
from noxgate.look.observation import cut
from noxgate.project.here import Project
from noxgate.reports.signoff.making import ERRORS, SignOffError, make
from noxgate.reports.signoff.model import Status

__all__ = ["ERRORS", "signoff"]

LISTED = 12  # lines in the terminal; the page has them all


def signoff(given: argparse.Namespace) -> int:
    """Write the page of a release and say where it is; the exit status is that of the verdict."""
    project = Project.of(given)
    release = given.release or project.runbook.release.version
    if not re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", release):
        raise SignOffError(f"--release: expected such as 8.0.0, saw {release!r}")
    now = read_moment("--at", given.at) if given.at else datetime.now(UTC)
    page, path = make(project, release, given.target, now, given.head)
    held = page.held_lines()
    print(f"{page.headline}  release {release}: {page.status}")
    for phase in page.unbelieved():
        print(f"{phase.phase.name:<12}{cut(phase.against(), 188)}")
    for shown in held[:LISTED]:
        head = f"{shown.outcome:<12}{shown.line.id:<38} "
        print(head + cut(shown.reason, 200 - len(head)))
    if len(held) > LISTED:
        print(f"{'':<12}and {len(held) - LISTED} more lines: the page has them")
    for problem in page.problems:
        print(f"{'runs':<12}{cut(problem, 288)}")
    print(f"the page to open: {os.path.relpath(path)}")
    if page.status is Status.ROLLED_BACK:
        return Exit.NO_GO
    return page.verdict.exit if page.status.good else max(Exit.NO_GO, page.verdict.exit)
