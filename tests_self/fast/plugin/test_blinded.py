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


RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    first, again = (runtestprotocol(item, nextitem=nextitem, log=False) for _ in range(2))
    for report in first:
        if report.failed:
            report.outcome = "rerun"
    for report in first + again:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


@pytest.mark.parametrize(
    ("bad", "verdict", "outcome"),
    [
        ("raise AssertionError('bad')", "NO-GO", "failed"),
        ("raise UnreachableError('away')", "INCONCLUSIVE", "unreachable"),
    ],
)
def test_check_that_passes_when_run_again_has_not_passed(
    project: "Project", bad: str, verdict: str, outcome: str
) -> None:
    """As pytest-rerunfailures 16.1 does it: to pytest, and in its exit status, all is well."""
    (project.path / "conftest.py").write_text(RERUNS)
    once = f"if not Path('once').exists():\n    Path('once').touch()\n    {bad}"
    project.check("health", once, top="from pathlib import Path\nfrom noxgate.errors import UnreachableError")

    result = project.gate()

    assert project.results()["verdict"] == verdict
    assert project.outcomes() == {"version": "passed", "health": outcome}
    assert result.ret == Exit[verdict.replace("-", "_")]
