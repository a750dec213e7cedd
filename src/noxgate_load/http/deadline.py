"""How long one request may take: a timer that throws into the greenlet that waits."""

from typing import Any

import gevent  # type: ignore[import-untyped]

from noxgate_load.samples import clock

getcurrent = gevent.getcurrent


class TimeUp(BaseException):
    """Thrown into a waiting greenlet by its deadline; like gevent's own, no `except Exception` takes it."""


class Deadline:
    """Throws into the greenlet that started it; made once and used for every request.

    Its timer is not set anew by each of them: one that goes off while a later request is in flight is set for
    what that has left.
    """

    __slots__ = ("_due", "_loop", "_seconds", "_timer", "_waiter")

    def __init__(self, seconds: float) -> None:
        self._loop = gevent.get_hub().loop
        self._seconds = seconds
        self._due = 0.0
        self._waiter: Any = None
        self._timer: Any = None

    def start(self, now: float) -> None:
        """Begin; `now` is a moment of `clock`."""
        self._waiter = getcurrent()
        self._due = now + self._seconds
        if self._timer is None:
            self._set(self._seconds)

    def stop(self) -> None:
        self._waiter = None

    def close(self) -> None:
        self._waiter = None
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _set(self, seconds: float) -> None:
        self._timer = self._loop.timer(seconds)
        self._timer.start(self._go_off)

    def _go_off(self) -> None:
        self._timer.close()
        self._timer = None
        if self._waiter is None:
            return
        left = self._due - clock()
        if left > 0:
            self._set(left)
        else:
            waiter, self._waiter = self._waiter, None
            waiter.throw(TimeUp)
