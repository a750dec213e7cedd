"""Minutes in a row."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

STEP = 60  # seconds: what is looked at is each minute

Minutes = Mapping[datetime, float]


@dataclass(frozen=True)
class Stretch:
    """Minutes in a row, and the worst value in them where there is one."""

    first: datetime
    last: datetime
    worst: float = math.nan

    @property
    def minutes(self) -> int:
        return round((self.last - self.first).total_seconds() / STEP) + 1

    def __str__(self) -> str:
        worst = "" if math.isnan(self.worst) else f", worst {self.worst:.4g}"
        return f"{self.first:%Y-%m-%d %H:%M} to {self.last:%H:%M} UTC ({self.minutes} min{worst})"

    __repr__ = __str__


def stretches(minutes: Minutes, worst: Callable[[float, float], float] | None = None) -> list[Stretch]:
    """Minutes that follow each other, together."""
    found: list[Stretch] = []
    for at, value in sorted(minutes.items()):
        last = found[-1] if found else None
        if last is not None and at - last.last <= timedelta(seconds=1.5 * STEP):
            found[-1] = Stretch(last.first, at, value if worst is None else worst(last.worst, value))
        else:
            found.append(Stretch(at, at, value))
    return found
