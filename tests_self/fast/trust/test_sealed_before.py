"""A run that was sealed by schema 1, before anything was moved: it is still read, and verified."""

import shutil
from pathlib import Path

import pytest

from noxgate.cli.main import main

BEFORE = Path(__file__).parents[2] / "sealed" / "schema-1"
MADE = "2026-12-01T02:00Z"  # within its 24 hours


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project that sealed it: runbook, profile, public key and reports."""
    root = tmp_path / "release"
    shutil.copytree(BEFORE, root)
    monkeypatch.chdir(root)
    return root


def test_verified(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that it said then."""
    (run,) = release.glob("reports/8.0.0/2*")

    status = main(["verify", "8.0.0", "--phase", "staging", "--at", MADE])

    said = capsys.readouterr().out.splitlines()
    assert status == 0, said
    assert said[0].startswith(f"verified  {run.name}: GO  staging on https://localhost:9, signed by ada.pub")
    assert said[1].startswith(f"note      {run.name}: is of schema 1: nothing proves that checks and profile")
    assert said[-1] == "VERIFIED  release 8.0.0"


def test_refused_once_changed(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One byte of what a check saw."""
    (results,) = release.glob("reports/8.0.0/2*/results.json")
    results.write_text(results.read_text().replace("localhost", "localhost."))

    assert main(["verify", "8.0.0", "--phase", "staging", "--at", MADE]) == 1
    assert "REFUSED  release 8.0.0" in capsys.readouterr().out
