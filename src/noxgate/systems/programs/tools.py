"""The programs that a release engineer types on the day: on PATH, and new enough."""

import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.programs.execute import ProgramError, StartError, environment, run
from noxgate.systems.settings import ToolsSettings

SECONDS = 20.0  # that a program may take to say its version
# How these are asked; all others understand --version.
_ASKED = {
    "kubectl": ("version", "--client"),
    "helm": ("version", "--short"),
    "go": ("version",),
    "openssl": ("version",),
    "java": ("-version",),
    "nginx": ("-v",),
    "ssh": ("-V",),
}
_NOT_RUN = (126, 127)  # what a wrapper around a missing program ends with
_MINIMUM = re.compile(r"\d+(\.\d+)*")
_VERSION = re.compile(r"(\d+(?:\.\d+)+)")
_POSTGRESQL = re.compile(r"\(PostgreSQL\) (\d+(?:\.\d+)*)")  # of a beta: 17beta1


@dataclass(frozen=True)
class Tool:
    """One program; `path` is None if it is not on PATH. `problem` says why it has no version.

    Not every program can say its version; one that does not `run` cannot say anything.
    """

    name: str
    path: Path | None
    version: str = ""
    problem: str | None = None
    runs: bool = True

    @property
    def major(self) -> int | None:
        """The first number of the version."""
        return int(self.version.partition(".")[0]) if self.version else None

    def lacks(self, minimum: str) -> str | None:
        """What is wrong with it, None if nothing is; with no minimum it need only be there."""
        if self.path is None:
            return f"{self.name}: not on PATH"
        if not self.runs:
            return f"{self.name}: {self.path} does not run: {self.problem}"
        if not minimum:
            return None
        if self.problem is not None:
            return f"{self.name}: expected {minimum} or newer, saw {self.problem}"
        if _numbers(self.version) < _numbers(minimum):
            return f"{self.name}: expected {minimum} or newer, saw {self.version}"
        return None


class Tools:
    """Looks for programs for one check and records what it saw."""

    def __init__(self, settings: ToolsSettings, observe: Observe) -> None:
        self._settings = settings
        self._observe = observe
        self._environment = environment(settings.programs)

    def named(self) -> Mapping[str, str]:
        """The programs that the profile names, with the oldest version that will do, or ""."""
        if not self._settings.named:
            raise UnreachableError(
                f'{self._settings.profile} names no tools: [tools] with git = "", psql = "15" …'
            )
        for name, minimum in self._settings.named.items():
            if minimum and not _MINIMUM.fullmatch(minimum):  # else any version would be as new as that
                where = f"{self._settings.profile}: [tools] {name}"
                raise AssertionError(f"{where}: expected a version such as 3.8, saw {minimum!r}")
        return self._settings.named

    def find(self, name: str) -> Tool:
        """A program on PATH, and the version that it says it has."""
        command = [name, *_ASKED.get(name, ("--version",))]
        path = shutil.which(name, path=self._environment.get("PATH"))
        tool = Tool(name, None) if path is None else self._ask(name, Path(path), command[1:])
        seen = "not on PATH" if path is None else f"{tool.version or tool.problem}, {path}"
        self._observe(Observation(shortened(f"{name}: {seen}"), shlex.join(command)))
        return tool

    def _ask(self, name: str, path: Path, words: list[str]) -> Tool:
        with tempfile.TemporaryDirectory() as folder:  # some leave a file where they run
            try:
                ended = run([str(path), *words], SECONDS, self._environment, folder=Path(folder))
            except ProgramError as error:
                return Tool(name, path, problem=str(error), runs=not isinstance(error, StartError))
        said = f"{ended.out}\n{ended.err}"
        if ended.status != 0:
            problem = f"status {ended.status}: {shortened(said, 120)}"
            return Tool(name, path, problem=problem, runs=ended.status not in _NOT_RUN)
        found = _POSTGRESQL.search(said) or _VERSION.search(said)
        if found is None:
            return Tool(name, path, problem=f"no version in {shortened(said, 120)!r}")
        return Tool(name, path, found.group(1))


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at the end: 15 is 15.0."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
