"""Whether the newest load tests are slower than those of the release before, as the check asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from noxgate.errors import NotCountedError, NotMadeError, UndecidedError, UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.project.release_facts import MeasuredBefore
from noxgate.project.runbook import Line
from noxgate.slo.before import drawing
from noxgate.slo.before.judging import FARTHEST, Compared, limits_of
from noxgate.slo.before.loads import UNSEEN, beside, side, unlike
from noxgate.slo.kept.results import KeptResult, Refused
from noxgate.slo.load_results import LoadTest
from noxgate.slo.result import NAME, Result, ResultError, read
from noxgate.slo.slos import OR_WAIVE, SloOutcome

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
        said = "; ".join(passed_over) or "none is there"
        raise NotMadeError(
            f"{self.record.name} says that {version} was measured: expected its sealed result {pattern} in "
            f"{folder}, saw {said}: put it there, or take [measured_before] out of the record"
        )


def _todo(open_: Sequence[Compared]) -> str:
    """What would decide it: the longest hold that one of them asks for."""
    needed = max((one.longer for one in open_), default=inf)
    if needed == inf:
        return "hold longer"
    return f"hold {needed:g} times as long" if needed <= FARTHEST else "too close for any length to settle"


def _of_another(result: Result, version: str) -> str:
    if (result.release, result.version) == (version, version):
        return ""
    return f"is of release {result.release}, on a target of version {result.version}"


@dataclass(frozen=True)
class Comparisons:
    """Measures; or what keeps from them: a missing result, too little measured, two that are unlike."""

    rows: list[Compared] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    unlikely: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Slower:
    """What the check looks at; `folder` makes an empty folder for the pictures."""

    load_test: LoadTest
    earlier: Earlier
    line: Line
    observe: Observe
    folder: Callable[[str], Path]

    def found(self) -> list[str]:
        """What is slower, or fails more often; empty if nothing is.

        Raises NotCountedError if no release before was measured, NotMadeError if its result is missing.
        Raises UnreachableError if the new one measured too little to look at, UndecidedError if it was looked
        at, and the two cannot be compared, or the comparison is not decided.
        """
        repeat = f"cat {self.earlier.record}"
        if self.earlier.named is None:
            nothing = f"{self.earlier.record.name} names no earlier version that was measured"
            self.observe(Observation(f"{nothing} ([measured_before])", repeat))
            raise NotCountedError(f"{nothing}: nothing to compare with")
        looked = self._looked()
        for why_not in (*looked.missing, *looked.unseen, *looked.unlikely):
            self.observe(Observation(why_not, repeat))
        open_ = [one for one in looked.rows if one.outcome is SloOutcome.UNDECIDED]
        failed = [str(one) for one in looked.rows if one.outcome is SloOutcome.FAILED]
        if failed:
            return failed
        if looked.unseen:
            raise UnreachableError(f"cannot be compared: {'; '.join(looked.unseen)}")
        if looked.unlikely:
            raise UndecidedError(f"cannot be compared, {OR_WAIVE}: {'; '.join(looked.unlikely)}")
        if looked.missing and not looked.rows:
            raise NotMadeError("; ".join(dict.fromkeys(looked.missing)))
        if open_:
            raise UndecidedError(f"not decided: {_todo(open_)}, {OR_WAIVE}: {'; '.join(map(str, open_))}")
        if not any(one.outcome for one in looked.rows):
            raise UnreachableError("nothing was compared")
        return []

    def _looked(self) -> "Comparisons":
        limits = limits_of(self.line, rehearsal=self.load_test.settings.rehearsal)
        looked = Comparisons()
        for kept in self.load_test.quick():
            try:
                before, place = self.earlier.newest(kept.result)
            except NotMadeError as error:
                looked.missing.append(str(error))
                continue
            cut = kept.incomplete()
            why = unlike(kept.result, before, self.line.limits["clock_percent"])
            looked.unseen.extend(cut)
            looked.unlikely.extend(f"{place.name}: {one}" for one in why)
            if cut or why:
                continue
            found = beside(kept.result, before, limits)
            self._show(kept, before, place, found)
            looked.unseen.extend(str(one) for one in found if one.what == UNSEEN)
            looked.rows.extend(found)
        return looked

    def _show(self, kept: KeptResult, before: Result, place: Path, found: Sequence[Compared]) -> None:
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
