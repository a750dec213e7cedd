"""Runs in which a check could not fail, or a secret would get out, are refused before anything runs."""

import sys
from typing import TYPE_CHECKING

import pytest

from noxgate.errors import Exit

if TYPE_CHECKING:
    from tests_self.conftest import Project


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--assert=plain"], "switch checks off"),
        (["--debug", "out.log"], "secrets too"),
        (["-p", "no:noxgate-ending"], "without it there is no verdict"),
        (["-p", "no:noxgate-scrubbing"], "without it there is no verdict"),
    ],
)
def test_option_is_refused(project: "Project", options: list[str], said: str) -> None:
    """One line, exit status 4, no folder."""
    result = project.gate(*options, apart=True)

    assert result.ret == 4
    assert said in result.stderr.str()
    assert [folder for folder in project.folders() if (folder / "results.json").exists()] == []


def test_optimized_python_is_refused(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Python -O drops the asserts that checks are made of."""
    project.check("version", "assert False")
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")

    result = project.gate(apart=True)

    assert result.ret == 4
    assert "switch checks off" in result.stderr.str()


@pytest.mark.parametrize("options", ["--collect-only", "-h", "--version", "--markers"])
def test_gate_believes_no_exit_status_alone(
    project: "Project", options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pytest exits 0 without having run anything."""
    monkeypatch.setenv("PYTEST_ADDOPTS", options)

    result = project.pytester.run(sys.executable, "-m", "noxgate.cli", "gate", "--target", "staging")

    assert result.ret == Exit.INCONCLUSIVE
