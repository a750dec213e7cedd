"""What the newest load tests of a target say of an SLO, as one check asks."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from noxgate.errors import NotMadeError, UndecidedError, UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.project.runbook import Runbook
from noxgate.slo.kept.results import REAL, REHEARSED, Counted, KeptResult, LoadResults
from noxgate.slo.ramps import FILE, is_as
from noxgate.slo.result import SINCE
from noxgate.slo.slos import OR_WAIVE, SloOutcome, read_slos
from noxgate.slo.table import incomplete, judgements_of, new_job_rows, new_jobs_amiss, sentence


class LoadTest:
    """What one check looks at."""

    def __init__(
        self,
        results: LoadResults,
        runbook: Runbook,
        observe: Observe,
        counted: Counted | None = None,
    ) -> None:
        self._counted = counted
        self.settings = results.settings
        self._results = results
        self._runbook = runbook
        self._observe = observe

    def quick(self) -> list[KeptResult]:
        """The newest results that will do for a quick load test; a full one is more than that.

        Raises NotMadeError if it does not exist, or if one is of another day, release or target.
        """
        return self._current(self._newest())

    def full(self) -> list[KeptResult]:
        """The newest result of the full ramp; NotMadeError likewise."""
        newest = self._newest()
        return self._current({ramp: kept for ramp, kept in newest.items() if ramp != REAL[0]}, REAL[1])

    def _newest(self) -> Mapping[str, KeptResult]:
        newest = self._results.newest
        if not newest:
            lying = self._lying(REAL[0])
            self._say(f"no result of {self.settings.name}{lying or f': none lies in {self._results.folder}'}")
            raise NotMadeError(f"no load test of {self.settings.name}{lying}: {self._make()}")
        return newest

    def _lying(self, ramp: str) -> str:
        """The other folders of results, and why they do not count as a load test of this ramp."""
        found = [f"{folder.name} {why}" for folder, why in self.lying(ramp)]
        return f" that counts ({'; '.join(found)})" if found else ""

    def lying(self, ramp: str = REAL[0]) -> list[tuple[Path, str]]:
        """Every folder of results, the newest first, and why it is not a load test of the ramp; "" if it is.

        A full load test does for a quick one, and a smoke test for both in a rehearsal.
        """
        wanted = REHEARSED if self.settings.rehearsal else REAL[REAL.index(ramp) :]
        return [(folder, self._why_not(folder, wanted)) for folder in self._results.lying()]

    def _why_not(self, folder: Path, wanted: Sequence[str]) -> str:
        ramp = folder.name.rpartition("-")[2]
        known = self._results.known.get(ramp)
        if ramp not in wanted:
            is_evidence = known is not None and known.evidence
            why = f"{' or '.join(wanted)} does" if is_evidence else "it is not evidence"
            return f"is of the ramp {ramp}, which does not count: {why}"
        try:
            kept = self._results.newest.get(ramp)
        except UnreachableError as error:
            return str(error)
        if kept is None or kept.folder != folder:
            return "is older than another of its ramp, which counts, also if it failed"
        return "; ".join(self._foreign([kept])).removeprefix(f"{folder.name} ")

    def _current(self, found: Mapping[str, KeptResult], ramp: str = "") -> list[KeptResult]:
        kept = self._seen(list(found.values()))
        if not kept:
            lying = self._lying(ramp)
            raise NotMadeError(
                f"no load test of {self.settings.name} of the ramp {ramp}{lying}: {self._make(ramp)}"
            )
        if foreign := self._foreign(kept):
            raise NotMadeError(f"{'; '.join(foreign)}: {self._make(ramp)}")
        self._compare(kept, ramp)
        return kept

    def _compare(self, kept: Sequence[KeptResult], ramp: str = "") -> None:
        """Compare results with what the application counted.

        Raises NotMadeError if it counted something else, UnreachableError if that cannot be determined.
        """
        if self._counted is None:
            return
        for one in kept:
            if less := self._results.counted(one, self._counted):
                self._say(f"{one.folder.name} {less}")
                raise NotMadeError(f"{one.folder.name} {less}: {self._make(ramp)}")

    def _foreign(self, found: Iterable[KeptResult]) -> list[str]:
        """What is not of this target and release, or of another day."""
        lines = self._runbook.having("load-test")
        hours = min(line.limits["age_hours"] for line in lines if "age_hours" in line.limits)
        version = self._runbook.release.version
        foreign = [why for kept in found for why in kept.foreign(self.settings.base_url, version, hours)]
        for kept in found:
            ramp, name = kept.result.ramp, kept.folder.name
            known = self._results.known.get(name.rpartition("-")[2])
            if kept.result.schema < SINCE["new_jobs"]:
                foreign.append(f"{name} is of schema {kept.result.schema}: its science was not new")
            elif known is None or not is_as(ramp, known):
                foreign.append(f"{name} is of a ramp {ramp.name} that is not the one of {FILE}")
            elif not (ramp.evidence or self.settings.rehearsal):
                foreign.append(f"{name} is of the ramp {ramp.name}, which is not evidence")
        return foreign

    def broken(self, line: str) -> list[str]:
        """Where an SLO is not kept, on every hold of every newest result of today, release and target.

        Raises NotMadeError if one is of another day, release or target. If no hold breaks the SLO: raises
        UnreachableError if one measured too little, else UndecidedError if one is too near its limit.
        """
        (slo,) = (slo for slo in read_slos(self._runbook.lines) if slo.line == line)
        newest = list(self._newest().values())
        foreign = self._foreign(newest)
        kept = [one for one in newest if not self._foreign([one])]
        judgements = [judgement for one in kept for judgement in judgements_of(one.result, slo)]
        for judgement in judgements:
            self._say(sentence(judgement))
        failed = [sentence(one) for one in judgements if one.outcome is SloOutcome.FAILED]
        if foreign and not failed:
            raise NotMadeError(f"{'; '.join(foreign)}: {self._make()}")
        if not failed:
            self._compare(kept)
        if not judgements:
            return [f"no hold to judge in {', '.join(one.folder.name for one in kept)}"]
        if failed:
            return failed
        unseen = [why for one in kept for why in one.incomplete()]
        unseen += [sentence(one) for one in judgements if one.outcome is SloOutcome.UNREACHABLE]
        if unseen:
            raise UnreachableError(f"not measured: {'; '.join(unseen)}")
        near = [sentence(one) for one in judgements if one.outcome is SloOutcome.UNDECIDED]
        if near:
            raise UndecidedError(f"not decided: hold for longer, {OR_WAIVE}: {'; '.join(near)}")
        return []

    def new_jobs_amiss(self, found: Iterable[KeptResult]) -> list[str]:
        """What new science came to nothing, or to a wrong result.

        Raises UnreachableError if all that was seen is right, and some was not seen.
        """
        wrong, unseen = [], []
        for kept in found:
            for _, hold, method, _, seen, asked, outcome in new_job_rows(kept.result):
                self._say(f"{method} on {hold!r}, {asked} that are new: {seen}: {outcome}")
            failed, missing = new_jobs_amiss(kept.result)
            wrong += failed
            unseen += [f"{kept.folder.name}: {why}" for why in missing]
            if not any(held.end > held.start for held in kept.result.holds):
                wrong.append(f"{kept.folder.name}: no hold, so nothing new was asked for")
        if unseen and not wrong:
            raise UnreachableError(f"not measured: {'; '.join(unseen)}: {self._make()}")
        return wrong

    def states(self, name: str) -> list[str]:
        """Digests of the states that today's load tests of this target and release were given; maybe none."""
        try:
            newest = list(self._results.newest.values())
        except UnreachableError as error:
            self._say(str(error))
            return []
        kept = [one for one in newest if not self._foreign([one])]
        found = [state for one in kept for state in one.result.states.get(name, ())]
        made = ", ".join(one.folder.name for one in kept) or "no load test of today"
        self._say(f"{len(found)} states of {name} in {made}")
        return found

    def expected(self, limit: float, of_rehearsal: float) -> float:
        """A limit of the runbook; a rehearsal's short ramp is held to what it is."""
        return of_rehearsal if self.settings.rehearsal else limit

    def _seen(self, found: Sequence[KeptResult]) -> list[KeptResult]:
        for one in found:
            for folder, why in one.before:
                self._say(f"{folder.name} does not count, {one.folder.name} does: {why}", folder)
            result = one.result
            state = "; ".join(incomplete(result)) or "held to its end"
            requests = sum(len(second.times) for by in result.seconds.values() for second in by.values())
            self._say(
                f"{result.ramp.name} of release {result.release} against {result.base_url} (version "
                f"{result.version}), ended {result.ended}: {requests} requests, {state}",
                one.folder,
            )
        return list(found)

    def _say(self, seen: str, kept: Path | None = None) -> None:
        self._observe(Observation(seen, self._make(), kept))

    def _make(self, ramp: str = "") -> str:
        """What makes a load test."""
        ramp = REHEARSED[0] if self.settings.rehearsal else ramp or REAL[0]
        return f"make load-test TARGET={shlex.quote(self.settings.called)} RAMP={ramp}"
