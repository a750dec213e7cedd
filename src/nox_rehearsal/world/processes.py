"""Starting and ending the parts of a rehearsal, so that none outlives the process that started it."""

import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nox_rehearsal.error import PortTakenError, RehearsalError
from nox_rehearsal.world import leftovers
from nox_rehearsal.world.forks import Forked, Module, die_with_parent, fork
from noxgate.look.waiting import eventually

STARTING = 60.0  # seconds that a part has to serve; a busy machine's
WORKING = 60.0  # seconds that a program has until its end; a busy machine's
ENDING = 4.0  # seconds that a part has to end before it is killed
LAST_LINES = 4  # of a log, in the message about a part that did not start


Process = subprocess.Popen[bytes] | Forked


@dataclass(frozen=True)
class Part:
    """One process of the rehearsal: how to start it, when it serves, how to end it.

    `death` is the signal that the kernel sends it if the supervisor is killed: one that also ends the
    processes that the part itself has started.
    """

    name: str
    address: str
    command: tuple[str, ...] | Module
    folder: Path
    serves: Callable[[], None]  # raises AssertionError until it does
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: pwd.struct_passwd | None = None
    stop: signal.Signals = signal.SIGTERM
    death: signal.Signals = signal.SIGKILL


class Crew:
    """The running parts, by name, in the order in which they were started.

    Only for a process with one thread: the kernel's death signal follows the thread that started a child.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, Part] = {}
        self._planned: dict[str, Part] = {}
        self._processes: dict[str, Process] = {}
        self._starts: dict[str, int] = {}
        self._exits: dict[str, int] = {}
        self._begun: dict[str, Forked] = {}
        for name in ("log", leftovers.HOME):
            (folder / name).mkdir()
        (folder / leftovers.HOME).chmod(0o1777)  # shared by servers that run as different users

    def plan(self, part: Part) -> None:
        """Know a part that is to be started later, by its name."""
        self._planned[part.name] = part

    def launch(self, part: Part) -> None:
        """Start a part without waiting until it serves."""
        self._bury(part.name)
        self._parts[part.name] = part
        self._processes[part.name] = self._spawn(part)
        self._starts[part.name] = self._starts.get(part.name, 0) + 1
        self._publish()

    def wait_for(self, *names: str) -> None:
        """Wait until these parts serve; RehearsalError, with the end of its log, if one cannot."""
        for name in names:
            self._wait_for(self._parts[name])

    def run(self, part: Part) -> None:
        """Run a program to its end, which must be a good one."""
        if self._see_through(part.name, self._spawn(part)) != 0:
            raise RehearsalError(f"{part.name} failed: {self._last_lines(part.name)}")

    def begin(self, name: str, act: Callable[[], None]) -> None:
        """Do something that takes a while in a process of its own, such as filling a database."""

        def told() -> int:
            try:
                act()
            except RehearsalError as error:
                print(error)  # noqa: T201 (into its log)
                return 1
            return 0

        with self._log(name).open("ab") as log:
            self._begun[name] = self._fork(told, self._folder, {}, log.fileno(), signal.SIGKILL)

    def finish(self, name: str) -> None:
        """Wait until what was begun is done; RehearsalError with its last words where it failed."""
        if self._see_through(name, self._begun.pop(name)) != 0:
            raise RehearsalError(self._last_lines(name))

    def start(self, *names: str) -> None:
        """Start parts that were stopped, have died or are planned, and wait until they serve."""
        parts = [self._known(name) for name in names]
        late = [part for part in parts if not self.is_running(part.name)]
        for part in late:
            self.launch(part)
        self.wait_for(*(part.name for part in late))

    def stop(self, *names: str) -> None:
        """End parts and what they started, one after the other."""
        for name in names:
            part = self._known(name)
            process = self._processes.pop(name, None)
            if process is not None:
                self._exits[name] = _end(process, part)
                self._publish()

    def stop_all(self) -> None:
        """End everything, last started first: the servers that the others need go last."""
        for begun in self._begun.values():
            _kill(begun)
        for name, process in self._processes.items():
            if isinstance(process, Forked):  # they take a moment each, and none needs another to end
                process.send_signal(self._parts[name].stop)
        for name in reversed(list(self._processes)):
            self.stop(name)

    def reap(self) -> None:
        """Bury the parts that died, with what they left running."""
        for name in list(self._processes):
            if self._bury(name):
                self._publish()

    def is_running(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.returncode is None and leftovers.look(process.pid) is not None

    def pids(self) -> dict[str, int]:
        """Part -> pid, of the parts that were started and not stopped."""
        return {name: process.pid for name, process in self._processes.items()}

    def parts(self) -> list[Part]:
        """Those that were started once."""
        return list(self._parts.values())

    def _bury(self, name: str) -> bool:
        """End what is left of a part that died; whether it had."""
        process = self._processes.get(name)
        if process is None or process.returncode is not None or self.is_running(name):
            return False
        self._exits[name] = _end(process, self._parts[name])
        return True

    def _publish(self) -> None:
        """Say which process each part is now, and how its last one ended, for those who show it to others."""
        found = {}
        for name, starts in self._starts.items():
            process = self._processes.get(name)
            if process is not None and process.returncode is not None:
                self._exits[name] = process.returncode
            pid = process.pid if process is not None and process.returncode is None else None
            found[name] = {"pid": pid, "starts": starts, "exit": self._exits.get(name)}
        draft = self._folder / "processes.draft"
        draft.write_text(json.dumps(found), encoding="utf-8")
        draft.replace(self._folder / "processes.json")

    def _known(self, name: str) -> Part:
        known = self._parts | self._planned
        if name not in known:
            raise RehearsalError(f"no part {name!r} (parts: {', '.join(known)})")
        return known[name]

    def _spawn(self, part: Part) -> Process:
        owner = part.user
        with self._log(part.name).open("ab") as log:
            if isinstance(part.command, Module):
                return self._fork(part.command, part.folder, part.environment, log.fileno(), part.death)
            try:
                return subprocess.Popen(
                    part.command,
                    cwd=part.folder,
                    env={**self._environment(), **part.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
                    user=None if owner is None else owner.pw_uid,
                    group=None if owner is None else owner.pw_gid,
                    extra_groups=None if owner is None else [],
                    preexec_fn=die_with_parent(part.death),  # noqa: PLW1509 (the supervisor has one thread)
                )
            except OSError as error:
                raise RehearsalError(
                    f"{part.name} cannot be started: {part.command[0]}: {error.strerror}: "
                    "see `noxgate doctor`"
                ) from None

    def _see_through(self, name: str, process: Process) -> int:
        """Wait for the end of a process; how it ended."""

        def done() -> None:
            assert process.poll() is not None, f"does not end within {WORKING:g} s"

        try:
            eventually(done, within=WORKING, every=0.005)
        except AssertionError as error:
            raise RehearsalError(f"{name} {error}") from None
        finally:
            status = _kill(process)
        return status

    def _fork(
        self,
        act: Callable[[], int | None],
        folder: Path,
        environment: Mapping[str, str],
        log: int,
        death: signal.Signals,
    ) -> Forked:
        whole = {**self._environment(), **environment}
        return fork(act, folder=folder, environment=whole, log=log, before=die_with_parent(death))

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's but the search paths: the runbook's variables name real targets."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        temporary = str(self._folder / leftovers.HOME)
        return kept | {
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": temporary,
            "TMPDIR": temporary,
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_for(self, part: Part) -> None:
        process = self._processes[part.name]

        def serves() -> None:
            if process.poll() is not None:
                self._did_not_start(part, f"ended with exit status {process.returncode}")
            part.serves()

        try:
            eventually(serves, within=STARTING, every=0.02)
        except AssertionError as error:
            self._did_not_start(part, f"does not serve after {STARTING:g} s ({error})")

    def _did_not_start(self, part: Part, seen: str) -> None:
        self._publish()
        is_port_taken = "address already in use" in self._read_log(part.name).lower()
        kind = PortTakenError if is_port_taken else RehearsalError
        raise kind(f"{part.name} did not start: {seen}: {self._last_lines(part.name)}")

    def _last_lines(self, name: str) -> str:
        lines = self._read_log(name).split("\n")
        return (
            " | ".join([line.strip() for line in lines if line.strip()][-LAST_LINES:]) or "its log is empty"
        )

    def _read_log(self, name: str) -> str:
        return self._log(name).read_text(encoding="utf-8", errors="replace")

    def _log(self, name: str) -> Path:
        return self._folder / "log" / f"{name}.log"


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this package in this environment."""
    return (sys.executable, "-m", module, *arguments)


def _end(process: Process, part: Part) -> int:
    """End a process and what it started; how it ended."""
    if process.returncode is not None:  # reaped: its pid may be another's by now
        return process.returncode
    if leftovers.look(process.pid) is not None:
        process.send_signal(part.stop)
        with suppress(AssertionError):
            eventually(lambda: _is_gone(process.pid), within=ENDING, every=0.01)
    return _kill(process)


def _kill(process: Process) -> int:
    """Kill what is left of it and of its session; how it ended."""
    if process.returncode is None:  # not reaped yet, so its pid still names its session
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _is_gone(pid: int) -> None:
    assert leftovers.look(pid) is None
