"""Whether the newest load tests are slower than those of the release before, as the check asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import NotCountedError, NotMadeError, UnreachableError
from noxgate.look.observation import Observation, Observe, few
from noxgate.project.release_facts import MeasuredBefore
from noxgate.project.runbook import Line
from noxgate.project.target import Target
from noxgate.slo.before import drawing
from noxgate.slo.before.judging import Compared, limits_of
from noxgate.slo.before.loads import beside, side, unlike
from noxgate.slo.load_results import Kept, LoadTest, Refused
from noxgate.slo.result import NAME, Result, ResultError, read
from noxgate.slo.slos import Outcome

TABLE = "slower.txt"


@dataclass(frozen=True)
class Earlier:
    """The release before: what the record says of it, and who tells whether a result is sealed."""

    record: Path
    named: MeasuredBefore | None
    refused: Refused

    def newest(self, now: Result) -> tuple[Result, Path]:
        """Its last sealed result of this target and ramp. Raises NotMadeError if it does not exist."""
        assert self.named is not None
        folder, version = self.named.load_results, self.named.version
        pattern = f"*Z-{now.target}-{now.ramp.name}"
        passed_over = []
        for place in sorted(folder.glob(pattern), reverse=True):
            try:
                result = read(place / NAME)
            except ResultError as error:
                passed_over.append(f"{place.name}: {error}")
                continue
            why = self.refused(place, result) or _of_another(result, version)
            if not why:
                return result, place
            passed_over.append(f"{place.name} {why}")
        said = "; ".join(few(passed_over, 3)) or "none is there"
        raise NotMadeError(
            f"{self.record.name} says that {version} was measured: expected its sealed result {pattern} in "
            f"{folder}, saw {said}: put it there, or take [measured_before] out of the record"
        )


def _of_another(result: Result, version: str) -> str:
    if (result.release, result.version) == (version, version):
        return ""
    return f"is of release {result.release}, on a target of version {result.version}"


@dataclass(frozen=True)
class Slower:
    """What the check looks at; `folder` makes an empty folder for the pictures."""

    load_test: LoadTest
    earlier: Earlier
    line: Line
    observe: Observe
    target: Target
    folder: Callable[[str], Path]

    def found(self) -> list[str]:
        """What is slower, or fails more often; empty if nothing is.

        Raises NotCountedError if no release before was measured, NotMadeError if its result is missing.
        Raises UnreachableError if the two cannot be compared, or the comparison is not decided.
        """
        repeat = f"cat {self.earlier.record}"
        if self.earlier.named is None:
            nothing = f"{self.earlier.record.name} names no earlier version that was measured"
            self.observe(Observation(f"{nothing} ([measured_before])", repeat))
            raise NotCountedError(f"{nothing}: nothing to compare with")
        limits = limits_of(self.line, rehearsal=self.target.rehearsal)
        rows: list[Compared] = []
        missing: list[str] = []
        unlikely: list[str] = []
        for kept in self.load_test.quick():
            try:
                before, place = self.earlier.newest(kept.result)
            except NotMadeError as error:
                missing.append(str(error))
                continue
            why = [*kept.incomplete(), *unlike(kept.result, before, self.line.limits["clock_percent"])]
            if why:
                unlikely += [f"{place.name}: {one}" for one in why]
                continue
            found = beside(kept.result, before, limits)
            self._show(kept, before, place, found)
            rows += found
        for why_not in (*missing, *unlikely):
            self.observe(Observation(why_not, repeat))
        failed = [str(one) for one in rows if one.outcome is Outcome.FAILED]
        open_ = [str(one) for one in rows if one.outcome is Outcome.NOT_DECIDED]
        if failed:
            return failed
        if unlikely:
            raise UnreachableError(f"cannot be compared: {'; '.join(unlikely)}")
        if missing and not rows:
            raise NotMadeError("; ".join(dict.fromkeys(missing)))
        if open_ or not any(one.outcome for one in rows):
            raise UnreachableError(f"not decided: {'; '.join(open_) or 'nothing was compared'}")
        return []

    def _show(self, kept: Kept, before: Result, place: Path, found: Sequence[Compared]) -> None:
        """Each measure, and both distributions."""
        folder = self.folder(f"{kept.folder.name}-beside-{before.release}")
        (folder / TABLE).write_text("".join(f"{one}\n" for one in found), encoding="utf-8")
        panels = [
            (f"{name}, {held.name}", side(hold, name).times, side(other, name).times)
            for (held, hold), (_, other) in zip(
                kept.result.judged_holds(), before.judged_holds(), strict=False
            )
            if held.judged == "all"
            for name in hold.classes
        ]
        title = f"{kept.result.target}, ramp {kept.result.ramp.name}"
        drawing.draw(panels, folder, (kept.result.release, before.release), title)
        repeat = f"cat {folder / TABLE}"
        said = f"{kept.folder.name} beside {place.name} of {before.release}, ended {before.ended}"
        self.observe(Observation(said, repeat, folder))
        for one in found:
            self.observe(Observation(str(one), repeat))
