"""The command `noxgate gate`: pytest for one phase, and an exit status that is never a false GO."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noxgate.errors import ProfileError
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.project.which.rule import choose
from noxgate.reports import summary
from noxgate.run.verdict import Verdict

GO, NO_GO, INCONCLUSIVE, USAGE = 0, 1, 2, 4
GOES = {verdict.value for verdict in Verdict if verdict.exit_code == GO}
ERRORS = (RunbookError, OSError)


@dataclass(frozen=True)
class Said:
    """What the run said at its end; nothing where it died before."""

    verdict: str = ""
    folder: Path | None = None


def gate(given: argparse.Namespace) -> int:
    """Run pytest for one phase; whatever it ends with that is no verdict is INCONCLUSIVE."""
    root: Path = given.root()
    try:
        choose(root, given.target)  # as pytest does, which says on its first line what named it
    except ProfileError as error:
        return _usage(given, str(error))
    command = [sys.executable, "-m", "pytest", "-m", given.phase, *given.pytest]
    if given.target:
        # in one word: pytest would take a path that stands alone for a place to find its rootdir
        command.append(f"--target={given.target}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verdict"
        environment = os.environ | {"NOXGATE_VERDICT": str(file)}
        environment.pop("PYTHONOPTIMIZE", None)  # checks are made of asserts
        status = subprocess.run(command, cwd=root, env=environment, check=False).returncode
        said = _said(file)
    if status not in {GO, NO_GO, INCONCLUSIVE, USAGE}:
        status = INCONCLUSIVE
    # a process that ended itself has given no verdict, and a word without its evidence is anybody's
    kept = (_results(said.folder) or {}).get("verdict")
    if status == GO and (said.verdict not in GOES or kept != said.verdict):
        print("noxgate: pytest ended without a verdict, or without its evidence", file=sys.stderr)
        status = INCONCLUSIVE
    _tell(given, root, status, said)
    return status


def _tell(given: argparse.Namespace, root: Path, status: int, said: Said) -> None:
    """Where everything is, and what to do next, as the last words; and the summary, if one is asked for."""
    results = _results(said.folder)
    if said.folder is None or results is None:
        word = "wrong usage" if status == USAGE else "INCONCLUSIVE"
        _summarize(given, summary.of_words(word, [f"the run left no evidence: exit status {status}"]))
        return
    runbook = read_runbook(root / "runbook.toml")
    print(*summary.places(said.folder, os.path.relpath(said.folder)), sep="\n")
    if status == NO_GO and (step := summary.first_next(results, runbook)):
        print(step)
    _summarize(given, summary.of_run(results, said.folder, runbook))


def _usage(given: argparse.Namespace, message: str) -> int:
    print(f"noxgate gate: {message}", file=sys.stderr)
    _summarize(given, summary.of_words("wrong usage", [message]))
    return USAGE


def _summarize(given: argparse.Namespace, text: str) -> None:
    if given.summary:
        with Path(given.summary).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


def _said(file: Path) -> Said:
    try:
        verdict, _, folder = file.read_bytes().partition(b"\n")
    except OSError:
        return Said()
    return Said(verdict.decode("utf-8", "replace"), Path(os.fsdecode(folder)) if folder else None)


def _results(folder: Path | None) -> Mapping[str, Any] | None:
    try:
        results = json.loads((folder / "results.json").read_bytes()) if folder else None
    except (OSError, ValueError):
        return None
    return results if isinstance(results, dict) else None
