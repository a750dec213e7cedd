"""One run of a checkpoint's checks, in a pytest of its own, and what to record of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from noxgate.errors import Exit
from noxgate.look.observation import few
from noxgate.project.here import Project
from noxgate.run import results_file
from noxgate.run.pytest_program import run_pytest
from noxgate.run.results import Results
from noxgate.run.verdict import Outcome

SHOWN = 5  # lines that a record names; the run's own evidence has them all


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: one line, and what the record keeps."""

    status: Exit
    seen: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def look(
    project: Project,
    profile: str,
    checkpoint: str,
    clock: datetime | None,
    reports: Path,
    *,
    unrecorded: bool = False,
) -> RunEnd | None:
    """Run a checkpoint's checks; None if there was no verdict."""
    words = ["-m", "window", f"--checkpoint={checkpoint}", "-q"]
    words += [f"--target={profile}", f"--reports={reports}"]
    words += [] if clock is None else [f"--clock={clock.isoformat()}"]
    words += ["--unrecorded"] if unrecorded else []
    ended = run_pytest(project.root, words)
    if ended.folder is None:
        return None
    try:
        content = (ended.folder / results_file.NAME).read_bytes()
        results = results_file.of_bytes(content)
    except (OSError, results_file.ResultsError):
        return None
    if (results.verdict, results.verdict.exit) != (ended.verdict, ended.status):
        return None
    return _finding(results, ended.folder.name, hashlib.sha256(content).hexdigest())


def _finding(results: Results, run: str, digest: str) -> RunEnd:
    """What a record keeps of a run: its verdict, what was not passed, and the digest that names its bytes."""
    red = [f"{line.id} {line.outcome}" for line in results.lines if line.outcome is not Outcome.PASSED]
    counted = f"{len(results.lines) - len(red)} of {len(results.lines)} lines passed"
    shown = f"; {', '.join(few(red, SHOWN, 'its results.json names them'))}" if red else ""
    data = {"verdict": str(results.verdict), "run": run, "results_sha256": digest, "red": red}
    return RunEnd(results.verdict.exit, f"{results.verdict}, {counted}{shown}", data)
