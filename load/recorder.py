"""Samples by class and second: exact counts, and response times to 0.1 %. Merging loses nothing.

A response time is kept as the number of its bucket, two bytes: 512 buckets for each power of two seconds.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, frexp, inf, ldexp
from typing import Any

from load.samples import Reason, Sample

STEPS = 512
OFFSET = 29  # octaves below one second
SHORTEST = 2.0 ** -(OFFSET + 1)  # half a nanosecond, where the first bucket ends
LONGEST = 2.0**97  # above it there is no bucket in two bytes

Outcomes = Counter[tuple[int, str]]  # (status, reason): requests
Measured = tuple["array[float]", Outcomes, dict[float, int]]
Problems = Counter[tuple[str, str, int, str]]  # (class, name, status, reason): requests


def bucket(seconds: float) -> int:
    """The bucket of a response time."""
    if not SHORTEST < seconds < LONGEST:
        return 0 if seconds <= SHORTEST else bucket(LONGEST / 2)
    mantissa, exponent = frexp(seconds)
    return int((mantissa + mantissa + exponent + OFFSET) * STEPS)


def middle(number: int) -> float:
    """The response time that stands for a bucket: no sample in it is 0.1 % away."""
    exponent, step = divmod(number, STEPS)
    return ldexp((1 + (step + 0.5) / STEPS) / 2, exponent - OFFSET - 1)


class Open:
    """A class in the second that is being recorded: only what must be done at once."""

    __slots__ = ("failures", "lowest", "over", "statuses", "times")

    def __init__(self, limits: Sequence[float]) -> None:
        self.lowest = min(limits, default=inf)
        self.over = [0] * len(limits)
        self.times = array("H")
        self.statuses = array("H")
        self.failures: Problems = Counter()


@dataclass(slots=True)
class Cell:
    """One class in one second (in which the requests were to be sent)."""

    requests: int = 0
    failures: int = 0
    over: list[int] = field(default_factory=list)  # requests over each of the class's limits, exactly
    outcomes: Outcomes = field(default_factory=Counter)
    times: "array[int]" = field(default_factory=lambda: array("H"))

    def add(self, other: "Cell") -> None:
        """Take the requests of another cell as well."""
        self.requests += other.requests
        self.failures += other.failures
        self.over = [mine + its for mine, its in zip(self.over, other.over, strict=True)]
        self.outcomes.update(other.outcomes)
        self.times.extend(other.times)


class Recorder:
    """What one process recorded; on a master, what all of its workers did.

    `limits` are seconds for each class. `open_model` measures from when a request was to begin.
    """

    def __init__(self, limits: Mapping[str, Sequence[float]], *, open_model: bool = False) -> None:
        self._limits = {group: tuple(seconds) for group, seconds in limits.items()}
        self._open_model = open_model
        self._second = 0
        self._open: dict[str, Open] = {}
        self._opened: dict[int, dict[str, Open]] = {}
        self._retried = 0
        self.cells: dict[tuple[str, int], Cell] = {}
        self.problems: Problems = Counter()
        self.retried = 0

    def record(self, sample: Sample) -> None:
        """Count one sample."""
        # When it was to be sent: a request that hangs for longer than the hold lasts is one of the hold's.
        second = int(sample.began - sample.late if self._open_model else sample.began)
        if second != self._second:
            self._second = second
            self._open = self._opened.setdefault(second, {})
        group = sample.group
        cell = self._open.get(group)
        if cell is None:
            cell = self._open[group] = Open(self._limits.get(group, ()))
        seconds = sample.ended - sample.began + sample.late if self._open_model else sample.seconds
        cell.times.append(bucket(seconds))
        cell.statuses.append(sample.status)
        if seconds > cell.lowest:
            for place, limit in enumerate(self._limits[group]):
                cell.over[place] += seconds > limit
        if sample.error:
            cell.failures[group, sample.name, sample.status, sample.error] += 1
        if sample.retried:
            self._retried += 1

    def drain(self) -> dict[str, Any]:
        """What was recorded since the last time, for a master: numbers, texts and bytes only."""
        opened, self._opened, self._open, self._second = self._opened, {}, {}, 0
        retried, self._retried = self._retried, 0
        problems: Problems = Counter()
        cells = []
        for second, groups in opened.items():
            for group, cell in groups.items():
                problems.update(cell.failures)
                outcomes = Counter((status, "") for status in cell.statuses)
                for (_, _, status, reason), count in cell.failures.items():
                    outcomes[status, ""] -= count
                    outcomes[status, str(reason)] += count
                counted = [[status, reason, count] for (status, reason), count in outcomes.items() if count]
                failures = cell.failures.total()
                cells.append(
                    [group, second, len(cell.times), failures, cell.over, counted, cell.times.tobytes()]
                )
        return {
            "limits": {group: list(limits) for group, limits in self._limits.items()},
            "retried": retried,
            "problems": [[*key[:3], str(key[3]), count] for key, count in problems.items()],
            "cells": cells,
        }

    def merge(self, drained: Mapping[str, Any]) -> None:
        """Take what a worker drained; ValueError where its limits are not ours."""
        if {group: tuple(limits) for group, limits in drained["limits"].items()} != self._limits:
            raise ValueError(f"expected a worker with the limits {self._limits}, saw {drained['limits']}")
        for group, second, requests, failures, over, outcomes, times in drained["cells"]:
            counted = Counter({(status, reason): count for status, reason, count in outcomes})
            cell = Cell(requests, failures, list(over), counted, array("H", times))
            if len(cell.times) != requests or counted.total() != requests:
                raise ValueError(f"expected {requests} requests of {group}, saw {len(cell.times)} times")
            self._cell(group, second).add(cell)
        for group, name, status, reason, count in drained["problems"]:
            self.problems[group, name, status, reason] += count
        self.retried += drained["retried"]

    def settle(self) -> None:
        """Move what this process recorded itself to where merged cells are."""
        self.merge(self.drain())

    def window(self, groups: Iterable[str], start: int, end: int) -> Iterator[Cell]:
        """The cells of these classes in the seconds from `start` to before `end`, empty ones as well."""
        for group in groups:
            for second in range(start, end):
                yield self.cells.get((group, second)) or self._new(group)

    def seconds(self) -> dict[str, dict[int, Measured]]:
        """What was merged, by class and second, as SLOs are judged on: times, outcomes, counts by limit."""
        found: dict[str, dict[int, Measured]] = {}
        for (group, second), cell in self.cells.items():
            times = array("f", map(middle, cell.times))
            over = dict(zip(self._limits.get(group, ()), cell.over, strict=True))
            found.setdefault(group, {})[second] = (times, cell.outcomes, over)
        return found

    @property
    def requests(self) -> int:
        """All requests that were merged."""
        return sum(cell.requests for cell in self.cells.values())

    def _cell(self, group: str, second: int) -> Cell:
        return self.cells.setdefault((group, second), self._new(group))

    def _new(self, group: str) -> Cell:
        return Cell(over=[0] * len(self._limits.get(group, ())))


def percentile(times: Iterable[int], share: float) -> float:
    """The response time that `share` of the requests in these buckets did not exceed (nearest rank).

    ValueError where there is none.
    """
    counts = Counter(times)
    total = counts.total()
    if not total:
        raise ValueError("no request, no percentile")
    rank = max(1, ceil(share * total - 1e-9))
    for number in sorted(counts):
        rank -= counts[number]
        if rank <= 0:
            return middle(number)
    raise AssertionError("unreachable: the ranks sum up")


def reasons(cells: Iterable[Cell]) -> Counter[Reason]:
    """How often each reason made a request fail."""
    found: Counter[Reason] = Counter()
    for cell in cells:
        for (_, reason), count in cell.outcomes.items():
            if reason:
                found[Reason(reason)] += count
    return found
