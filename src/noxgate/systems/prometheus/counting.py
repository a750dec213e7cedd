"""By how much counters grew, from one scrape to the next, with what a series began with.

`rate()` and `increase()` never see the first value of a series: they look at differences, and nothing was
there before. Yet a burst of errors begins a series of its own, and so do the first requests of a path. So
each scrape of a target is compared with the last one that it answered. A class, such as a status, that was
not there began at 0

- if that scrape was a moment ago; or
- if the process started within the time that is looked at: all that it ever counted lies in it.

Any other first value may be a whole lifetime: it is not counted, and said. So is what grew over a gap that
begins before the time that is looked at. It is kept beside the rest, so that a judgement that hangs on it can
be left open.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate

from noxgate.errors import UnreachableError
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.metric_queries import SAID

RECENT = 3  # scrapes: if all of them failed, there is a gap

Classes = Mapping[str, float]  # such as status -> how many
Target = tuple[tuple[str, str], ...]
Ask = Callable[[str, datetime, int], Iterable[Sequence[Series]]]  # what, since when, each so many seconds


@dataclass(frozen=True)
class Counting:
    """How the counters of a selector are asked for. `up` are the scrapes that brought them.

    `labels` are a target's own: a series and its `up` have them in common. `started` says of each pod when
    its process did, in seconds. What was counted `before` is looked up, and belongs to no step.
    """

    selector: str
    up: str
    labels: Sequence[str]
    started: str
    since: datetime
    until: datetime
    before: timedelta
    every: int  # seconds between two scrapes

    def scraped(self, by: str) -> str:
        """What each scrape brought, summed by class. A range has one: without what lies on its beginning."""
        return f"sum by ({','.join([*self.labels, by])}) (last_over_time({self.selector}[{self._one}]))"

    def answered(self) -> str:
        """Which scrapes were answered."""
        return f"max_over_time({self.up}[{self._one}]) == 1"

    @property
    def _one(self) -> str:
        return f"{self.every * 1000 - 1}ms"


@dataclass(frozen=True)
class Grown:
    """By class, at each scrape. `first` is what was not counted, and is in no step; `pods`, whose it is."""

    steps: Mapping[datetime, Classes]
    first: Mapping[datetime, Classes]
    pods: Sequence[str] = ()

    def windows(
        self, since: datetime, until: datetime, step: int, seconds: int, *, everything: bool = False
    ) -> Iterator["CountedWindow"]:
        """What was counted in so many seconds up to the end of each step, where there are so many."""
        each = timedelta(seconds=step)
        slots: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for part in (self.steps, self.first) if everything else (self.steps,):
            for at, classes in part.items():
                _add(slots[math.ceil((at - since) / each)], classes)
        many = max(1, seconds // step)
        for end in range(many, (until - since) // each + 1):
            summed: dict[str, float] = defaultdict(float)
            for slot in range(end - many + 1, end + 1):
                _add(summed, slots.get(slot, {}))
            yield CountedWindow(since + end * each, summed)

    @cached_property
    def said(self) -> str:
        """What was not counted, and why, in one line; empty if all was."""
        summed: dict[str, float] = defaultdict(float)
        for classes in self.first.values():
            _add(summed, classes)
        if not summed:
            return ""
        of_all = summed.get("+Inf")  # each bucket has what is in those before it
        shown = f"{of_all:g}" if of_all else ", ".join(f"{name}: {n:g}" for name, n in sorted(summed.items()))
        return (
            f"not counted: first values ({shown}) from {min(self.first):%Y-%m-%d %H:%M} UTC on, maybe older, "
            f"of pods that were neither scraped just before nor started since: {', '.join(self.pods)}"
        )


@dataclass(frozen=True)
class CountedWindow:
    """What was counted up to a moment, by class."""

    at: datetime
    counted: Classes

    @property
    def total(self) -> float:
        return sum(self.counted.values())

    def percent(self, of: Callable[[str], bool]) -> float:
        """The share of these classes; NaN where nothing was counted."""
        some = sum(amount for name, amount in self.counted.items() if of(name))
        return 100 * some / self.total if self.total > 0 else math.nan

    def quantile(self, share: float) -> float:
        """Of buckets, by their edges; as histogram_quantile() has it, NaN where all are empty."""
        by_edge = sorted((float(edge), amount) for edge, amount in self.counted.items())
        edges = [edge for edge, _ in by_edge]
        counts = list(accumulate((amount for _, amount in by_edge), max))
        if not counts or counts[-1] <= 0:
            return math.nan
        if len(edges) == 1 or not math.isinf(edges[-1]):
            raise UnreachableError(f'expected buckets, and one with le="+Inf"; saw {edges}')
        rank = share * counts[-1]
        at = next(number for number, count in enumerate(counts) if count >= rank)
        if at == len(edges) - 1:
            return edges[-2]
        low, below = (edges[at - 1], counts[at - 1]) if at else (min(0.0, edges[0]), 0.0)
        return low + (edges[at] - low) * (rank - below) / (counts[at] - below) if counts[at] > below else low


def count(counting: Counting, by: str, ask: Ask) -> Grown:
    """The growth, in three questions: what scrapes brought, which were answered, when processes started."""
    first = counting.since - counting.before
    started = _starts(ask(counting.started, backwards(counting.until, first, SAID), SAID))
    counter = _Counter(counting, started)
    for scraped, answered in zip(
        ask(counting.scraped(by), first, counting.every),
        ask(counting.answered(), first, counting.every),
        strict=True,
    ):
        for at, target, classes in _scrapes(scraped, answered, by):
            counter.look(at, target, classes)
    return Grown(counter.steps, counter.first, sorted(counter.pods))


def backwards(until: datetime, first: datetime, step: int) -> datetime:
    """Where steps have to begin, at that time or before, to end at the very end."""
    return until - math.ceil((until - first) / timedelta(seconds=step)) * timedelta(seconds=step)


@dataclass
class _Counter:
    """Goes through the scrapes in their order, and keeps of each target the last that it answered."""

    counting: Counting
    started: Mapping[str, Sequence[datetime]]
    steps: dict[datetime, dict[str, float]] = field(default_factory=lambda: defaultdict(_none))
    first: dict[datetime, dict[str, float]] = field(default_factory=lambda: defaultdict(_none))
    pods: set[str] = field(default_factory=set)
    last: dict[Target, tuple[datetime, Classes]] = field(default_factory=dict)

    def look(self, at: datetime, target: Target, classes: Classes) -> None:
        when, before = self.last.get(target, (None, {}))
        self.last[target] = at, classes
        if at <= self.counting.since:
            return
        pod = dict(target).get("pod", "")
        recent = when is not None and at - when <= timedelta(seconds=RECENT * self.counting.every)
        is_known = recent or (when is not None and when >= self.counting.since)  # as far as it goes back
        is_young = self._is_young(pod, at)
        steps = self.steps[at]
        for name, amount in classes.items():
            grown = amount - before.get(name, 0.0)
            grown = amount if grown < 0 else grown
            if not grown or is_young or (is_known if name in before else recent):
                steps[name] += grown
            else:
                self.first[at][name] += grown
                self.pods.add(pod)

    def _is_young(self, pod: str, at: datetime) -> bool:
        """Whether the process that runs at that time started within what is looked at."""
        running = [began for began in self.started.get(pod, ()) if began <= at]
        return bool(running) and running[-1] >= self.counting.since


def both_ways(counted: float, everything: float, limit: float, said: str) -> str:
    """Why a limit is neither kept nor broken."""
    seen = "no request" if math.isnan(counted) else f"{counted:.4g}"
    return (
        f"expected less than {limit:g}, whether what was not counted is counted or not, saw {seen}, and "
        f"{everything:.4g} with it; {said}"
    )


def _scrapes(
    scraped: Iterable[Series], answered: Iterable[Series], by: str
) -> Iterator[tuple[datetime, Target, Classes]]:
    """Each answered scrape with what it brought, those of one target in the order of time."""
    found: dict[Target, dict[datetime, dict[str, float]]] = defaultdict(dict)
    for one in answered:
        found[_target(one, "__name__")].update((at, {}) for at, _ in one.points)
    for one in scraped:
        scrapes, name = found[_target(one, by)], one.labels.get(by, "")
        for at, amount in one.points:
            scrapes.setdefault(at, {})[name] = amount
    for target, scrapes in found.items():
        for at in sorted(scrapes):
            yield at, target, scrapes[at]


def _target(series: Series, but: str) -> Target:
    return tuple(sorted((name, value) for name, value in series.labels.items() if name != but))


def _starts(found: Iterable[Sequence[Series]]) -> Mapping[str, Sequence[datetime]]:
    """Pod -> when its processes started."""
    starts: dict[str, set[float]] = defaultdict(set)
    for part in found:
        for one in part:
            starts[one.labels.get("pod", "")] |= {value for _, value in one.points if math.isfinite(value)}
    return {
        pod: [datetime.fromtimestamp(value, UTC) for value in sorted(each)] for pod, each in starts.items()
    }


def _none() -> dict[str, float]:
    return defaultdict(float)


def _add(summed: dict[str, float], more: Classes) -> None:
    for name, amount in more.items():
        summed[name] += amount
