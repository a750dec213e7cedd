"""One sabotage: a fault near to what is right, that must turn one line red, and why it must."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from nox_rehearsal.world.state import World

Switch = Callable[[World], AbstractContextManager[None]]


@dataclass(frozen=True)
class Sabotage:
    """One fault of the rehearsal: `on` switches it on for as long as its context lasts."""

    line: str
    name: str
    what: str
    on: Switch
    because: str
    also: tuple[str, ...] = ()
    outcome: str = "failed"
    moment: str = "start"  # of the day, at which it is tried (see nox_rehearsal.day.moments)

    @property
    def id(self) -> str:
        """Such as `staging.version:rc1`."""
        return f"{self.line}:{self.name}"

    @property
    def phase(self) -> str:
        """The phase whose checks must find it."""
        return self.line.partition(".")[0]
