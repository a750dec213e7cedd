"""What the gate's own machine does to a run, which is never charged to the release."""

from typing import TYPE_CHECKING

import pytest

from noxgate.errors import Exit

if TYPE_CHECKING:
    from tests_self.conftest import Project


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "import warnings\nwarnings.warn('of old', DeprecationWarning)",
            "Python warned on this machine: DeprecationWarning: of old",
        ),
        (
            "import errno\nraise OSError(errno.ENOSPC, 'No space left on device', 'dump')",
            "this machine has too little: OSError: [Errno 28] No space left on device: 'dump'",
        ),
        ("raise MemoryError", "this machine has too little: MemoryError"),
    ],
    ids=["warning", "room", "memory"],
)
def test_fault_of_the_gates_machine_is_no_failure(project: "Project", body: str, said: str) -> None:
    """Nothing is said of the target; pytest makes errors of warnings."""
    project.check("health", body)

    assert project.gate(apart=True).ret == Exit.INCONCLUSIVE
    assert project.outcomes() == {"version": "passed", "health": "unreachable"}
    (reason,) = [line["reason"] for line in project.results()["lines"] if line["outcome"] == "unreachable"]
    assert reason.startswith(said)


LEFT_OPEN = """
import socket

class Knot:
    pass

def leave(*_):
    knot = Knot()
    knot.itself, knot.socket = knot, socket.socket()
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize("hook", ["pytest_sessionfinish(session)", "pytest_unconfigure(config)"])
@pytest.mark.parametrize(("body", "verdict"), [("leave()", "GO"), ("leave()\nassert False", "NO_GO")])
def test_what_is_left_open_changes_no_outcome(
    project: "Project", body: str, verdict: str, hook: str, workers: tuple[str, ...]
) -> None:
    """By a library, in a check or at the end, where Python tells of it and pytest makes an error of that."""
    (project.path / "conftest.py").write_text(f"{LEFT_OPEN}\ndef {hook}:\n    leave()\n")
    project.check("health", body, top=LEFT_OPEN)

    result = project.gate(*workers, apart=True)

    assert result.ret == Exit[verdict]
    assert project.results()["verdict"] == verdict.replace("_", "-")
    assert "Traceback" not in result.stderr.str()


def test_what_is_left_open_between_two_checks_changes_no_outcome(project: "Project") -> None:
    """Found while no check runs, it is told to the next one."""
    hook = "import gc\n\ndef pytest_runtest_logfinish():\n    leave()\n    gc.collect()\n"
    (project.path / "conftest.py").write_text(f"{LEFT_OPEN}\n{hook}")

    result = project.gate(apart=True)

    assert result.ret == Exit.GO
    assert "ResourceWarning: unclosed <socket" in result.stdout.str()


def test_look_that_was_never_awaited_is_no_look(project: "Project") -> None:
    """Python tells of it in the same way as of what is left open."""
    project.check("health", "look()", top="async def look():\n    raise AssertionError\n")

    assert project.gate(apart=True).ret == Exit.INCONCLUSIVE
    assert project.outcomes() == {"version": "passed", "health": "unreachable"}


def test_exception_of_a_thread_is_a_failure(project: "Project") -> None:
    """It ended what the thread was there to look at."""
    body = "import threading\ndead = threading.Thread(target=lambda: [][0])\ndead.start()\ndead.join()"
    project.check("health", body)

    assert project.gate(apart=True).ret == Exit.NO_GO
    assert project.outcomes() == {"version": "passed", "health": "failed"}
