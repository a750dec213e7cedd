"""Finding every process of a rehearsal, also those that it did not start itself, and killing them."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nox_rehearsal.world.forks import TITLE
from noxgate.look.waiting import eventually

HOME = "temporary"  # below the folder: the HOME of every process that a rehearsal starts, and of theirs
# What has another environment than it was given: servers that write their title over it, and what was forked.
# They never leave the folder they were started in.
_SERVERS = frozenset({"nginx", "postgres", "redis-server", TITLE})
_PROC = Path("/proc")


@dataclass(frozen=True)
class SeenProcess:
    """One look at a process. `started`, in clock ticks since boot, tells it from a later one of that pid."""

    pid: int
    parent: int
    state: str
    started: int


def look(pid: int) -> SeenProcess | None:
    """The process, or None if it is gone (a zombie is gone)."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    state, parent, started = fields[0], int(fields[1]), int(fields[19])
    return None if state in "ZX" else SeenProcess(pid, parent, state, started)


def is_alive(pid: int, started: int) -> bool:
    process = look(pid)
    return process is not None and process.started == started


def children(parent: int) -> list[int]:
    """The pids of the processes that `parent` started."""
    return [process.pid for process in _everyone() if process.parent == parent]


def title(pid: int) -> str:
    """The command line of a process, or "" if it is gone."""
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()


def all_of(folder: Path) -> list[int]:
    """The pids of every process that belongs to the rehearsal in `folder`."""
    return [process.pid for process in _everyone() if _belongs(process.pid, folder)]


def kill_all_of(folder: Path) -> None:
    """Kill every process that belongs to the rehearsal in `folder`, and wait until they are gone."""

    def none_left() -> None:
        pids = all_of(folder)
        for pid in pids:
            _kill(pid, folder)
        assert pids == [], f"processes of {folder} that do not end: {pids}"

    eventually(none_left, within=30, every=0.02)


def _kill(pid: int, folder: Path) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # The handle names this very process for good: looking again makes sure that it is one of ours.
        if _belongs(pid, folder):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def _belongs(pid: int, folder: Path) -> bool:
    if pid == os.getpid() or look(pid) is None:
        return False
    home = f"HOME={folder / HOME}"
    if any(_is_below(entry, home) for entry in _read(pid, "environ").decode(errors="replace").split("\0")):
        return True
    name = _read(pid, "comm").decode(errors="replace").strip()
    return name in _SERVERS and _is_below(_working_folder(pid), str(folder))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _working_folder(pid: int) -> str:
    try:
        return str((_PROC / str(pid) / "cwd").readlink())
    except OSError:
        return ""


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # gone, or another user's
        return b""


def _everyone() -> Iterator[SeenProcess]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (process := look(int(entry.name))) is not None:
            yield process
