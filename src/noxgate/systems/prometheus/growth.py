"""How much counters grew in a time, from the samples themselves: `increase()` guesses at both ends of it.

Summed over series. One that falls was reset, and grew by what it has since. One that begins in that time
began at 0 if its target was looked at just before and it was not there, or if its process started since: else
its first value may be a whole lifetime, and is kept apart. What a series counted between the last look at it
and its end, is unknown: as much as it ever grew between two looks is allowed for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite
from statistics import median

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems.prometheus.answers import Labels, Series
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.metric_queries import any_of

BEFORE = timedelta(minutes=5)  # in which a sample from before the time must lie
LONGEST = 150.0  # seconds to wait for the first look after it: two of Prometheus' longer intervals
GONE = 3  # intervals without a sample, and a series has ended

Point = tuple[datetime, float]


@dataclass(frozen=True)
class Growth:
    """`seen` at the least; `unseen` may have been counted in addition. `gaps`: looks that Prometheus missed.

    `first`: what series began with that may be older.
    """

    seen: float
    unseen: float
    gaps: int
    first: float = 0.0


@dataclass(frozen=True)
class KnownTargets:
    """Of targets, by all of their labels: when each answered, and when its processes started."""

    answered: Sequence[tuple[Labels, Sequence[datetime]]] = ()
    started: Sequence[tuple[Labels, Sequence[datetime]]] = ()

    def is_new(self, series: Series, start: datetime, every: timedelta) -> bool:
        """Whether a series that begins after the start began at 0."""
        begun = series.points[0][0]
        running = [at for at in _of(series, self.started) if at <= begun]
        looked = any(begun - GONE * every <= at < begun for at in _of(series, self.answered))
        return looked or (bool(running) and max(running) >= start)


def growth(prometheus: Prometheus, selector: str, start: datetime, end: datetime) -> Growth:
    """How much the counters of a selector grew. Raises UnreachableError if their samples do not tell."""

    def look() -> list[Series]:
        seconds = (end + timedelta(seconds=LONGEST) - start + BEFORE).total_seconds()
        found = prometheus.samples(selector, seconds, end + timedelta(seconds=LONGEST))
        assert _is_over(found, end), f"{selector}: expected a sample since {end:%H:%M:%S} UTC, saw none yet"
        return found

    left = (end - datetime.now(UTC)).total_seconds() + LONGEST
    try:
        found = eventually(look, within=left)
    except AssertionError as error:
        raise UnreachableError(str(error)) from None
    return grown(selector, found, start, end, lambda new: _known(prometheus, new, start, end))


def grown(
    selector: str,
    found: Sequence[Series],
    start: datetime,
    end: datetime,
    known: Callable[[Sequence[Series]], KnownTargets] = lambda _: KnownTargets(),
) -> Growth:
    """The same of samples that are there; `known` looks up the targets of series that begin late."""
    series = [one.points for one in found if one.points]
    if not all(isfinite(value) and value >= 0 for points in series for _, value in points):
        raise UnreachableError(f"{selector}: expected counters, saw a value that is not one")
    if not any(at <= start for points in series for at, _ in points):
        seen = "samples since then alone" if series else "no data"
        raise UnreachableError(
            f"{selector}: expected a sample from before {start:%Y-%m-%d %H:%M:%S} UTC, saw {seen}"
        )
    newest = max(points[-1][0] for points in series)
    every = _every(series)
    began = [one for one in found if one.points and one.points[0][0] > start]
    targets = known(began) if began else KnownTargets()
    total = unseen = first = 0.0
    gaps = 0
    for one in (one for one in found if one.points):
        points = one.points
        is_new = points[0][0] > start and targets.is_new(one, start, every)
        first += 0.0 if points[0][0] <= start or is_new else points[0][1]
        steps, resets = _steps(points, start, is_new=is_new)
        total += sum(steps)
        ended = points[-1][0] < min(newest, end) - GONE * every
        unseen += (resets + ended) * max(steps, default=0.0)
        gaps += sum(later - at > GONE * every for (at, _), (later, _) in pairwise(points))
    return Growth(total, unseen, gaps, first)


def _known(prometheus: Prometheus, new: Sequence[Series], start: datetime, end: datetime) -> KnownTargets:
    """What Prometheus knows of their targets; nothing of series that name none, such as a rule's."""
    jobs, instances = ({one.labels.get(label, "") for one in new} for label in ("job", "instance"))
    if "" in jobs | instances:
        return KnownTargets()
    of = f"job=~{any_of(jobs)},instance=~{any_of(instances)}"
    seconds = (end - start + BEFORE).total_seconds()
    answered = prometheus.samples(f"up{{{of}}}", seconds, end)
    started = prometheus.samples(f"process_start_time_seconds{{{of}}}", seconds, end)
    return KnownTargets(
        [(_target(one), [at for at, value in one.points if value == 1]) for one in answered],
        [(_target(one), _times(one)) for one in started],
    )


def _target(series: Series) -> Labels:
    return {name: value for name, value in series.labels.items() if name != "__name__"}


def _of(series: Series, known: Sequence[tuple[Labels, Sequence[datetime]]]) -> Iterator[datetime]:
    """What is known of the target of a series, which has all of its labels."""
    for labels, times in known:
        if labels.items() <= series.labels.items():
            yield from times


def _times(series: Series) -> list[datetime]:
    values = {value for _, value in series.points if isfinite(value)}
    return [datetime.fromtimestamp(value, UTC) for value in sorted(values)]


def _steps(points: Sequence[Point], start: datetime, *, is_new: bool) -> tuple[list[float], int]:
    """By how much a series grew from one look to the next since `start`, and how often it was reset."""
    before = [value for at, value in points if at <= start][-1:]
    values = [*(before or [0.0] * is_new), *(value for at, value in points if at > start)]
    steps = [after - value if after >= value else after for value, after in pairwise(values)]
    return steps, sum(after < value for value, after in pairwise(values))


def _is_over(found: Sequence[Series], end: datetime) -> bool:
    """Whether each series was looked at after the end, or is gone."""
    series = [one.points for one in found if one.points]
    if not series:
        return True  # and is refused
    newest, every = max(points[-1][0] for points in series), _every(series)
    return newest >= end and all(
        points[-1][0] >= end or points[-1][0] < newest - GONE * every for points in series
    )


def _every(series: Sequence[Sequence[Point]]) -> timedelta:
    """How far apart looks are."""
    between = [(later - at).total_seconds() for points in series for (at, _), (later, _) in pairwise(points)]
    return timedelta(seconds=median(between) if between else 0)
