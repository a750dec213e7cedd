"""How many visits began and ended in each second: a user pauses between two, and is in one at the most."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from noxgate_load.samples import clock, wall

BEGAN, ENDED = 0, 1


@dataclass
class Visits:
    """Those of this process; on a master, of all of its workers."""

    seconds: dict[int, list[int]] = field(default_factory=dict)

    def __enter__(self) -> None:
        """A visit begins. It ends with the `with` statement, also if that raises."""
        self._count(BEGAN)

    def __exit__(self, *_: object) -> None:
        self._count(ENDED)

    def drain(self) -> list[list[int]]:
        """What was counted since the last time, for a master."""
        seen, self.seconds = self.seconds, {}
        return [[second, *both] for second, both in seen.items()]

    def take(self, drained: Sequence[Sequence[int]], shift: int = 0) -> None:
        """Take what a worker counted, its seconds moved."""
        for second, began, ended in drained:
            mine = self.seconds.setdefault(second + shift, [0, 0])
            mine[BEGAN] += began
            mine[ENDED] += ended

    def _count(self, what: int) -> None:
        second = int(wall(clock()))
        try:
            self.seconds[second][what] += 1
        except KeyError:
            self.seconds[second] = [1 - what, what]
