"""What no load test can have measured: numbers that contradict each other, its ramp, or time itself.

Users who pause begin as many visits as pauses end, and are in a visit for as long as its requests take:
J. D. C. Little, Operations Research 9 (1961), 383. How many are in a visit is counted, so a target that is
slow, stands still or makes jobs wait contradicts nothing. A hold that its generator spoiled never passes,
and its users are not looked at.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from operator import add, sub

from noxgate.look.wording import counted
from noxgate.slo.holds import Second
from noxgate.slo.kept.counted import WEBSOCKET
from noxgate.slo.plan import CLASSES
from noxgate.slo.ramps import Ramp
from noxgate.slo.result import Held, Result

CLOCK = 15  # seconds that two clocks of one machine may be apart, where one of them is set meanwhile
FREE = 0.1  # share of visits, or of time, that may be missing or too much
SIGMAS = 6  # of what is drawn at random
HIDDEN = 1.5  # seconds of a visit, for each request, in which none is timed: connecting, the pause of a job
SOCKET = 3  # requests of a WebSocket: open, echo, close; of any other visit one, but for looks at its job
JOBS = "science"  # the class of those
SAME = 3  # response times that two seconds cannot share by chance: each has seven digits
EQUAL = 10  # requests of one second that cannot all have taken the same time
STEADY = 20  # seconds from which on their numbers of requests must differ
LEAST_SPREAD = 0.05  # of the variance of requests of users who choose at random
FEW = 5  # requests a second of which the spread says nothing
TAKEN = (200, 202)

Population = Mapping[int, int]  # users in a visit, at the end of each second


def impossible(result: Result) -> list[str]:
    """Why a result is of no load test that can have been run; empty if it may be one."""
    found = [*_other_form(result), *_other_times(result), *_other_counts(result), *_same_series(result)]
    found += _other_jobs(result)
    if result.schema == 1 or result.problems or found:
        return found
    population = _population(result)
    for held in result.holds:
        if not held.spoiled and held.end > held.start:
            found += [f"{held.name}: {why}" for why in _against_users(result, held, population)]
    return found


def cannot_be(result: Result) -> str:
    """The same in one line; empty if it may be one."""
    reasons = counted(impossible(result))
    return f"cannot have been measured: {'; '.join(reasons)}" if reasons else ""


def same_series(results: Sequence[Result]) -> bool:
    """Whether two of these results share what only one can have measured."""
    seen: Counter[object] = Counter(cell for result in results for cell in set(_cells(result)))
    seen.update(asked for result in results for asked in {job.asked for job in result.new_jobs})
    return max(seen.values(), default=0) > 1


def _other_form(result: Result) -> Iterator[str]:
    """Of other classes or levels than its ramp has."""
    if result.classes != CLASSES or not set(result.seconds) <= set(CLASSES):
        yield f"expected the classes {', '.join(CLASSES)}, saw {', '.join(result.classes) or 'none'}"
    levels = {level.name(number): level for number, level in enumerate(result.ramp.levels, 1)}
    names = [held.name for held in result.holds]
    if names != list(levels)[: len(names)]:
        yield f"expected the holds of its ramp in turn, saw {', '.join(names)}"
        return
    for held in result.holds:
        level = levels[held.name]
        if (held.users, held.judged, held.planned) != (level.users, level.judged, level.hold):
            yield f"{held.name}: expected it as the ramp has it, saw {held.users} users for {held.planned} s"


def _other_times(result: Result) -> Iterator[str]:
    """Not within its own time."""
    began, ended = result.start.timestamp() - CLOCK, result.end.timestamp() + CLOCK
    moments = [moment for held in result.holds for moment in (held.start, held.end)]
    moments += [at for by in result.seconds.values() for at in by]
    outside = [at for at in moments if not began <= at <= ended]
    if outside:
        yield f"expected all from {result.started} to {result.ended}, saw {len(outside)} seconds outside"
    for held in result.holds:
        if not 0 <= held.end - held.start <= held.planned:
            yield f"{held.name}: expected at most {held.planned} s, saw {held.end - held.start}"
    for before, after in pairwise(result.holds):
        if after.start < before.end:
            yield f"{after.name}: began {before.end - after.start} s before the hold before it had ended"


def _other_counts(result: Result) -> Iterator[str]:
    """More than was sent, or counted in two ways that differ."""
    outcomes: Counter[tuple[str, int, str]] = Counter()
    for name, by in result.seconds.items():
        for second in by.values():
            for (status, reason), count in second.outcomes.items():
                outcomes[name, status, reason] += count
    if result.schema > 1 and outcomes.total() > result.sent:
        yield f"expected at most the {result.sent} requests that were sent, saw {outcomes.total()} times"
    failed = {key: count for key, count in outcomes.items() if key[2] and count}
    listed: Counter[tuple[str, int, str]] = Counter()
    for one in result.failures:
        listed[one.group, one.status, one.reason] += one.count
    if failed != {key: count for key, count in listed.items() if count}:
        seen = f"{sum(failed.values())} and {listed.total()}"
        yield f"expected as many failures by second as by name, saw {seen}"
    taken = sum(count for (name, status, _), count in outcomes.items() if name == JOBS and status in TAKEN)
    if not 0 <= result.right <= result.accepted <= taken:
        yield f"expected at most {taken} jobs accepted and right, saw {result.accepted} and {result.right}"


def _other_jobs(result: Result) -> Iterator[str]:
    """New science that is of no hold, was asked for twice, or is right without a right result."""
    holds = {held.name: held for held in result.holds}
    most, over = result.ramp.new_jobs, result.end.timestamp() + CLOCK
    for (name, method), count in Counter((job.hold, job.method) for job in result.new_jobs).items():
        if name not in holds or method not in result.methods or count > most:
            yield f"expected at most {most} new jobs by each method on each hold, saw {count} of {method}"
    if len({job.asked for job in result.new_jobs}) < len(result.new_jobs):
        yield "asked for the same twice: it was not new"
    for job in result.new_jobs:
        held, values = holds.get(job.hold), (job.value or 0, (job.value or 0) / 1000)
        inside = held and held.start - CLOCK <= job.began <= held.end + CLOCK
        if not inside or not job.began <= job.ended <= over:
            yield f"expected {job.method} to be asked on {job.hold!r} and to end in time"
        right = job.status in TAKEN and any(job.low <= value <= job.high for value in values)
        if not job.wrong and not right:
            yield f"expected {job.low:g} to {job.high:g} of {job.method}, saw {job.value} as a right result"


def _same_series(result: Result) -> Iterator[str]:
    """The same times again, or numbers that no user who chooses at random sends."""
    repeated = sum(count for count in Counter(_cells(result)).values() if count > 1)
    if repeated:
        yield f"{repeated} seconds have the very response times of another: identical series"
    equal = sum(
        len(second.times) >= EQUAL
        and min(second.times) == max(second.times) > 0
        and not any(reason for _, reason in second.outcomes)  # one that gives up does so at its time
        for by in result.seconds.values()
        for second in by.values()
    )
    if equal:
        yield f"in {equal} seconds all requests took the same time, to the last digit"
    for held in result.holds:
        for name in result.classes:
            if _too_steady(_requests(result, name, range(held.start, held.end))):
                yield f"{held.name}: as many requests of {name} in each second: users do not choose so"


def _against_users(result: Result, held: Held, population: Population) -> Iterator[str]:
    """Users, pauses, visits and response times that do not meet."""
    seconds = range(held.start, held.end)
    there = [result.users[at] for at in seconds if at in result.users]
    if len(there) < len(seconds) / 2 or min(there) < held.users:
        yield f"expected {held.users} users all the time, saw {min(there, default=0)} in {len(there)} s"
        return
    visitors = [population.get(at, 0) for at in seconds]
    before = [population.get(at - 1, 0) for at in seconds]
    if min(visitors) < 0 or max(visitors) > max(there) * (1 + FREE):
        yield f"expected 0 to {max(there)} users in a visit, saw {min(visitors)} to {max(visitors)}"
        return
    began = sum(result.visits.get(at, (0, 0))[0] for at in seconds)
    sent = {name: sum(_requests(result, name, seconds)) for name in result.classes}
    requests = sum(sent.values())
    if began > requests + max(there):
        yield f"expected a request of each of {began} visits, saw {requests}"
    fewest = requests - sent[JOBS] - sent[WEBSOCKET] + sent[WEBSOCKET] // SOCKET
    if fewest > began + max(there):
        yield f"expected {fewest} visits at the least for so many requests, saw {began}"
    busy = _under_way(result, held)
    # counted at the end of each second: when within it they came or went is not known
    inside = sum(map(add, before, visitors)) / 2
    unknown = sum(map(abs, map(sub, visitors, before))) / 2
    yield from _against_pauses(result.ramp, held, began, (inside - unknown, inside + unknown), max(there))
    most = busy * (1 + FREE) + HIDDEN * requests + held.users
    if not busy * (1 - FREE) - held.users - unknown <= inside <= most + unknown:
        seen = (
            f"{inside / len(seconds):.0f} users in a visit and {busy / len(seconds):.0f} requests under way"
        )
        yield f"saw {seen}: users and response times do not meet"


def _against_pauses(
    ramp: Ramp, held: Held, began: int, inside: tuple[float, float], users: int
) -> Iterator[str]:
    """How many visits begin: with a rate so many a second, else as many as pauses end.

    `inside`: the seconds that users spent in visits, at the least and at the most.
    """
    length, (low, high) = held.end - held.start, ramp.think
    if not (ramp.rate or high):
        return
    if ramp.rate:
        least = most = ramp.rate * length
        spread = SIGMAS * sqrt(most)
        who = "arrivals"
    else:
        pause = (low + high) / 2
        least = (held.users * length - inside[1]) / (pause + 2 * ramp.lag_ms / 1000)
        most = (users * length - inside[0]) / pause
        # each user's pauses are cut at both ends
        spread = users + SIGMAS * (high - low) / sqrt(12) / pause * sqrt(max(0.0, most))
        who = f"visits of {held.users} users who pause for {low:g} to {high:g} s"
    if not least * (1 - FREE) - spread <= began <= most * (1 + FREE) + spread:
        seen = f"{began / length:.0f}: they do not meet"
        yield f"expected about {most / length:.0f} a second, {who}, saw {seen}"


def _population(result: Result) -> Population:
    """How many users are in a visit at the end of each second, from the first visit to the last."""
    found: dict[int, int] = {}
    there = 0
    seconds = sorted(result.visits)
    for at in range(seconds[0], seconds[-1] + 1) if seconds else ():
        began, ended = result.visits.get(at, (0, 0))
        there += began - ended
        found[at] = there
    return found


def _under_way(result: Result, held: Held) -> float:
    """The seconds that requests were under way during a hold, those that began before it as well."""
    found = 0.0
    for by in result.seconds.values():
        for at, second in by.items():
            if at < held.end:
                left = held.end - at - 0.5  # requests begin, on the average, in the middle of their second
                gone = max(0.0, held.start - at - 0.5)
                found += sum(max(0.0, min(seconds, left) - gone) for seconds in second.times)
    return found


def _cells(result: Result) -> Iterator[tuple[float, ...]]:
    """The sorted response times of each class and second, where no other can have the same."""
    for by in result.seconds.values():
        for second in by.values():
            if len(set(second.times)) >= SAME:
                yield tuple(sorted(second.times))


def _too_steady(counts: Sequence[int]) -> bool:
    mean = sum(counts) / max(1, len(counts))
    squares = sum((count - mean) ** 2 for count in counts)
    return len(counts) >= STEADY and mean >= FEW and squares < LEAST_SPREAD * mean * (len(counts) - 1)


def _requests(result: Result, name: str, seconds: range) -> list[int]:
    """How many of a class were to be sent in each of these seconds."""
    by = result.seconds.get(name, {})
    return [len(by.get(at, _NOTHING).times) for at in seconds]


_NOTHING = Second()
