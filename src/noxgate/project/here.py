"""The project that a command was called in."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from noxgate.project.runbook import Runbook, read_runbook


@dataclass(frozen=True)
class Project:
    """Its folder, its runbook, and where its evidence is."""

    root: Path
    runbook: Runbook
    reports: Path

    @classmethod
    def of(cls, given: argparse.Namespace) -> "Project":
        """The project around the working folder; `given.root` finds it."""
        root: Path = given.root()
        return cls(root, read_runbook(root / "runbook.toml"), root / given.reports)
