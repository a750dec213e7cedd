"""One sabotage: a fault near to what is right, that must turn one line red, and why it must."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from nox_rehearsal.world.state import World

Switch = Callable[[World], AbstractContextManager[None]]


def _where() -> str:
    """Where a sabotage is defined: what called its __init__, which called this."""
    frame = sys._getframe(2)  # noqa: SLF001
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


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
    where: str = field(default_factory=_where, compare=False, repr=False)  # file:line

    @property
    def id(self) -> str:
        """Such as `staging.version:rc1`."""
        return f"{self.line}:{self.name}"

    @property
    def phase(self) -> str:
        """The phase whose checks must find it."""
        return self.line.partition(".")[0]
