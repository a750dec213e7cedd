"""What the API's own Python imports and computes: one script, fed to the interpreter that a profile names."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nox_service import science_script
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.look.secret_forms import redacted
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.programs.execute import Ended, ProgramError, environment, run
from noxgate.systems.settings import ProgramSettings

SCRIPT = Path(science_script.__file__)
LEAST_SECONDS = 20.0  # even a rehearsal gives a dependency this long
STARTING = 30.0  # seconds for reaching the interpreter, beside what its processes may take
_DOCUMENT = re.compile(rf"{science_script.MARK} ([0-9a-f]{{64}}) (\{{.*\}})")


@dataclass(frozen=True)
class Result:
    """What came of importing a package, or of computing with a dependency (`value`; None with an `error`)."""

    name: str
    version: str
    seconds: float
    error: str | None
    value: float | None = None


@dataclass(frozen=True)
class Report:
    """What one interpreter said. An interpreter older than 3.6 says its version, and nothing of the rest."""

    python: tuple[int, ...]
    executable: str
    packages: Mapping[str, Result]
    dependencies: Mapping[str, Result]


@dataclass(frozen=True)
class ScienceSettings:
    """The command that runs the API's own Python, and how long each of its processes may take."""

    profile: str
    command: tuple[str, ...]
    seconds: float
    programs: ProgramSettings


def science_settings(target: Target) -> ScienceSettings:
    """What this target's profile says of them."""
    limit = max(LEAST_SECONDS, target.waiting(science_script.SECONDS))
    return ScienceSettings(target.path.name, target.science, limit, settings.programs(target))


class ScienceSession:
    """One target's interpreter: asked once for a whole run, at the first look, also if it fails."""

    def __init__(self, settings: ScienceSettings) -> None:
        self._settings = settings
        limit = settings.seconds
        more = [] if limit == science_script.SECONDS else [f"{limit:g}"]
        self._words = [*settings.command, *more]
        self._within = 3 * limit + STARTING
        self._answer: Report | UnreachableError | None = None
        self.repeat = f"{redacted(shlex.join(self._words))} < {shlex.quote(str(SCRIPT))}"

    def report(self) -> Report:
        """What the interpreter said. Raises UnreachableError if it could not be asked."""
        if self._answer is None:
            try:
                self._answer = self._ask()
            except UnreachableError as error:
                self._answer = error
        if isinstance(self._answer, UnreachableError):
            raise UnreachableError(*self._answer.args)
        return self._answer

    def _ask(self) -> Report:
        if not self._settings.command:
            example = 'science = ["kubectl", "exec", "-i", "…", "--", "python", "-"]'
            raise UnreachableError(f"{self._settings.profile} does not name the API's own Python: {example}")
        try:
            ended = run(self._words, self._within, environment(self._settings.programs), script=SCRIPT)
        except ProgramError as error:
            raise UnreachableError(f"science: {error}") from None
        if ended.status != 0:
            raise UnreachableError(
                f"science: {self._words[0]} ended with status {ended.status}{_said(ended)}"
            )
        return _read(ended)


class Science:
    """Looks at the API's own Python for one check and records what it saw."""

    def __init__(self, session: ScienceSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    def python(self) -> tuple[int, ...]:
        """The interpreter's version."""
        report = self._report()
        self._saw(f"Python {_dotted(report.python)}, {report.executable}")
        return report.python

    def packages(self) -> dict[str, Result]:
        """Each of the runbook's packages by its name, imported."""
        found = dict(self._new_enough().packages)
        shown = [f"{one.name} {one.error or one.version}".strip() for one in found.values()]
        self._saw(f"{len(found)} packages: {', '.join(shown)}")
        return found

    def value(self, name: str) -> float:
        """What a dependency (rdkit, cantera, xtb, psi4) computes.

        Raises AssertionError if it does not compute.
        """
        found = self._new_enough().dependencies[name]
        self._saw(
            f"{name} {found.version or '(no version)'} in {found.seconds:.1f} s: {found.error or found.value}"
        )
        assert found.error is None, f"{name}: {found.error}"
        assert found.value is not None, f"{name}: expected a value, saw none"
        return found.value

    def _new_enough(self) -> Report:
        report = self._report()
        if report.python < science_script.OLDEST:
            self._saw(f"Python {_dotted(report.python)}, {report.executable}")
            oldest = _dotted(science_script.OLDEST)
            raise AssertionError(f"expected Python {oldest} or newer, saw {_dotted(report.python)}")
        return report

    def _report(self) -> Report:
        try:
            return self._session.report()
        except UnreachableError as error:
            self._saw(f"could not look: {error}")
            raise

    def _saw(self, seen: str) -> None:
        self._observe(Observation(shortened(seen), self._session.repeat))


def _read(ended: Ended) -> Report:
    """The one document in an output, with other text around it.

    Raises UnreachableError if it is missing.
    """
    found = _DOCUMENT.findall(ended.out)
    whole = [text for digest, text in found if hashlib.sha256(text.encode()).hexdigest() == digest]
    if len(found) != len(whole) or len(whole) != 1:
        seen = f"{len(found)}, {len(found) - len(whole)} of them damaged" if found else f"none{_said(ended)}"
        raise UnreachableError(f"science: expected one document from the script, saw {seen}")
    document = json.loads(whole[0])
    return Report(
        tuple(document["python"]),
        document["executable"],
        _results(document.get("packages", {})),
        _results(document.get("science", {})),
    )


def _results(part: Mapping[str, Mapping[str, Any]]) -> dict[str, Result]:
    return {
        name: Result(name, found["version"], found["seconds"], found["error"], found.get("value"))
        for name, found in part.items()
    }


def _said(ended: Ended) -> str:
    """The last line that was written, errors before output."""
    lines = [line for line in (ended.err.strip() or ended.out.strip()).splitlines() if line.strip()]
    return f": {shortened(lines[-1], 200)}" if lines else ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
