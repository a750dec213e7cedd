"""What an engineer keeps of a rollback: green's logs while it is there, and when each step was done."""

import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.project.saved import SavedFiles
from noxgate.project.service.names import NightFiles

DECIDED, DONE = "decided", "all users have blue"  # the first step and the last
_PREFIX = re.compile(r"\[pod/([^/\]]+)/([^/\]]+)\] (.*\S)")  # as kubectl logs --prefix writes it
_NAME = re.compile(r"^Name: +(\S+)", re.MULTILINE)  # as kubectl describe begins a pod

T = TypeVar("T")


@dataclass(frozen=True)
class RollbackStep:
    """One step of a rollback, and when it was done."""

    at: datetime
    what: str


class RolledBack:
    """Looks at tonight's files for one check."""

    def __init__(self, saved: SavedFiles, files: NightFiles, observe: Observe) -> None:
        self._saved = saved
        self._files = files
        self._observe = observe

    def steps(self) -> list[RollbackStep]:
        """The steps of the newest record, from the decision on.

        Raises AssertionError if it is not a record of a rollback.
        """
        return self._read(
            self._files.rollback_times,
            steps,
            lambda found: "; ".join(f"{one.at:%H:%M:%S} {one.what}" for one in found),
        )

    def logs(self) -> dict[str, int]:
        """Pod -> lines that were kept of it."""
        return self._read(self._files.green_logs, log_lines, lambda found: f"lines of each pod: {found}")

    def described(self) -> list[str]:
        """The pods of which the description was kept."""
        return self._read(self._files.green_pods, _NAME.findall, lambda found: f"pods: {', '.join(found)}")

    def _read(self, pattern: str, read: Callable[[str], T], show: Callable[[T], str]) -> T:
        repeat = self._saved.listing(pattern)
        try:
            file = self._saved.newest(pattern)
            repeat = f"cat {shlex.quote(str(file))}"
            found = read(_text(file))
        except (UnreachableError, AssertionError) as error:
            self._observe(Observation(str(error), repeat))
            raise
        self._observe(Observation(shortened(f"{file.name}: {show(found)}"), repeat))
        return found


def steps(text: str) -> list[RollbackStep]:
    """Lines such as `2026-01-31T14:03:05Z decided`, in order."""
    found = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        time, _, what = line.partition(" ")
        at = None
        with suppress(ValueError):
            at = datetime.fromisoformat(time)
        if at is None or at.tzinfo is None or not what:
            expected = "expected a time such as 2026-01-31T14:03:05Z and a step"
            raise AssertionError(f"line {number}: {expected}, saw {line[:80]!r}")
        found.append(RollbackStep(at.astimezone(UTC), " ".join(what.split())))
    return found


def log_lines(text: str) -> dict[str, int]:
    """Pod -> lines, of what `kubectl logs --prefix --tail=-1` wrote."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        match = _PREFIX.match(line)
        if match:
            found[match[1]] = found.get(match[1], 0) + 1
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnreachableError(f"{file}: {error.strerror}") from None
