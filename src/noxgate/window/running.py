"""One run of a checkpoint's checks, in a pytest of its own, and what to record of it."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from noxgate.look.documents import of_json
from noxgate.project.here import Project

GO, NO_GO, INCONCLUSIVE = 0, 1, 2
NOT_A_RUN = -1
SHOWN = 5  # lines that a record names; the run's own evidence has them all


@dataclass(frozen=True)
class Finding:
    """How a run ended: the gate's exit status, one line, and what the record keeps."""

    status: int
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
) -> Finding:
    """Run a checkpoint's checks; NOT_A_RUN where there was no verdict."""
    command = [sys.executable, "-m", "pytest", "-m", "window", f"--checkpoint={checkpoint}", "-q"]
    command += [f"--target={profile}", f"--reports={reports}"]
    command += [] if clock is None else [f"--clock={clock.isoformat()}"]
    command += ["--unrecorded"] if unrecorded else []
    release = project.root / reports / project.runbook.release.version
    before = set(release.glob("*/results.json"))
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "verdict"
        environment = os.environ | {"NOXGATE_VERDICT": str(said)}
        environment.pop("PYTHONOPTIMIZE", None)  # checks are made of asserts
        status = subprocess.run(command, cwd=project.root, env=environment, check=False).returncode
        new = [
            path for path in sorted(set(release.glob("*/results.json")) - before) if _is_of(path, checkpoint)
        ]
        if not said.exists() or not new or status not in {GO, NO_GO, INCONCLUSIVE}:
            return Finding(NOT_A_RUN)
    return found_in(new[-1], status)


def found_in(results: Path, status: int) -> Finding:
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
    return Finding(status, f"{document['verdict']}, {counted}{shown}", data)


def _is_of(results: Path, checkpoint: str) -> bool:
    """Whether it is this run: others of the release may end at the same time."""
    document = of_json(results.read_text(encoding="utf-8"))
    return bool(document["phases"] == ["window"] and document.get("checkpoint") == checkpoint)
