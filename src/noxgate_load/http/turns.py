"""Who may use the processor for a step of connecting: the requests that are being measured come first.

A TLS handshake takes most of a millisecond of it. A thousand that are ready at the same moment would stop the
loop for a second, and every answer that came meanwhile would be read too late.
"""

from collections import deque
from typing import Any

import gevent  # type: ignore[import-untyped]

from noxgate_load.samples import clock

SHARE = 1.0  # of the time that all else took since the last: connecting goes on in a busy loop as well


class Turns:
    """One step in each round of the loop, or as many as fill their share of the time."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        self._round = self._hub.loop.timer(0)
        self._begun: deque[Any] = deque()
        self._new: deque[Any] = deque()
        self._left = 0.0  # when the last steps ended

    def begin(self) -> None:
        """Wait for the turn to begin a connection: it waits while others are ready to go on."""
        self._wait(self._new)

    def proceed(self) -> None:
        """Wait for the turn to take the next step of a connection."""
        self._wait(self._begun)

    def _wait(self, line: deque[Any]) -> None:
        if not self._round.active:  # no user took a step in this round, so no user waits
            self._left = clock()
            self._round.start(self._go)
            return
        me = gevent.getcurrent()
        line.append(me)
        try:
            self._hub.switch()
        except BaseException:
            line.remove(me)
            raise

    def _go(self) -> None:
        if not (self._begun or self._new):
            return
        self._round.start(self._go)
        now = clock()
        end = now + SHARE * (now - self._left)
        while line := self._begun or self._new:
            line.popleft().switch()
            if clock() >= end:
                break
        self._left = clock()
