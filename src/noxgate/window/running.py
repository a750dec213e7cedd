"""One run of a checkpoint's checks, in a pytest of its own, and what to record of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from noxgate.errors import Exit
from noxgate.look.documents import of_json
from noxgate.project.here import Project
from noxgate.run.pytest_program import run_pytest
from noxgate.run.verdict import Verdict

SHOWN = 5  # lines that a record names; the run's own evidence has them all


@dataclass(frozen=True)
class Finding:
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
) -> Finding | None:
    """Run a checkpoint's checks; None where there was no verdict."""
    words = ["-m", "window", f"--checkpoint={checkpoint}", "-q"]
    words += [f"--target={profile}", f"--reports={reports}"]
    words += [] if clock is None else [f"--clock={clock.isoformat()}"]
    words += ["--unrecorded"] if unrecorded else []
    ended = run_pytest(project.root, words)
    if ended.folder is None:
        return None
    found = found_in(ended.folder / "results.json")
    return found if (found.data["verdict"], found.status) == (ended.verdict, ended.status) else None


def found_in(results: Path) -> Finding:
    """What a record keeps of a run: its verdict, what was not passed, and the digest that names its bytes."""
    content = results.read_bytes()
    document = of_json(content)
    lines = document["lines"]
    red = [f"{line['id']} {line['outcome']}" for line in lines if line["outcome"] != "passed"]
    counted = f"{len(lines) - len(red)} of {len(lines)} lines passed"
    shown = f"; {', '.join(red[:SHOWN])}" if red else ""
    data = {
        "verdict": document["verdict"],
        "run": results.parent.name,
        "results_sha256": hashlib.sha256(content).hexdigest(),
        "red": red,
    }
    return Finding(Verdict(document["verdict"]).exit, f"{document['verdict']}, {counted}{shown}", data)
