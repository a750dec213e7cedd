"""Where a ramp is: how many users there must be now, and which seconds were its holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from noxgate.slo.ramps import Level, Ramp
from noxgate.slo.result import Held
from noxgate_load.samples import clock, wall

PATIENCE = 15.0  # seconds beyond a rise for its last users

Tick = tuple[int, float] | None


@dataclass
class Course:
    """Where a ramp is. A hold begins when all of its users are there, not when they should be."""

    ramp: Ramp
    stop: Callable[[str], None]
    number: int = 0  # of levels that began
    holding: int = 0  # the second in which the hold began; 0 while users rise
    since: float = field(default_factory=clock)
    holds: list[Held] = field(default_factory=list)
    falling: bool = False
    over: bool = False

    @property
    def level(self) -> Level:
        return self.ramp.levels[max(0, self.number - 1)]

    def tick(self, users: int) -> Tick:
        """How many users there must be now and how many more a second; None when it is over."""
        now = clock()
        if self.number == 0:
            self._rise(now)
        elif self.holding:
            end = self.holding + self.level.hold
            if wall(now) >= end:
                self._held(end)
                if self.number == len(self.ramp.levels):
                    self.falling, self.holding = True, 0
                    self.since = now
                else:
                    self._rise(now)
        elif self.falling:
            if now - self.since >= self.ramp.fall or not users:
                self.over = True
                return None
        elif users == self.level.users:
            self.holding = ceil(wall(now)) + 1
        elif now - self.since > 2 * self.level.rise + PATIENCE:
            self.stop(f"only {users} of {self.level.users} users after {now - self.since:.0f} s")
            return None
        if self.falling:
            return 0, max(1.0, self.level.users / max(1.0, self.ramp.fall))
        before = self.ramp.levels[self.number - 2].users if self.number > 1 else 0
        return self.level.users, abs(self.level.users - before) / self.level.rise or 1.0

    def interrupt(self) -> None:
        """Take what was held of a hold that does not come to its end."""
        if self.holding and not self.falling:
            self._held(max(self.holding, min(int(wall(clock())), self.holding + self.level.hold)))
            self.holding = 0

    def _rise(self, now: float) -> None:
        self.number += 1
        self.holding = 0
        self.since = now

    def _held(self, end: int) -> None:
        level = self.level
        name = level.name(self.number)
        self.holds.append(Held(name, level.users, level.judged, level.hold, self.holding, end))
