"""A bar for each phase on a terminal; pytest's plain lines everywhere else; the verdict is the same."""

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests_self.conftest import Project


def on_a_terminal(project: "Project", *options: str, **variables: str) -> tuple[int, str]:
    """Exit status, and all that a terminal of 100 columns was sent."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "100", **variables}
    command = [sys.executable, "-m", "pytest", "-m", "staging", "--target=staging", *options]
    with subprocess.Popen(
        command, cwd=project.path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        sent = b""
        try:
            while part := os.read(ours, 65536):
                sent += part
        except OSError:  # the other side is gone
            pass
        os.close(ours)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent.decode()).replace("\r", "\n")


def test_a_bar_on_a_terminal(project: "Project") -> None:
    """What is wrong is counted as it happens; no dots; failures and the verdict below as ever."""
    project.check("health", "print('printed by a check')\nassert 1 == 2")

    status, text = on_a_terminal(project)

    assert status == 1
    assert re.search(r"staging +━+.* 2/2", text)
    assert "1 failed" in text.partition("release verdict")[0]
    assert re.search(r"\nstaging +1 failed, 1 passed in \d+\.\d s\n", text)
    assert "printed by a check" not in text
    assert "Check     tests_staging/test_health.py::test_health" in text
    assert "NO-GO  staging, release 8.0.0 on staging: 1 failed, 1 passed" in text


@pytest.mark.parametrize(
    ("options", "variables"), [((), {"CI": "true"}), ((), {"TERM": "dumb"}), (("-v",), {}), (("-s",), {})]
)
def test_plain_lines_where_a_bar_would_not_do(
    project: "Project", options: tuple[str, ...], variables: dict[str, str]
) -> None:
    """In CI, on a terminal that cannot move its cursor, and where more was asked for."""
    status, text = on_a_terminal(project, *options, **variables)

    assert status == 0
    assert "━" not in text
    assert "tests_staging/test_health.py" in text
