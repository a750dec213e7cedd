"""The results of `noxgate load` for one target: the newest of each ramp, and what it says of an SLO."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from noxgate.clients.observation import Observation, Observe
from noxgate.loadtest.ramps import FILE, Ramp, is_as
from noxgate.loadtest.result import NAME, Result, ResultError, read
from noxgate.loadtest.table import incomplete, judgements_of, sentence
from noxgate.runbook import Runbook
from noxgate.slo import Outcome, read_slos
from noxgate.target import Target, UnreachableError

REAL = ("quick", "full")
REHEARSED = ("smoke",)  # stands for both: it proves that the machinery works


@dataclass(frozen=True)
class Kept:
    """A result and its folder."""

    result: Result
    folder: Path

    def foreign(self, base_url: str, version: str, hours: float) -> list[str]:
        """Why it says nothing of this target and release today; empty where it does."""
        result, name = self.result, self.folder.name
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
        """Why it is no whole load test; empty where it is."""
        return [f"{self.folder.name}: {reason}" for reason in incomplete(self.result)]


class LoadResults:
    """Finds and reads results, each once in a run."""

    def __init__(self, target: Target, folder: Path, known: Mapping[str, Ramp]) -> None:
        self._target = target
        self.folder = folder
        self.known = known  # the ramps of this checkout
        self._ramps = REHEARSED if target.rehearsal else REAL

    @cached_property
    def newest(self) -> Mapping[str, Kept]:
        """The newest result of each ramp that counts; UnreachableError where one cannot be read."""
        found: dict[str, Kept] = {}
        for ramp in self._ramps:
            # the folder's name begins with the time; the newest counts, whatever became of it
            folders = sorted(self.folder.glob(f"*Z-{self._target.name}-{ramp}"))
            if folders:
                try:
                    found[ramp] = Kept(read(folders[-1] / NAME), folders[-1])
                except ResultError as error:
                    raise UnreachableError(f"{folders[-1].name}: {error}: run it again") from None
        return found


class LoadTest:
    """What one check looks at."""

    def __init__(self, target: Target, results: LoadResults, runbook: Runbook, observe: Observe) -> None:
        self._target = target
        self._results = results
        self._runbook = runbook
        self._observe = observe

    def quick(self) -> list[Kept]:
        """The newest results that will do for a quick load test; a full one is more than that."""
        return self._seen(list(self._results.newest.values()))

    def full(self) -> list[Kept]:
        """The newest result of the full ramp."""
        return self._seen([kept for ramp, kept in self._results.newest.items() if ramp != REAL[0]])

    def foreign(self, found: Iterable[Kept]) -> list[str]:
        """What is not of this target and release, or of another day."""
        hours = self._runbook.lines["staging.load-quick"].limits["age_hours"]
        version = self._runbook.release.version
        foreign = [why for kept in found for why in kept.foreign(self._target.base_url, version, hours)]
        for kept in found:
            ramp, name = kept.result.ramp, kept.folder.name
            known = self._results.known.get(name.rpartition("-")[2])
            if known is None or not is_as(ramp, known):
                foreign.append(f"{name} is of a ramp {ramp.name} that is not the one of {FILE}")
            elif not (ramp.evidence or self._target.rehearsal):
                foreign.append(f"{name} is of the ramp {ramp.name}, which is no evidence")
        return foreign

    def broken(self, line: str) -> list[str]:
        """Where an SLO is not kept, on every hold of every newest result.

        UnreachableError where it is kept wherever that could be decided, but not everywhere.
        """
        (slo,) = (slo for slo in read_slos(self._runbook.lines) if slo.line == line)
        kept = list(self._results.newest.values())
        if not kept:
            return [f"no load test of {self._target.name}"]
        judgements = [judgement for one in kept for judgement in judgements_of(one.result, slo)]
        if not judgements:
            return [f"no hold to judge in {', '.join(one.folder.name for one in kept)}"]
        for judgement in judgements:
            self._say(sentence(judgement))
        failed = [sentence(one) for one in judgements if one.outcome is Outcome.FAILED]
        open_ = [why for one in kept for why in one.incomplete()] + self.foreign(kept)
        open_ += [sentence(one) for one in judgements if one.outcome is Outcome.NOT_DECIDED]
        if open_ and not failed:
            raise UnreachableError(f"not decided: {'; '.join(open_)}")
        return failed

    def expected(self, limit: float, of_rehearsal: float) -> float:
        """A limit of the runbook; a rehearsal's short ramp is held to what it is."""
        return of_rehearsal if self._target.rehearsal else limit

    def _seen(self, found: Sequence[Kept]) -> list[Kept]:
        for one in found:
            result = one.result
            state = "; ".join(incomplete(result)) or "held to its end"
            requests = sum(len(second.times) for by in result.seconds.values() for second in by.values())
            self._say(
                f"{result.ramp.name} of release {result.release} against {result.base_url} (version "
                f"{result.version}), ended {result.ended}: {requests} requests, {state}",
                one.folder,
            )
        if not found:
            self._say(f"no result of {self._target.name}")
        return list(found)

    def _say(self, seen: str, kept: Path | None = None) -> None:
        ramp = REHEARSED[0] if self._target.rehearsal else REAL[0]
        self._observe(Observation(seen, f"make load-test TARGET={self._target.name} RAMP={ramp}", kept))
