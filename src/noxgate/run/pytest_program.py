"""pytest as a program of its own: how it ended, and what the run said of itself at its end."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

SAID = "NOXGATE_VERDICT"  # the file in which a run says its verdict and its folder
LAST_WORD = "NOXGATE_LAST_WORD"  # set: whoever called pytest says itself what to do next


@dataclass(frozen=True)
class RunEnded:
    """A run's exit status and what it said; nothing if it died before. `output` where it was kept."""

    status: int
    verdict: str = ""
    folder: Path | None = None
    output: str = ""


def run_pytest(
    root: Path,
    words: Sequence[str],
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    kept: bool = False,
) -> RunEnded:
    """Run pytest in the project; `kept` is what it prints, in place of printing it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "verdict"
        variables = {**os.environ, **environment, SAID: str(file)}
        variables.pop("PYTHONOPTIMIZE", None)  # checks are made of asserts
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=root,
            env=variables,
            stdout=subprocess.PIPE if kept else None,
            stderr=subprocess.STDOUT if kept else None,
            text=True,
            errors="replace",
            check=False,
        )
        return RunEnded(done.returncode, *_said(file), done.stdout or "")


def say(verdict: str, folder: Path | None) -> None:
    """Said by a run to whoever called it: an exit status alone is not believed."""
    if file := os.environ.get(SAID):
        Path(file).write_bytes(verdict.encode() + b"\n" + (os.fsencode(folder) if folder else b""))


def _said(file: Path) -> tuple[str, Path | None]:
    try:
        verdict, _, folder = file.read_bytes().partition(b"\n")
    except OSError:
        return "", None
    return verdict.decode("utf-8", "replace"), Path(os.fsdecode(folder)) if folder else None
