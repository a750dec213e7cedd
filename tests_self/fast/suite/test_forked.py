"""The stand-in of Python ends, says and takes signals as the real one does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from noxgate.look.waiting import eventually

WAIT = "import sys, threading; print('there', flush=True); threading.Event().wait(600)"


def run(program: str, *words: str, **variables: str) -> tuple[int, str, str]:
    """Exit status, and what was printed; of an error its last line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, check=False, env=environment | variables
    )
    return done.returncode, done.stdout, "".join(done.stderr.splitlines()[-1:])


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "import sys; print(sys.argv, sys.path[0]); print('told', file=sys.stderr)", "one", "two"),
        ("-c", "raise SystemExit(3)"),
        ("-c", "raise SystemExit('no')"),
        ("-c", "import os; os._exit(5)"),
        ("-c", "import os; os.kill(os.getpid(), 9)"),
        ("-c", "raise KeyboardInterrupt"),
        ("-c", "1 / 0"),
        ("-c", "import os, sys; print(os.getcwd(), os.environ['A'], sys.flags.optimize)"),
        ("-m", "noxgate.cli", "gate", "--bogus"),
        ("--version",),
    ],
)
def test_as_the_real_one(words: tuple[str, ...], interpreter: str) -> None:
    """Status, output, working folder and environment."""
    assert run(interpreter, *words, A="b") == run(sys.executable, *words, A="b")


def test_what_changes_python_itself_is_left_to_it(interpreter: str, tmp_path: Path) -> None:
    """A forked process could not follow: python -O, or another checkout's modules."""
    (tmp_path / "noxgate").mkdir()
    (tmp_path / "noxgate" / "__init__.py").write_text("HERE = 'another'")

    assert run(interpreter, "-c", "import sys; print(sys.flags.optimize)", PYTHONOPTIMIZE="1")[1] == "1\n"
    other = run(interpreter, "-c", "import noxgate; print(noxgate.HERE)", PYTHONPATH=str(tmp_path))
    assert other[1] == "another\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_reach_it(number: signal.Signals, interpreter: str) -> None:
    """Also one that the process standing for it cannot pass on; it does not outlive that one."""
    with subprocess.Popen(
        [interpreter, "-c", f"import os; print(os.getpid()); {WAIT}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "there\n"
        process.send_signal(number)
        assert process.stdout.read() == ""  # its end is the end of its output, too

    assert process.returncode == -number
    eventually(lambda: is_gone(pid), within=60, every=0.02)


def is_gone(pid: int) -> None:
    assert not Path(f"/proc/{pid}").exists()
