"""Samples by class and second: exact counts, and response times to a ten-millionth. Merging loses nothing.

A response time is kept as a float of four bytes. It costs less than finding the bucket of a histogram for it,
and 1,000 requests/s for an hour are 14 MB.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

from noxgate_load.samples import Reason, Sample

Outcomes = Counter[tuple[int, str]]  # (status, reason): requests
Measured = tuple["array[float]", Outcomes, dict[float, int]]
Problems = Counter[tuple[str, str, int, str]]  # (class, name, status, reason): requests


class Open:
    """A class in the second that is being recorded: only what must be done at once."""

    __slots__ = ("failures", "lowest", "over", "statuses", "times")

    def __init__(self, limits: Sequence[float]) -> None:
        self.lowest = min(limits, default=inf)
        self.over = [0] * len(limits)
        self.times = array("f")
        self.statuses = array("H")
        self.failures: Problems = Counter()


@dataclass(slots=True)
class Cell:
    """One class in one second (in which the requests were to be sent)."""

    requests: int = 0
    failures: int = 0
    over: list[int] = field(default_factory=list)  # requests over each of the class's limits, exactly
    outcomes: Outcomes = field(default_factory=Counter)
    times: "array[float]" = field(default_factory=lambda: array("f"))

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
        self._from = self._until = 0.0  # the second that is being recorded
        self._open: dict[str, Open] = {}
        self._opened: dict[int, dict[str, Open]] = {}
        self._retried = 0
        self.cells: dict[tuple[str, int], Cell] = {}
        self.problems: Problems = Counter()
        self.retried = 0

    def record(self, sample: Sample) -> None:
        """Count one sample."""
        if self._open_model:
            sample = _as_intended(sample)
        # When it was to be sent: a request that hangs for longer than the hold lasts is one of the hold's.
        if not self._from <= sample.began < self._until:
            self._begin(int(sample.began))
        seconds = sample.seconds
        try:
            cell = self._open[sample.group]
        except KeyError:
            cell = self._open[sample.group] = Open(self._limits.get(sample.group, ()))
        cell.times.append(seconds)
        cell.statuses.append(sample.status)
        if seconds > cell.lowest:
            for place, limit in enumerate(self._limits[sample.group]):
                cell.over[place] += seconds > limit
        if sample.error:
            cell.failures[sample.group, sample.name, sample.status, sample.error] += 1
        if sample.retried:
            self._retried += 1

    def drain(self) -> dict[str, Any]:
        """What was recorded since the last time, for a master: numbers, texts and bytes only."""
        opened, self._opened, self._open, self._until = self._opened, {}, {}, 0.0
        retried, self._retried = self._retried, 0
        problems: Problems = Counter()
        cells = []
        for second, groups in opened.items():
            for group, cell in groups.items():
                problems.update(cell.failures)
                outcomes = Counter({(status, ""): count for status, count in Counter(cell.statuses).items()})
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

    def merge(self, drained: Mapping[str, Any], shift: int = 0) -> None:
        """Take what a worker drained, its seconds moved. Raises ValueError if its limits are not ours."""
        if {group: tuple(limits) for group, limits in drained["limits"].items()} != self._limits:
            raise ValueError(f"expected a worker with the limits {self._limits}, saw {drained['limits']}")
        for group, second, requests, failures, over, outcomes, times in drained["cells"]:
            counted = Counter({(status, reason): count for status, reason, count in outcomes})
            cell = Cell(requests, failures, list(over), counted, array("f", times))
            if len(cell.times) != requests or counted.total() != requests:
                raise ValueError(f"expected {requests} requests of {group}, saw {len(cell.times)} times")
            self._cell(group, second + shift).add(cell)
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
            over = dict(zip(self._limits.get(group, ()), cell.over, strict=True))
            found.setdefault(group, {})[second] = (cell.times, cell.outcomes, over)
        return found

    @property
    def requests(self) -> int:
        """All requests that were merged."""
        return sum(cell.requests for cell in self.cells.values())

    def _begin(self, second: int) -> None:
        self._from, self._until = second, second + 1
        self._open = self._opened.setdefault(second, {})

    def _cell(self, group: str, second: int) -> Cell:
        return self.cells.setdefault((group, second), self._new(group))

    def _new(self, group: str) -> Cell:
        return Cell(over=[0] * len(self._limits.get(group, ())))


def percentile(times: Iterable[float], share: float) -> float:
    """The response time that `share` of the requests did not exceed (nearest rank); ValueError of none."""
    ranked = sorted(times)
    if not ranked:
        raise ValueError("no request, no percentile")
    return ranked[max(1, ceil(share * len(ranked) - 1e-9)) - 1]


def reasons(cells: Iterable[Cell]) -> Counter[Reason]:
    """How often each reason made a request fail."""
    found: Counter[Reason] = Counter()
    for cell in cells:
        for (_, reason), count in cell.outcomes.items():
            if reason:
                found[Reason(reason)] += count
    return found


def _as_intended(sample: Sample) -> Sample:
    """As if it had begun when it was to."""
    seconds = sample.ended - sample.began + sample.late
    return sample._replace(began=sample.began - sample.late, seconds=max(0.0, seconds))
