"""The command `noxgate report`: the Allure report of a release."""

import argparse
import os

from noxgate.errors import Exit
from noxgate.project.here import Project
from noxgate.reports import allure_report
from noxgate.trust.runs import runs_of

ERRORS = (allure_report.ReportError,)


def report(given: argparse.Namespace) -> int:
    """Build it from the runs of a release: of real targets if there are any, else of rehearsals."""
    project = Project.of(given)
    release = project.reports / (given.release or project.runbook.release.version)
    every = runs_of(release)
    runs = [run for run in every if not run.rehearsal] or every
    if not runs:
        raise allure_report.ReportError(f"no run in {os.path.relpath(release)}: noxgate gate makes one")
    allure = allure_report.install(project.root, project.root / ".venv" / "allure")
    page = allure_report.build(allure, release, runs, project.runbook.service.title)
    print(f"Allure report: {os.path.relpath(page)}")
    return Exit.DONE
