"""The newest load tests beside that of the release before: what may be compared, class by class."""

from collections.abc import Iterator
from dataclasses import replace

from noxgate.slo.before.judging import Compared, Limits, VersionTimes, compared
from noxgate.slo.before.ratio import Timed
from noxgate.slo.holds import Bad, Hold, in_windows, spoiled, total, unseen
from noxgate.slo.ramps import is_as
from noxgate.slo.result import Generator, Result
from noxgate.slo.slos import SloOutcome
from noxgate.slo.table import incomplete

UNSEEN = "all"  # of a class that one of both did not measure


def unlike(now: Result, before: Result, clock_percent: float) -> list[str]:
    """Why two results cannot be compared: another ramp, kind of target or generator; empty if they can."""
    found = []
    if before.target != now.target or before.rehearsal != now.rehearsal:
        found.append(f"it measured {_kind(before)}, and the new one {_kind(now)}")
    # what is new is asked beside the users, and is in no response time
    if not is_as(replace(before.ramp, new_jobs=now.ramp.new_jobs, what=now.ramp.what), now.ramp):
        found.append(f"its ramp {before.ramp.name} is another than the new one's")
    if before.processes != now.processes:
        found.append(f"it was sent by {before.processes} processes, the new one by {now.processes}")
    if not (before.generators and now.generators):
        which = "neither says" if not before.generators and not now.generators else "only one of them says"
        found.append(f"{which} on what machine its generator ran: run the load test again")
    else:
        found += _other_machines(now, before, clock_percent)
    found += [f"it is not a whole load test: {why}" for why in incomplete(before)]
    return found


def _kind(result: Result) -> str:
    return f"a rehearsal ({result.target})" if result.rehearsal else result.target


def _other_machines(now: Result, before: Result, clock_percent: float) -> Iterator[str]:
    def by_size(result: Result) -> list[Generator]:
        return sorted(result.generators, key=lambda one: (one.cores, one.mhz, one.processor))

    for new, old in zip(by_size(now), by_size(before), strict=False):
        apart = 100 * abs(new.mhz - old.mhz) / max(new.mhz, old.mhz, 1)
        # a rate that neither system tells leaves the processor's name
        same = apart <= clock_percent if new.mhz and old.mhz else new.processor == old.processor != ""
        if new.cores != old.cores or not same:
            yield f"its generator ran on {old}, that of the new one on {new}"
            return
    if len(now.generators) != len(before.generators):
        yield f"it was sent from {len(before.generators)} machines, the new one from {len(now.generators)}"


def beside(now: Result, before: Result, limits: Limits) -> list[Compared]:
    """Every class on each hold that is judged for all."""
    earlier = {held.name: hold for held, hold in before.judged_holds()}
    found = []
    for number, (held, hold) in enumerate(now.judged_holds()):
        # a hold of another length has another name; such a ramp has one alone
        other = earlier.get(held.name) or [*earlier.values()][number]
        if held.judged == "all":
            for name in hold.classes:
                found += _of_class(name, hold, other, limits)
    return found


def _of_class(name: str, hold: Hold, other: Hold, limits: Limits) -> list[Compared]:
    where = f"{name} on {hold.name!r}"
    for which, each in (("", hold), ("before: ", other)):
        why = spoiled(each, [name]) or unseen(each, [name])
        if why:
            return [Compared(where, UNSEEN, SloOutcome.UNDECIDED, f"{which}{why}")]
    return compared(where, side(hold, name), side(other, name), limits)


def side(hold: Hold, name: str) -> VersionTimes:
    """One class on one hold, by its windows."""
    windows = in_windows(hold.of([name]), hold.window)
    times = [sorted(time for moment in one for second in moment for time in second.times) for one in windows]
    failed = [total(second.count(Bad.FAILED, 0) for moment in one for second in moment) for one in windows]
    return VersionTimes(Timed(times), failed)
