"""Finding things: a line, a sabotage, a run and what it is worth, the version."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests_self.conftest import Project

pytestmark = pytest.mark.usefixtures("quick_start")
ROOT = Path(__file__).parents[3]


def noxgate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "noxgate.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("what", "ids", "others"),
    [
        ("rollback", ["rollback.version", "rollback.time"], ["staging.ready"]),
        ("staging.ready", ["staging.ready"], ["staging.health", "live.ready"]),
        ("RB-2.7", ["staging.ready"], ["staging.health"]),
        ("rb-2.7", ["staging.ready"], ["staging.health"]),
        ("live.log", ["live.log-errors"], ["live.ready"]),
    ],
)
def test_lines_that_are_meant(what: str, ids: list[str], others: list[str]) -> None:
    """A phase, a line or what it begins with, a reference; with the file of the check."""
    done = noxgate(ROOT, "checks", what)

    words = done.stdout.split()
    assert done.returncode == 0
    assert [one for one in ids if one not in words] == []
    assert [one for one in others if one in words] == []
    assert ".py:" in done.stdout


def test_line_that_is_not_there() -> None:
    done = noxgate(ROOT, "checks", "staging.helth")

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "noxgate: expected a phase, a line or a reference like RB-2.7, saw 'staging.helth'; "
        "did you mean 'staging.health'?\n"
    )


@pytest.mark.parametrize("what", ["staging.version:rc1", "rollback"])
def test_where_a_sabotage_is_defined(what: str) -> None:
    done = noxgate(ROOT, "rehearse", "sabotages", what)

    rows = done.stdout.splitlines()
    ids, places = rows[::2], rows[1::2]
    assert done.returncode == 0
    assert all(row.startswith(what) for row in ids)
    for row, place in zip(ids, places, strict=True):
        file, _, number = place.strip().partition(":")
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        assert "Sabotage(" in lines[int(number) - 1] or "(" in lines[int(number) - 1], row


def test_version() -> None:
    """Of the gate, and of the release whose runbook is here."""
    done = noxgate(ROOT, "--version")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("noxgate ")
    assert ", for the runbook of release 8.0.0" in done.stdout


def test_version_outside_a_project(tmp_path: Path) -> None:
    assert noxgate(tmp_path, "--version").stdout.endswith(", outside a project\n")


def test_runs_and_what_they_are_worth(project: "Project") -> None:
    """Newest first."""
    project.check("version", "pass")
    assert "expected one, made by pytest" in noxgate(project.path, "runs").stdout
    noxgate(project.path, "gate", "--target", "staging", "--phase", "staging")
    noxgate(project.path, "gate", "--target", "staging", "--phase", "staging", "--", "-k", "nothing")

    done = noxgate(project.path, "runs")

    rows = [row for row in done.stdout.splitlines() if row[:1].isdigit()]
    assert done.returncode == 0
    assert [row.split()[2] for row in rows] == ["INCONCLUSIVE", "GO"]
    assert rows[0].endswith("not sealed: noxgate seal FOLDER; narrowed: does not count for staging")
    assert rows[1].endswith("not sealed: noxgate seal FOLDER; speaks for staging")


def test_runs_of_one_target(project: "Project") -> None:
    """Another target's run speaks for the phase, too, until verify is told which is meant."""
    project.check("version", "pass")
    other = project.path / "targets" / "stage2.toml"
    other.write_bytes((project.path / "targets" / "staging.toml").read_bytes())
    for name in ("staging", "stage2"):
        noxgate(project.path, "gate", "--target", name, "--phase", "staging")

    both = noxgate(project.path, "runs").stdout
    one = noxgate(project.path, "runs", "--target", "staging").stdout

    assert "speaks for staging; so does one of stage2: noxgate verify wants --target" in both
    assert "speaks for staging; so does one of staging: noxgate verify wants --target" in both
    assert one.count(" GO ") == 1
    assert "stage2" not in one
    assert "no run of nowhere in" in noxgate(project.path, "runs", "--target", "nowhere").stdout


def test_run_that_cannot_be_read(project: "Project") -> None:
    project.check("version", "pass")
    noxgate(project.path, "gate", "--target", "staging", "--phase", "staging")
    (results,) = (project.path / "reports").glob("*/*/results.json")
    results.write_text("{}", encoding="utf-8")

    assert f"{results.parent.name}: cannot be read: results.json: " in noxgate(project.path, "runs").stdout
