"""One rehearsal for the whole test session (one for each xdist worker), and a way to run the gate on it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from noxgate.rehearsal import world as worlds
from noxgate.rehearsal.state import World


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """PostgreSQL, Redis, nginx and the NOX API on loopback."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with worlds.running(f"test-{worker}", say=lambda _: None) as world:
        yield world


@dataclass(frozen=True)
class Run:
    """One run of the gate: exit status, what it printed, and its folder (None where it made none)."""

    status: int
    output: str
    folder: Path | None


Gate = Callable[..., Run]


@pytest.fixture
def gate(world: World, pytestconfig: pytest.Config, tmp_path: Path) -> Gate:
    """Run a phase's checks on the rehearsal in a pytest of their own."""

    def run(*arguments: str, markers: str = "staging", profile: Path | None = None) -> Run:
        command = [sys.executable, "-m", "pytest", "-m", markers, f"--target={profile or world.profile}"]
        command += [f"--reports={tmp_path}", "-q", *arguments]
        done = subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, check=False)
        folders = sorted(tmp_path.glob("*/*/results.json"), key=lambda path: path.stat().st_mtime_ns)
        return Run(done.returncode, done.stdout + done.stderr, folders[-1].parent if folders else None)

    return run
