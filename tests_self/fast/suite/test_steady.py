"""`make steady`: its busy loops always end, its rounds are bounded, and only good ones count."""

import importlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from noxgate.look.waiting import eventually

ROOT = Path(__file__).parents[3]
WAITS = (sys.executable, "-c", "import signal; signal.pause()")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, as a module."""
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.steady")


def test_busy_loops_are_busy_and_end(steady: Any) -> None:
    """Also where what they run beside goes wrong."""
    pids: list[int] = []

    def fail() -> None:
        with steady.busy(2) as running:
            pids.extend(running)
            eventually(lambda: expect_busy(running), within=60, every=0.1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(pids) == 2
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_busy_loops_end_with_who_started_them(number: signal.Signals) -> None:
    """Ctrl-C, a polite end, and SIGKILL, which cannot be caught; the round that is under way ends, too."""
    script = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
sys.path.append("")
from benchmarks import steady
steady.REHEARSAL = {WAITS!r}
steady.lifecycle.find = lambda: None
raise SystemExit(steady.main(["--rehearsals", "1", "--tests", "0", "--loops", "1"]))
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        started = psutil.Process(process.pid)
        try:
            eventually(lambda: expect_children(started, 2), within=60, every=0.1)
            loop, waiting = sorted(started.children(), key=lambda one: "getppid" not in str(one.cmdline()))
            process.send_signal(number)
            said, _ = process.communicate(timeout=60)
            eventually(lambda: expect_gone(loop), within=60, every=0.05)
            if number is signal.SIGKILL:  # then its round is left to the rehearsal's own leash
                waiting.kill()
            else:
                eventually(lambda: expect_gone(waiting), within=60, every=0.05)
                assert said.splitlines()[-1] == "interrupted: the rounds so far"
                assert process.returncode == 1
        finally:
            process.kill()


def test_round_that_takes_too_long_is_ended(steady: Any, tmp_path: Path) -> None:
    said = tmp_path / "said"

    status, seconds = steady.run("rehearsal", WAITS, said, within=0.5)

    assert status is None
    assert seconds < 30
    assert said.read_text().strip() == "ERROR rehearsal: ended after 0.5 s"


def test_rows_and_summary(
    steady: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a round said of itself that matters stands below its row."""
    words = "[ 9.0 s] undecided: late: run again (2 of 3)\\nall is well\\nINCONCLUSIVE (rehearsal)  staging"
    monkeypatch.setattr(steady, "REHEARSAL", (sys.executable, "-c", f"print('{words}'); raise SystemExit(2)"))
    monkeypatch.setattr(steady, "TESTS", (sys.executable, "-c", "print('1 passed')"))
    monkeypatch.setattr(steady.lifecycle, "find", lambda: None)
    monkeypatch.setattr(steady.tempfile, "mkdtemp", lambda **_: str(tmp_path))

    assert steady.main(["--rehearsals", "1", "--tests", "1", "--loops", "0"]) == 1
    _, head, first, tried, verdict, second, *summary = capfd.readouterr().out.splitlines()
    assert head.split() == ["round", "what", "verdict", "seconds"]
    assert first.split()[:3] == ["1", "rehearsal", "INCONCLUSIVE"]
    assert (tried.split()[-3:], verdict.split()[0]) == (["(2", "of", "3)"], "INCONCLUSIVE")
    assert second.split()[:4] == ["2", "make", "test", "passed"]
    assert [line.partition(", in")[0] for line in summary] == [
        "rehearsal: 0 of 1 ended well",
        "make test: 1 of 1 ended well",
    ]


def test_rounds_that_are_missing_are_no_success(steady: Any, tmp_path: Path) -> None:
    good = steady.Round("rehearsal", "GO", 1.0, tmp_path)

    assert steady.summary([good, good], 2) == 0
    assert steady.summary([good], 2) == 1
    assert steady.summary([], 1) == 1


def expect_busy(pids: list[int]) -> None:
    used = [psutil.Process(pid).cpu_times().user for pid in pids]
    assert min(used) > 0.2, used


def expect_children(process: psutil.Process, number: int) -> None:
    assert len(process.children()) == number


def expect_gone(process: psutil.Process) -> None:
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
