"""How far workers' clocks are from this machine's: whole seconds are taken out, what is less stays.

A report says when it was sent. It comes later than that, so the least that it was ever late is the difference
of the clocks and the shortest way. What a worker recorded is moved by that, from before its first request on.
"""

from dataclasses import dataclass, field
from math import inf

APART = 1.0  # seconds that a clock may turn out to be from where it was taken to be


@dataclass
class Apart:
    """By how much this machine's clock is ahead of a worker's, in seconds."""

    least: float = inf
    taken: int = 0  # what its seconds are moved by


@dataclass
class Clocks:
    """Those of all workers."""

    _workers: dict[str, Apart] = field(default_factory=dict)

    def take(self, worker: str, sent_at: float, now: float, *, has_begun: bool) -> None:
        """Take what a report says; once a worker has sent requests, they stay where they are."""
        known = worker in self._workers
        one = self._workers.setdefault(worker, Apart())
        one.least = min(one.least, now - sent_at)
        if not (known and has_begun):
            one.taken = round(one.least)

    def shift(self, worker: str) -> int:
        """The seconds by which what a worker recorded is to be moved."""
        return self._workers[worker].taken

    def problems(self) -> list[str]:
        """Workers whose requests were counted in seconds that were not theirs."""
        return [
            f"worker {name}: its first reports came {one.taken - one.least:.1f} s later than others, "
            "so its clock is not known: run the test again"
            for name, one in self._workers.items()
            if one.taken - one.least > APART
        ]
