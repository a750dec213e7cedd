"""What a load test measured while it held its load: each class by second, and what makes it no proof."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, pairwise
from math import exp, isfinite
from typing import TypeVar

from noxgate.slo.confidence import Counts, wilson

ROLLING = 10  # seconds: the worst of these is shown
CHANCE = 0.001  # a pause that Poisson arrivals have less often than in one hold of a thousand is a stall
OURS = frozenset({"script", "own limit", "killed"})  # the generator's own failures, by their reason
NO_CERTIFICATE = "client certificate"  # the edge asks for one, as its reason says
LIMITED = 429
SERVER_ERROR = 500

T = TypeVar("T")


class Bad(StrEnum):
    """What makes a request a bad one."""

    SLOW = "slow"  # over a limit
    FAILED = "failed"  # for any reason
    WRONG = "wrong"  # there was an answer, not the right one
    SERVER_ERROR = "answered 5xx"


@dataclass(frozen=True, slots=True)
class Second:
    """One class in one second; seconds of several workers can be added. Raises ValueError if counts disagree.

    `times`: the response time of each request in seconds, as exact as its giver has it: nothing is decided by
    it. `outcomes`: requests by (status or 0, reason or ""). `over`: requests that took longer than a limit,
    by the limit's seconds.
    """

    times: "array[float]" = field(default_factory=lambda: array("f"))
    outcomes: Mapping[tuple[int, str], int] = field(default_factory=dict)
    over: Mapping[float, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        requests = len(self.times)
        if sum(self.outcomes.values()) != requests or min(self.outcomes.values(), default=0) < 0:
            raise ValueError(f"expected the outcomes of {requests} requests, saw {dict(self.outcomes)}")
        if not all(0 <= count <= requests for count in self.over.values()):
            raise ValueError(f"expected 0 to {requests} requests over a limit, saw {dict(self.over)}")
        if not all(map(isfinite, self.times)) or min(self.times, default=0) < 0:
            raise ValueError("expected response times of 0 s or more, saw one that is negative or no number")

    def __add__(self, other: "Second") -> "Second":
        if self.over.keys() != other.over.keys():
            raise ValueError(
                f"expected counts over {sorted(self.over)} s, saw them over {sorted(other.over)} s"
            )
        over = {seconds: count + other.over[seconds] for seconds, count in self.over.items()}
        return Second(self.times + other.times, Counter(self.outcomes) + Counter(other.outcomes), over)

    def count(self, bad: Bad, limit: float) -> Counts:
        """How many requests there were, and how many were bad.

        Raises KeyError if not counted over that limit.
        """
        if not self.times:
            return 0, 0
        if bad is Bad.SLOW:
            return len(self.times), self.over[limit]
        return len(self.times), sum(count for kind, count in self.outcomes.items() if _IS[bad](*kind))


_IS: Mapping[Bad, Callable[[int, str], bool]] = {
    Bad.FAILED: lambda _, reason: reason != "",
    Bad.WRONG: lambda status, reason: reason != "" and status > 0,
    Bad.SERVER_ERROR: lambda status, _: status >= SERVER_ERROR,
}


@dataclass(frozen=True)
class Hold:
    """A time of steady load: the seconds from `start` to before `end`.

    `seconds` has what was measured by class and the second in which a request was to be sent: by the one of
    its end, those that hang would be missing on their hold. An absent second had no request. `classes` are
    all that were to send. `quiet`: seconds in which none was to be sent. `spoiled`: why its numbers prove
    nothing about the target (generator busy, worker lost, arrivals dropped, …); empty when they do.
    """

    name: str
    start: int
    end: int
    classes: tuple[str, ...]
    seconds: Mapping[str, Mapping[int, Second]]
    window: int = 5
    quiet: frozenset[int] = frozenset()
    spoiled: tuple[str, ...] = ()

    def moments(self) -> list[int]:
        """The seconds in which requests were to be sent."""
        return [second for second in range(self.start, self.end) if second not in self.quiet]

    def of(self, classes: Iterable[str]) -> list[list[Second]]:
        """For each of its moments what these classes did in it."""
        measured = [self.seconds.get(name, {}) for name in classes]
        return [[by[moment] for by in measured if moment in by] for moment in self.moments()]


@dataclass(frozen=True, slots=True)
class Worst:
    """The `seconds` from `after` seconds into the hold that are the surest to be the worst."""

    after: int
    seconds: int
    requests: int
    bad: int


def spoiled(hold: Hold, classes: Sequence[str]) -> str:
    """Why the numbers of these classes are not the target's; empty if they are."""
    if hold.spoiled:
        return "; ".join(hold.spoiled)
    for name in hold.classes:
        for second in (second for moment in hold.of([name]) for second in moment):
            for status, reason in second.outcomes:
                if reason in OURS:
                    return f"the generator failed ({reason}): the numbers are its own"
                if reason == NO_CERTIFICATE and name in classes:
                    return f"{name} was asked for a client's certificate: the edge was measured, not the API"
                if status == LIMITED and name in classes:
                    return f"{name} was answered {LIMITED}: a rate limiter was measured, not the API"
    return ""


def unseen(hold: Hold, classes: Sequence[str]) -> str:
    """What was not measured and should have been: a class, or what a stall kept from being sent."""
    for name in classes:
        if not any(second.times for moment in hold.of([name]) for second in moment):
            return f"no samples of {name}"
    counts = [sum(len(second.times) for second in moment) for moment in hold.of(hold.classes)]
    pauses = [len(list(run)) for empty, run in groupby(counts, key=lambda count: count == 0) if empty]
    longest = max(pauses, default=0)
    if longest and len(counts) * exp(-sum(counts) / len(counts) * longest) < CHANCE:
        return f"no request at all for {longest} s: what was not sent in a stall was not measured"
    return ""


def unanswered(hold: Hold, classes: Sequence[str]) -> str:
    """Why there is no response time: each request of a class failed, and what is refused at once is quick."""
    for name in classes:
        reasons = {reason for moment in hold.of([name]) for second in moment for _, reason in second.outcomes}
        if "" not in reasons:
            return f"no right answer of {name}: what fails has no response time"
    return ""


def worst(hold: Hold, counts: Sequence[Counts]) -> Worst | None:
    """The worst rolling window, from counts by moment of the hold; None if nothing bad was seen."""
    span = min(len(counts), max(ROLLING, hold.window))
    parts = [(start, total(counts[start : start + span])) for start in range(len(counts) - span + 1)]
    bad = [(start, part) for start, part in parts if part[1]]
    if not bad:
        return None
    start, part = max(bad, key=lambda item: wilson(item[1][1], item[1][0])[0])
    return Worst(hold.moments()[start] - hold.start, span, *part)


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of several."""
    requests = bad = 0
    for some, some_bad in counts:
        requests, bad = requests + some, bad + some_bad
    return requests, bad


def in_windows(parts: Sequence[T], size: int) -> list[Sequence[T]]:
    """Parts of `size` seconds; what is left at the end belongs to the last whole one."""
    ends = [*range(size, len(parts) - size + 1, size), len(parts)]
    return [parts[start:end] for start, end in pairwise([0, *ends])]
