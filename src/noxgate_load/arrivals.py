"""The open model: requests arrive by themselves, as Poisson has it, whether or not the target keeps up."""

import random
from collections.abc import Callable

import gevent  # type: ignore[import-untyped]
from gevent.event import AsyncResult  # type: ignore[import-untyped]

from noxgate_load.samples import clock

Dropped = Callable[[], None]


class Arrivals:
    """Hands each arrival to a free user, the one that was busy last: its connection is the warmest."""

    def __init__(self, dropped: Dropped) -> None:
        self._free: list[AsyncResult] = []
        self._dropped = dropped

    def wait(self) -> float:
        """Wait for an arrival; the moment (of `clock`) at which its request was to begin."""
        turn = AsyncResult()
        self._free.append(turn)
        try:
            intended: float = turn.get()
        finally:
            if turn in self._free:
                self._free.remove(turn)
        return intended

    def come(self, rate: Callable[[], float]) -> None:
        """Arrive at `rate()` requests a second, which may change, until killed."""
        due = clock()
        while True:
            each_second = rate()
            if each_second <= 0:
                gevent.sleep(0.1)
                due = clock()
                continue
            due += random.expovariate(each_second)
            wait = due - clock()
            if wait > 0:
                gevent.sleep(wait)
            if self._free:
                self._free.pop().set(due)
            else:
                self._dropped()
