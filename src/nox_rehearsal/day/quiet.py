"""What is timed is left alone: one load test of a checkout at a time, a second try once the machine rests."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nox_rehearsal.checkout import ROOT
from noxgate.look.waiting import eventually, pause

PATIENCE = 60.0  # seconds; then it is tried all the same, and says itself if its generator was late
LATE = 0.05  # seconds, as for a load test's own timers
TIMERS = 50
TIMER = 0.02  # seconds: a second for all


@contextmanager
def alone() -> Iterator[None]:
    """One load test of this checkout at a time: two would measure each other."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextmanager
def without_load() -> Iterator[None]:
    """No load test of this checkout is made meanwhile: for what measures, too, in another world."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(how: int) -> Iterator[None]:
    lock = os.open(ROOT / "load", os.O_RDONLY)  # the folder itself: nothing is left behind
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)


def wait_for_rest() -> None:
    """Until this process's timers are on time for a second, PATIENCE at most."""
    with suppress(AssertionError):
        eventually(_expect_on_time, within=PATIENCE)


def _expect_on_time() -> None:
    assert max(_overslept() for _ in range(TIMERS)) <= LATE


def _overslept() -> float:
    began = time.monotonic()
    pause(TIMER)
    return time.monotonic() - began - TIMER
