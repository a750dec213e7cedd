"""Commands that are printed name the target as it can be called, wherever its profile lies."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.commands import noxgate

from noxgate.project.profile import read_target
from noxgate.project.which.called import called
from noxgate.project.which.names import names_in, names_of

if TYPE_CHECKING:
    from tests_self.conftest import Project

OUTSIDE = ("own/dir/mystage.toml", "own dir/my stage.toml", "mystage.toml", "other/targets/mystage.toml")


def profile(project: "Project", place: str) -> Path:
    """A copy of staging's, there."""
    path = project.path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((project.path / "targets" / "staging.toml").read_text())
    return path


@pytest.mark.parametrize(
    "given", ["targets/mystage.toml", "./targets/mystage.toml", "other/../targets/mystage.toml"]
)
def test_in_targets_a_name_is_enough(project: "Project", given: str) -> None:
    profile(project, "targets/mystage.toml")
    (project.path / "other").mkdir()

    for path in (Path(given), project.path / given):
        assert called(project.path, path) == "mystage"
        assert names_in(project.path, str(path))["target"] == "mystage"


@pytest.mark.parametrize("place", OUTSIDE)
def test_elsewhere_it_is_the_path(project: "Project", place: str) -> None:
    """As one types it here, however it was given."""
    path = profile(project, place)

    for given in (place, str(path), os.path.relpath(path)):
        target = read_target(project.path, given, ["staging"])
        assert (target.name, target.called) == (path.stem, place)
        assert names_of(project.path, target)["target"] == place
        assert names_in(project.path, given)["target"] == place


def test_far_away_it_is_the_whole_path(project: "Project", tmp_path_factory: pytest.TempPathFactory) -> None:
    """One that begins with many .. runs in one folder alone."""
    path = tmp_path_factory.mktemp("far") / "mystage.toml"
    path.write_text((project.path / "targets" / "staging.toml").read_text())

    assert read_target(project.path, str(path), ["staging"]).called == str(path)


@pytest.mark.parametrize("command", ["pytest", "gate"])
@pytest.mark.parametrize("place", ["targets/mystage.toml", *OUTSIDE])
def test_the_next_command_of_a_run_runs(project: "Project", place: str, command: str) -> None:
    """What is printed is pasted, and looks at the same profile."""
    profile(project, place)
    project.check("version", "assert False")

    if command == "gate":
        rows = noxgate(project.path, "gate", "--phase", "staging", "--target", place).stdout.splitlines()
    else:
        rows = project.run("-m", "staging", f"--target={place}").outlines
    said = next(row for row in reversed(rows) if row.startswith("Next "))
    words = shlex.split(said.partition("then: ")[2])

    assert words[:3] == ["pytest", "-m", "staging"]
    again = project.run("-m", "staging", f"--target={words[-1]}")
    assert any(row.startswith("NO-GO  staging, release 8.0.0 on ") for row in again.outlines)


def test_a_phase_that_it_does_not_serve(project: "Project") -> None:
    profile(project, "own dir/my stage.toml")

    said = project.run("-m", "production", "--target=own dir/my stage.toml")

    assert "pytest -m staging --target='own dir/my stage.toml'" in said.stderr.str()
