"""A part that is Python: forked from the supervisor, which has imported what all of them need, once.

Starting an interpreter with these imports costs a second of CPU, and a rehearsal has a dozen such parts.
"""

import ctypes
import gc
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

TITLE = "noxgate-part"  # its name in /proc; its command line and first environment are the supervisor's
_SET_DEATH_SIGNAL, _SET_NAME = 1, 15  # PR_SET_PDEATHSIG, PR_SET_NAME
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Module:
    """A module whose `main(arguments)` is the part; it returns the exit status, or None for 0."""

    name: str
    arguments: tuple[str, ...] = ()

    def __call__(self) -> int | None:
        sys.argv = [self.name, *self.arguments]
        status: int | None = importlib.import_module(self.name).main(list(self.arguments))
        return status


class Forked:
    """A child that is one of these, as `subprocess.Popen` shows a process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        """Wait until it has ended; the exit status."""
        status = self._wait(0)
        assert status is not None
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """To the process alone, unless it was waited for."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _wait(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def die_with_parent(death: signal.Signals) -> Callable[[], None]:
    """What a child does before it becomes its program (after the change of user, which would undo it)."""
    parent = os.getpid()

    def before_exec() -> None:
        failed = _LIBC.prctl(_SET_DEATH_SIGNAL, int(death)) != 0
        if failed or os.getppid() != parent:  # the parent was killed in between
            os._exit(1)

    return before_exec


def preload(names: Iterable[str]) -> None:
    """Import what is to be forked; what lies in memory then is shared, and never collected in a child."""
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def fork(
    act: Callable[[], int | None],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: int,
    before: Callable[[], None],
) -> Forked:
    """Act in a session of its own, with output in the file `log`; `before` is called in the child first."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(act, folder, environment, log, before)
    return Forked(pid)


def _become(
    act: Callable[[], int | None],
    folder: Path,
    environment: Mapping[str, str],
    log: int,
    before: Callable[[], None],
) -> NoReturn:
    """Act, and end: nothing of the supervisor is left open, and nothing returns into its code."""
    status = 1
    try:
        os.setsid()  # Ctrl-C in the terminal is for the supervisor alone
        before()
        _take_default_signals()
        _take_files(log)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        _LIBC.prctl(_SET_NAME, TITLE.encode())
        status = act() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (the process ends here, with every error)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _take_default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _take_files(log: int) -> None:
    """Nothing to read, the log to write to; the supervisor's lock, sockets and pipes are closed."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", line_buffering=True, write_through=True)  # type: ignore[union-attr]
