"""The results of `noxgate load` for one target, read once in a run: the newest of each ramp."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.slo.generator import repeated_before
from noxgate.slo.possible import same_series
from noxgate.slo.ramps import Ramp
from noxgate.slo.result import NAME, Result, ResultError, read
from noxgate.slo.table import incomplete

REAL = ("quick", "full")
REHEARSED = ("smoke",)  # stands for both: it proves that the machinery works
COPIED = "has the very response times of another: identical series"

Refused = Callable[[Path, Result], str]  # why no load test made it; empty if one did
Counted = Callable[[Result], str]  # why the application counted less; raises UnreachableError if unknown


@dataclass(frozen=True)
class KeptResult:
    """A result and its folder."""

    result: Result
    folder: Path
    before: Sequence[tuple[Path, str]] = ()  # that it was run in place of, each with the reason
    refused: str = ""  # why no load test of this gate made it: then nothing that it says is believed

    def foreign(self, base_url: str, version: str, hours: float) -> list[str]:
        """Why it says nothing of this target and release today; empty if it does."""
        result, name = self.result, self.folder.name
        if self.refused:
            return [f"{name} {self.refused}"]
        age = (datetime.now(UTC) - result.end).total_seconds() / 3600
        found = []
        if result.base_url != base_url:
            found.append(f"{name} is of {result.base_url}, not {base_url}")
        if result.release != version:
            found.append(f"{name} is of release {result.release}, not {version}")
        if result.version != version:
            found.append(f"{name} measured a target of version {result.version}, not {version}")
        if not 0 <= age < hours:
            found.append(f"{name} is {age:.1f} h old, of at most {hours:g}")
        return found

    def incomplete(self) -> list[str]:
        """Why it is not a whole load test; empty if it is."""
        return [f"{self.folder.name}: {reason}" for reason in incomplete(self.result)]


@dataclass(frozen=True)
class LoadSettings:
    """Of what load tests are made: its name in their folders, and `called` in a command that makes one."""

    name: str
    called: str
    base_url: str
    rehearsal: bool

    @classmethod
    def of(cls, target: Target) -> "LoadSettings":
        """What this target's profile says of it."""
        return cls(target.name, target.called, target.base_url, target.rehearsal)


class LoadResults:
    """Finds and reads results, each once in a run."""

    def __init__(
        self,
        settings: LoadSettings,
        folder: Path,
        known: Mapping[str, Ramp],
        refused: Refused,
    ) -> None:
        self.settings = settings
        self._refused = refused
        self._compared: dict[Path, str | UnreachableError] = {}
        self.folder = folder
        self.known = known  # the ramps of this checkout
        self._ramps = REHEARSED if settings.rehearsal else REAL

    @cached_property
    def newest(self) -> Mapping[str, KeptResult]:
        """The newest result of each ramp that counts. Raises UnreachableError if one cannot be read."""
        found: dict[str, KeptResult] = {}
        for ramp in self._ramps:
            # the folder's name begins with the time; the newest counts, also a failed one
            folders = sorted(self.folder.glob(f"*Z-{self.settings.name}-{ramp}"))
            if folders:
                try:
                    result = read(folders[-1] / NAME)
                except ResultError as error:
                    raise UnreachableError(f"{folders[-1].name}: {error}: run it again") from None
                refused = self._refused(folders[-1], result)
                found[ramp] = KeptResult(result, folders[-1], repeated_before(folders), refused)
        if same_series([kept.result for kept in found.values()]):
            return {ramp: replace(kept, refused=kept.refused or COPIED) for ramp, kept in found.items()}
        return found

    def lying(self) -> list[Path]:
        """Every folder of results of this target, of every ramp, the newest first."""
        return sorted(self.folder.glob(f"*Z-{self.settings.name}-*/"), reverse=True)

    def counted(self, kept: KeptResult, compare: Counted) -> str:
        """What a comparison with the application's counters says, asked once in a run."""
        if kept.folder not in self._compared:
            try:
                self._compared[kept.folder] = compare(kept.result)
            except UnreachableError as error:
                self._compared[kept.folder] = UnreachableError(f"{kept.folder.name}: {error}")
        known = self._compared[kept.folder]
        if isinstance(known, UnreachableError):
            raise known
        return known
